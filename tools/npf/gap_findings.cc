#include "npf/gap_findings.h"

#include <algorithm>
#include <tuple>

#include "model/pod_addresses.h"
#include "npf/classify.h"

namespace npf::tools {
namespace {

using gaps::Evidence;
using gaps::Grade;
using gaps::Opener;
using gaps::Seen;

std::string TextOf(const gaps::LogName& name) {
  return name.ns.empty() ? name.name : name.ns + "/" + name.name;
}

std::string NameOf(const PolicyPhase& phase, const IpAddress& address,
                   const gaps::LogName* in_log) {
  if (in_log != nullptr && !in_log->empty()) return TextOf(*in_log);
  return std::string(phase.names().PodOf(address));
}

void FillEnds(const Seen& seen, const PolicyPhase& phase, GapRow& row) {
  if (seen.key.family == 0) {
    row.src_pod = TextOf(seen.names->src);
    row.dst_pod = TextOf(seen.names->dst);
    return;
  }
  const IpAddress src = SourceOf(seen.key);
  const IpAddress dst = DestinationOf(seen.key);
  row.src = ToString(src);
  row.dst = ToString(dst);
  row.src_pod = NameOf(phase, src, seen.names ? &seen.names->src : nullptr);
  row.dst_pod = NameOf(phase, dst, seen.names ? &seen.names->dst : nullptr);
}

std::string KeyOf(const GapRow& row, uint64_t phase_ns) {
  std::string key;
  for (const std::string* text : {&row.src, &row.src_pod, &row.dst, &row.dst_pod}) {
    key += *text;
    key += '\0';
  }
  return key + std::to_string(row.protocol) + ' ' + std::to_string(row.port) + ' ' +
         std::to_string(phase_ns) + ' ' + std::to_string(static_cast<int>(row.evidence)) +
         (row.denied ? " denied" : "");
}

void AppendDeniedBy(std::string_view name, const DirectionExplanation& direction,
                    const Places& places, std::vector<DeniedBy>& out) {
  if (!direction.judged || direction.allowed) return;
  const bool by_tier =
      direction.decided_by.has_value() && *direction.decided_by != PolicyTier::kNetworkPolicy;
  if (by_tier && !direction.tiers.empty()) {
    const RuleRef& rule = direction.tiers.back().rule;
    out.push_back(
        {std::string(name), rule.policy, std::string(npf::Name(rule.kind)), places.Of(rule)});
    return;
  }
  for (const std::string& policy : direction.isolating) {
    out.push_back({std::string(name), policy, "NetworkPolicy", places.Of(policy)});
  }
}

bool IsAnswer(Evidence evidence) {
  return gaps::GradeOf(evidence) == Grade::kProven || evidence == Evidence::kReset ||
         evidence == Evidence::kAnswerOnly || evidence == Evidence::kAcknowledged ||
         evidence == Evidence::kMidstream;
}

}  // namespace

void GapFindings::Add(const Seen& seen) {
  const Ruling ruling = judge_.Judge(seen);
  counts_.seen += seen.connections;
  if (seen.replies > 0) counts_.with_replies += seen.connections;
  counts_.standing[static_cast<size_t>(ruling.standing)] += seen.connections;
  if (ruling.standing == Standing::kDenied) AddDenied(seen, ruling);
  if (ruling.standing == Standing::kAllowed) AddAllowed(seen, ruling);
}

void GapFindings::AddDenied(const Seen& seen, const Ruling& ruling) {
  bool is_new = false;
  GapRow without_room{.grade = gaps::GradeOf(ruling.evidence)};
  GapRow* row = RowOf(seen, ruling, true, is_new);
  if (row == nullptr) {
    row = &without_room;
    counts_.beyond_rows += seen.connections;
  }
  if (is_new || row == &without_room) Tell(*row, ruling);
  counts_.denied[static_cast<size_t>(row->grade)] += seen.connections;
  Count(*row, seen);
}

void GapFindings::AddAllowed(const Seen& seen, const Ruling& ruling) {
  if (seen.opener == Opener::kUnknown || IsAnswer(seen.evidence)) return;
  if (seen.last_ns + kAnswerNs > now_ns_) {
    counts_.too_late += seen.connections;
    return;
  }
  counts_.unanswered += seen.connections;
  bool is_new = false;
  GapRow* row = RowOf(seen, ruling, false, is_new);
  if (row == nullptr) {
    counts_.beyond_rows += seen.connections;
    return;
  }
  Count(*row, seen);
}

GapRow* GapFindings::RowOf(const Seen& seen, const Ruling& ruling, bool denied, bool& is_new) {
  GapRow row{.denied = denied,
             .evidence = ruling.evidence,
             .grade = gaps::GradeOf(ruling.evidence),
             .protocol = seen.key.protocol,
             .has_ports = seen.has_ports,
             .port = seen.has_ports ? seen.key.dst_port : uint16_t{0},
             .first_ns = seen.first_ns};
  FillEnds(seen, *ruling.phase, row);
  std::string key = KeyOf(row, ruling.phase->begin_ns());
  const auto found = rows_.find(key);
  if (found != rows_.end()) return &found->second;
  if (rows_.size() == kRowsMax) return nullptr;
  is_new = true;
  return &rows_.emplace(std::move(key), std::move(row)).first->second;
}

// Who denies it; and where its source may be somebody else's, no more than a suggestion.
void GapFindings::Tell(GapRow& row, const Ruling& ruling) {
  const Explanation explanation = Explain(ruling.phase->program(), ClassifyOptions{}, ruling.key);
  const Places& places = ruling.phase->places();
  AppendDeniedBy("egress", explanation.egress, places, row.denied_by);
  AppendDeniedBy("ingress", explanation.ingress, places, row.denied_by);
  row.denial = DenialText(explanation);
  for (const DeniedBy& by : row.denied_by) {
    const bool egress = by.direction == "egress";
    tried_.insert(by.direction + " " + (egress ? explanation.src.name : explanation.dst.name));
  }
  if (explanation.src.kind == "node") {
    row.note = "the source is a node: traffic of others may bear its address";
  } else if (explanation.src.kind == "unknown_pod") {
    row.note = "the source is in a pod CIDR, and no pod of the input has it";
  }
  if (!row.note.empty()) row.grade = std::min(row.grade, Grade::kSuggested);
}

void GapFindings::Count(GapRow& row, const Seen& seen) {
  row.connections += seen.connections;
  row.packets += seen.packets;
  row.replies += seen.replies;
  row.first_ns = std::min(row.first_ns, seen.first_ns);
  row.last_ns = std::max(row.last_ns, seen.last_ns);
  if (row.claim.empty() && seen.names != nullptr) row.claim = seen.names->claim;
}

std::vector<GapRow> GapFindings::Rows() const {
  std::vector<GapRow> rows;
  for (const auto& [key, row] : rows_) rows.push_back(row);
  const auto order = [](const GapRow& row) {
    return std::make_tuple(!row.denied, -static_cast<int>(row.grade), ~row.packets, row.first_ns,
                           std::cref(row.src), std::cref(row.src_pod), std::cref(row.dst),
                           std::cref(row.dst_pod), row.protocol, row.port);
  };
  std::sort(rows.begin(), rows.end(),
            [&](const GapRow& a, const GapRow& b) { return order(a) < order(b); });
  return rows;
}

GapCounts GapFindings::counts() const {
  GapCounts counts = counts_;
  counts.tried = tried_.size();
  counts.isolated = CountIsolated(times_.all().back());
  return counts;
}

uint64_t CountIsolated(const PolicyPhase& phase) {
  // Documentation addresses, which no pod has (RFC 5737, RFC 3849).
  const IpAddress outside_v4 = *ParseIpAddress("192.0.2.1");
  const IpAddress outside_v6 = *ParseIpAddress("2001:db8::1");
  uint64_t isolated = 0;
  for (const Pod& pod : phase.snapshot().pods()) {
    const std::vector<IpAddress> addresses = model::AddressesOf(pod);
    if (addresses.empty()) continue;
    const IpAddress& own = addresses.front();
    const IpAddress& outside = own.family == Family::kIpv4 ? outside_v4 : outside_v6;
    for (const bool ingress : {false, true}) {
      const FlowKey key = ingress ? MakeFlowKey(outside, own, kProtocolTcp, 1)
                                  : MakeFlowKey(own, outside, kProtocolTcp, 1);
      const ClassifyOptions options{.directions =
                                        ingress ? DirectionMask::kIngress : DirectionMask::kEgress};
      Verdict verdict{};
      Classify(phase.program(), options, std::span(&key, 1), std::span(&verdict, 1));
      const auto reason = static_cast<Reason>(verdict.reason);
      isolated += reason == Reason::kPolicy || reason == Reason::kTier ? 1 : 0;
    }
  }
  return isolated;
}

}  // namespace npf::tools
