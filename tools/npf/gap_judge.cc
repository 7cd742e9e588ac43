#include "npf/gap_judge.h"

#include <algorithm>
#include <optional>
#include <string>

#include "gaps/connection_table.h"
#include "npf/classify.h"

namespace npf::tools {
namespace {

using gaps::Evidence;
using gaps::LogName;
using gaps::Opener;
using gaps::Seen;

bool FromTheMiddle(Evidence evidence) {
  return evidence == Evidence::kBothWays || evidence == Evidence::kMidstream;
}

// The pods that a log's name may mean.
std::vector<const Pod*> PodsOf(const PolicyPhase& phase, const LogName& name) {
  if (name.ns.empty()) return {};
  const std::string_view text = name.name;
  if (text.ends_with('*')) {
    return phase.PodsThatBegin(name.ns, text.substr(0, text.size() - 1), GapJudge::kPairsMax);
  }
  const Pod* pod = phase.FindPod(name.ns, text);
  return pod == nullptr ? std::vector<const Pod*>{} : std::vector<const Pod*>{pod};
}

// `address`, or the one that the pod by that name has, where the address is another's: the log was
// written when they were shared out otherwise. Nothing where there is no such pod.
std::optional<IpAddress> AddressOf(const PolicyPhase& phase, const IpAddress& address,
                                   const LogName& name) {
  if (name.empty() || phase.names().PodOf(address) == name.ns + "/" + name.name) return address;
  const Pod* pod = phase.FindPod(name.ns, name.name);
  if (pod == nullptr) return std::nullopt;
  for (const std::string& text : pod->ips) {
    const std::optional<IpAddress> own = ParseIpAddress(text);
    if (own.has_value() && own->family == address.family) return own;
  }
  return std::nullopt;
}

}  // namespace

std::string_view Name(Standing standing) {
  switch (standing) {
    case Standing::kAllowed:
      return "allowed";
    case Standing::kDenied:
      return "denied";
    case Standing::kOutlived:
      return "outlived";
    case Standing::kUnclear:
      return "unclear";
    case Standing::kService:
      return "service";
    case Standing::kNoPod:
      return "no_pod";
    case Standing::kUnknown:
      return "unknown_pod";
    case Standing::kTooMany:
      return "too_many_pods";
  }
  return "";
}

// All keys must be denied, or none.
GapJudge::Answer GapJudge::AskAll(const PolicyPhase& phase) {
  verdicts_.resize(keys_.size());
  Classify(phase.program(), ClassifyOptions{}, keys_, verdicts_);
  const size_t denied = static_cast<size_t>(
      std::count_if(verdicts_.begin(), verdicts_.end(),
                    [](const Verdict& verdict) { return verdict.allowed == 0; }));
  const Standing standing = denied == 0              ? Standing::kAllowed
                            : denied == keys_.size() ? Standing::kDenied
                                                     : Standing::kUnclear;
  return {standing, keys_.front()};
}

Standing GapJudge::KeysByName(const PolicyPhase& phase, const Seen& seen) {
  keys_.clear();
  const std::vector<const Pod*> from = PodsOf(phase, seen.names->src);
  const std::vector<const Pod*> to = PodsOf(phase, seen.names->dst);
  if (from.empty() || to.empty()) return Standing::kUnknown;
  if (from.size() * to.size() > kPairsMax) return Standing::kTooMany;
  for (const Pod* src : from) {
    for (const Pod* dst : to) {
      for (const std::string& src_ip : src->ips) {
        for (const std::string& dst_ip : dst->ips) {
          const std::optional<IpAddress> a = ParseIpAddress(src_ip);
          const std::optional<IpAddress> b = ParseIpAddress(dst_ip);
          if (!a.has_value() || !b.has_value() || a->family != b->family) continue;
          keys_.push_back(MakeFlowKey(*a, *b, seen.key.protocol, seen.key.dst_port));
        }
      }
    }
  }
  return keys_.empty() ? Standing::kUnknown : Standing::kAllowed;
}

GapJudge::Answer GapJudge::Ask(const PolicyPhase& phase, const Seen& seen) {
  if (seen.key.family == 0) {
    const Standing known = KeysByName(phase, seen);
    if (known != Standing::kAllowed) return {known, seen.key};
    return AskAll(phase);
  }
  const LogName none;
  const auto src = AddressOf(phase, SourceOf(seen.key), seen.names ? seen.names->src : none);
  const auto dst = AddressOf(phase, DestinationOf(seen.key), seen.names ? seen.names->dst : none);
  if (!src.has_value() || !dst.has_value()) return {Standing::kUnknown, seen.key};
  const uint16_t port = seen.has_ports ? seen.key.dst_port : uint16_t{0};
  keys_ = {MakeFlowKey(*src, *dst, seen.key.protocol, port, seen.key.src_port)};
  const Answer answer = AskAll(phase);
  const auto reason = static_cast<Reason>(verdicts_.front().reason);
  if (reason == Reason::kServiceAddress) return {Standing::kService, answer.key};
  if (reason == Reason::kNotAPod) return {Standing::kNoPod, answer.key};
  return answer;
}

Ruling GapJudge::Judge(const Seen& seen) {
  Ruling ruling{.evidence = seen.evidence};
  const bool unsure = seen.opener == Opener::kUnknown ||
                      (seen.opener == Opener::kByPorts && FromTheMiddle(seen.evidence));
  Seen back = seen;
  back.key = gaps::Reversed(seen.key);
  gaps::LogNames turned;
  if (seen.names != nullptr) {
    turned = {seen.names->dst, seen.names->src, ""};
    back.names = &turned;
  }
  bool ever_allowed = false;
  bool back_denied = true;
  for (const PolicyPhase& phase : times_.During(seen.first_ns, seen.last_ns)) {
    const Answer answer = Ask(phase, seen);
    if (unsure) back_denied = back_denied && Ask(phase, back).standing == Standing::kDenied;
    const bool comparable =
        answer.standing == Standing::kAllowed || answer.standing == Standing::kDenied;
    if (!comparable) {
      ruling.standing = answer.standing;
      return ruling;
    }
    ever_allowed = ever_allowed || answer.standing == Standing::kAllowed;
    ruling.standing = answer.standing;
    ruling.phase = &phase;
    ruling.key = answer.key;
  }
  if (ruling.standing != Standing::kDenied) return ruling;
  if (ever_allowed) ruling.standing = Standing::kOutlived;
  if (ever_allowed || !unsure || back_denied) return ruling;
  if (seen.opener == Opener::kUnknown) {
    ruling.standing = Standing::kUnclear;
  } else {
    ruling.evidence = Evidence::kMidstream;
  }
  return ruling;
}

}  // namespace npf::tools
