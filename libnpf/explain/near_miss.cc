#include "explain/near_miss.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace npf {
namespace {

constexpr uint64_t kPeerRank = uint64_t{1} << 32;  // beyond every port distance
constexpr uint64_t kProtocolDistance = uint64_t{1} << 20;
constexpr uint64_t kNameDistance = uint64_t{1} << 21;
constexpr uint64_t kUnlike = 1000;
constexpr size_t kComparedBytes = 256;

absl::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

std::string ProtocolName(uint8_t protocol) {
  switch (protocol) {
    case kProtocolTcp:
      return "TCP";
    case kProtocolUdp:
      return "UDP";
    case kProtocolSctp:
      return "SCTP";
    case kProtocolIcmp:
      return "ICMP";
    case kProtocolIcmpv6:
      return "ICMPv6";
    default:
      return absl::StrCat("protocol ", protocol);
  }
}

// Letters to insert, delete or change (Levenshtein), on texts cut to a bound.
size_t EditDistance(std::string_view a, std::string_view b) {
  a = a.substr(0, kComparedBytes);
  b = b.substr(0, kComparedBytes);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row[b.size()];
}

struct PartJudgement {
  bool matches = false;
  uint64_t distance = ~uint64_t{0};
  MissedField field = MissedField::kPeer;
  std::string detail;
  std::optional<uint32_t> index;
  std::optional<uint32_t> item;
  std::string_view item_list;

  void Offer(PartJudgement other) {
    if (other.distance < distance) *this = std::move(other);
  }
};

PartJudgement MissedPort(uint64_t distance, MissedField field, std::string detail, uint32_t index) {
  return {.matches = false,
          .distance = distance,
          .field = field,
          .detail = std::move(detail),
          .index = index,
          .item = {},
          .item_list = {}};
}

PartJudgement JudgeNamedPort(const ProgramView& view, const RuleQuestion& question,
                             const layout::RulePort& port, uint32_t index) {
  const uint32_t destination =
      question.direction == Direction::kIngress ? question.subject_class : question.peer_class;
  const std::string name(view.String(port.name));
  PartJudgement best =
      MissedPort(kNameDistance, MissedField::kNamedPort,
                 absl::StrCat("the destination has no ", ProtocolName(port.protocol),
                              " container port named ", name),
                 index);
  for (const layout::NamedPort& held : view.NamedPortsOf(destination)) {
    if (held.name != port.name || held.protocol != port.protocol) continue;
    if (held.protocol == question.protocol && held.port == question.port) {
      return {.matches = true,
              .distance = 0,
              .detail = {},
              .index = index,
              .item = {},
              .item_list = {}};
    }
    const uint64_t away = question.protocol == held.protocol
                              ? static_cast<uint64_t>(std::abs(int{held.port} - int{question.port}))
                              : kProtocolDistance;
    best.Offer(MissedPort(
        away, MissedField::kNamedPort,
        absl::StrCat(ProtocolName(question.protocol), " port ", question.port, "; port ", name,
                     " is ", ProtocolName(held.protocol), " ", held.port, " on the destination"),
        index));
  }
  return best;
}

PartJudgement JudgePort(const ProgramView& view, const RuleQuestion& question,
                        const layout::RulePort& port, uint32_t index) {
  if (port.name != layout::kNone) return JudgeNamedPort(view, question, port, index);
  const bool in_range = question.port >= port.first && question.port <= port.last;
  if (port.protocol != question.protocol) {
    const uint64_t distance = kProtocolDistance + (in_range ? 0 : 1);
    return MissedPort(distance, MissedField::kProtocol,
                      absl::StrCat(ProtocolName(question.protocol), ", the rule has ",
                                   ProtocolName(port.protocol)),
                      index);
  }
  if (in_range)
    return {
        .matches = true, .distance = 0, .detail = {}, .index = index, .item = {}, .item_list = {}};
  const int away =
      question.port < port.first ? port.first - question.port : question.port - port.last;
  const std::string wanted = port.first == port.last ? absl::StrCat(port.first)
                                                     : absl::StrCat(port.first, " to ", port.last);
  return MissedPort(static_cast<uint64_t>(away), MissedField::kPort,
                    absl::StrCat("port ", question.port, ", the rule has ", wanted), index);
}

PartJudgement JudgePorts(const ProgramView& view, const RuleQuestion& question,
                         const layout::RuleRecord& rule) {
  if (rule.port_count == 0)
    return {.matches = true, .distance = 0, .detail = {}, .index = {}, .item = {}, .item_list = {}};
  if (!HasPorts(question.protocol)) {
    return MissedPort(kNameDistance, MissedField::kProtocol,
                      absl::StrCat(ProtocolName(question.protocol),
                                   " has no ports; only a rule without ports allows it"),
                      0);
  }
  PartJudgement best;
  const auto ports =
      view.Section<layout::RulePort>(layout::kRulePorts).subspan(rule.first_port, rule.port_count);
  for (const layout::RulePort& port : ports) {
    best.Offer(JudgePort(view, question, port, port.index));
  }
  return best;
}

int CommonBits(const IpAddress& a, const IpAddress& b) {
  int common = 0;
  while (common < a.bit_count() && Masked({a, static_cast<uint8_t>(common + 1)}) ==
                                       Masked({b, static_cast<uint8_t>(common + 1)})) {
    ++common;
  }
  return common;
}

PartJudgement MissedBlock(const RuleQuestion& question, std::string_view text, uint32_t index) {
  const IpPrefix cidr = ParseIpPrefix(text.substr(0, text.find(' '))).prefix;
  PartJudgement miss{.detail = {}, .index = index, .item = {}, .item_list = {}};
  if (cidr.Contains(question.peer_address)) {
    miss.field = MissedField::kExcept;
    miss.distance = 0;
    miss.detail = absl::StrCat(question.peer.address, " is excepted from ", Text(text));
    return miss;
  }
  const bool same_family = cidr.address.family == question.peer_address.family;
  miss.distance = same_family
                      ? static_cast<uint64_t>(128 - CommonBits(cidr.address, question.peer_address))
                      : kUnlike;
  miss.detail = absl::StrCat(question.peer.address, " is not in ", Text(text));
  return miss;
}

PartJudgement MissedPods(const RuleQuestion& question, std::string_view text, uint32_t index) {
  PartJudgement miss{.detail = {}, .index = index, .item = {}, .item_list = {}};
  if (question.peer.kind != "pod") {
    miss.distance = kUnlike;
    miss.detail = absl::StrCat(question.peer.address, " is no pod; the rule has ", Text(text));
    return miss;
  }
  const std::string ns = question.peer.name.substr(0, question.peer.name.find('/'));
  const std::string like = absl::StrCat("pods with ", question.peer.labels, " in namespace ", ns);
  miss.distance = EditDistance(like, text);
  miss.detail = absl::StrCat(
      "pod ", question.peer.name, " has ",
      question.peer.labels.empty() ? "none of the labels asked for" : question.peer.labels,
      "; the rule has ", Text(text));
  return miss;
}

PartJudgement JudgePeers(const ProgramView& view, const RuleQuestion& question,
                         const layout::RuleRecord& rule) {
  if (rule.peer_count == 0)
    return {.matches = true, .distance = 0, .detail = {}, .index = {}, .item = {}, .item_list = {}};
  PartJudgement best;
  const auto atoms = view.AtomsOf(question.peer_class);
  const auto peers =
      view.Section<layout::RulePeer>(layout::kRulePeers).subspan(rule.first_peer, rule.peer_count);
  for (const layout::RulePeer& peer : peers) {
    if (std::binary_search(atoms.begin(), atoms.end(), peer.atom)) {
      PartJudgement match{.matches = true,
                          .distance = 0,
                          .detail = {},
                          .index = peer.index,
                          .item = {},
                          .item_list = {}};
      if (peer.item == layout::kNone) return match;
      match.item = peer.item;
      const auto kind = view.Section<layout::AtomRecord>(layout::kAtoms)[peer.atom].kind;
      match.item_list =
          kind == static_cast<uint32_t>(layout::AtomKind::kNames) ? "domainNames" : "networks";
      return match;
    }
    const layout::AtomRecord& atom = view.Section<layout::AtomRecord>(layout::kAtoms)[peer.atom];
    const std::string_view text = view.String(atom.text);
    best.Offer(atom.kind == static_cast<uint32_t>(layout::AtomKind::kIpBlock)
                   ? MissedBlock(question, text, peer.index)
                   : MissedPods(question, text, peer.index));
  }
  return best;
}

}  // namespace

RuleJudgement JudgeRule(const ProgramView& view, const RuleQuestion& question,
                        const layout::RuleRecord& rule) {
  PartJudgement ports = JudgePorts(view, question, rule);
  PartJudgement peers = JudgePeers(view, question, rule);
  RuleJudgement judgement;
  judgement.matches = ports.matches && peers.matches;
  if (judgement.matches) {
    judgement.peer = peers.index;
    judgement.item = peers.item;
    judgement.item_list = peers.item_list;
    judgement.port = ports.index;
    return judgement;
  }
  const bool by_peer = !peers.matches;
  judgement.distance = (ports.matches ? 0 : ports.distance) +
                       (by_peer ? kPeerRank * (peers.distance + 1) : 0) +
                       (by_peer && !ports.matches ? kPeerRank * kUnlike * 2 : 0);
  judgement.field = by_peer ? peers.field : ports.field;
  judgement.detail = by_peer ? std::move(peers.detail) : std::move(ports.detail);
  if (by_peer && !ports.matches) absl::StrAppend(&judgement.detail, "; and ", ports.detail);
  if (by_peer) {
    judgement.peer = peers.index;
  } else {
    judgement.port = ports.index;
  }
  return judgement;
}

}  // namespace npf
