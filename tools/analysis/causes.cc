#include "analysis/causes.h"

#include <algorithm>
#include <utility>

#include "npf/classify.h"

namespace npf::analysis {
namespace {

using Role = CausePart::Role;

constexpr size_t kTriesMax = 64;  // addresses of a group that are tried

FlowKey KeyOf(const ChangeWitness& witness, size_t side) {
  return MakeFlowKey(witness.src[side], witness.dst[side], witness.protocol, witness.port);
}

bool IsAllowed(const Connectivity& side, const FlowKey& key) {
  Verdict verdict{};
  Classify(side.program(), side.options(), {&key, 1}, {&verdict, 1});
  return verdict.allowed != 0;
}

// An address that people know for an example, where it is in the range; else not its first one,
// which may be a network's.
IpAddress OneOf(const AddressRange& range) {
  for (const char* text : {"203.0.113.1", "2001:db8::1"}) {
    const IpAddress example = *ParseIpAddress(text);
    if (range.first <= example && example <= range.last) return example;
  }
  return range.first == range.last ? range.first : NextAddress(range.first);
}

// Addresses that stand for a group: its members', or the first of each of its ranges.
std::vector<Member> Candidates(const Scene& scene, const Group& group, size_t family) {
  std::vector<Member> members;
  for (const Member& member : group.members) {
    if (member.family != family || members.size() == kTriesMax) continue;
    members.push_back(member);
  }
  const Family wanted = family == 0 ? Family::kIpv4 : Family::kIpv6;
  for (const AddressRange& range : group.ranges) {
    if (range.first.family != wanted || members.size() == kTriesMax) continue;
    Member member{.family = static_cast<uint8_t>(family)};
    const IpAddress address = OneOf(range);
    for (size_t side = 0; side < scene.side_count(); ++side) member.address[side] = address;
    members.push_back(member);
  }
  return members;
}

bool Shows(Connectivity& before, Connectivity& after, const Member& from, const Member& to,
           ChangeKind kind, ChangeWitness& witness) {
  std::array<bool, 2> allowed{};
  for (const size_t side : {0, 1}) {
    // An end that is not there is asked about by the address that it has on the other side.
    const auto& src = from.address[side] ? from.address[side] : from.address[1 - side];
    const auto& dst = to.address[side] ? to.address[side] : to.address[1 - side];
    if (!src || !dst || *src == *dst) return false;
    witness.src[side] = *src;
    witness.dst[side] = *dst;
    const bool there = from.address[side] && to.address[side];
    allowed[side] = there && IsAllowed(side == 0 ? before : after, KeyOf(witness, side));
  }
  return kind == ChangeKind::kAllowed ? !allowed[0] && allowed[1] : allowed[0] && !allowed[1];
}

void AddRule(Role role, Direction direction, const RuleRef& rule, std::vector<CausePart>& out) {
  out.push_back({role, direction, rule.policy, rule, ""});
}

const TierMatch* Deciding(const DirectionExplanation& direction) {
  if (!direction.decided_by || *direction.decided_by == PolicyTier::kNetworkPolicy) return nullptr;
  return &direction.tiers.back();
}

void AddOpened(Direction direction, const DirectionExplanation& before,
               const DirectionExplanation& after, std::vector<CausePart>& out) {
  if (after.local_node) {
    out.push_back({Role::kOwnNode, direction, "", std::nullopt, ""});
    return;
  }
  if (const TierMatch* match = Deciding(after)) {
    return AddRule(Role::kAllowedBy, direction, match->rule, out);
  }
  for (const RuleRef& rule : after.allowing) AddRule(Role::kAllowedBy, direction, rule, out);
  if (!after.allowing.empty()) return;
  if (const TierMatch* match = Deciding(before)) {
    return AddRule(Role::kNoLongerDeniedBy, direction, match->rule, out);
  }
  for (const std::string& policy : before.isolating) {
    out.push_back({Role::kNoLongerIsolatedBy, direction, policy, std::nullopt, ""});
  }
  if (before.isolating.empty()) {
    out.push_back({Role::kNoPolicy, direction, "", std::nullopt, ""});
  }
}

void AddClosed(Direction direction, const DirectionExplanation& before,
               const DirectionExplanation& after, std::vector<CausePart>& out) {
  if (const TierMatch* match = Deciding(after)) {
    return AddRule(Role::kDeniedBy, direction, match->rule, out);
  }
  const size_t first = out.size();
  if (before.local_node) out.push_back({Role::kOwnNode, direction, "", std::nullopt, ""});
  if (const TierMatch* match = Deciding(before)) {
    AddRule(Role::kNoLongerAllowedBy, direction, match->rule, out);
  }
  for (const RuleRef& rule : before.allowing) {
    AddRule(Role::kNoLongerAllowedBy, direction, rule, out);
  }
  if (out.size() == first) {
    for (const std::string& policy : after.isolating) {
      out.push_back({Role::kIsolatedBy, direction, policy, std::nullopt, ""});
    }
  }
  if (after.nearest) {
    out.push_back({Role::kNearestMiss, direction, after.nearest->rule.policy, after.nearest->rule,
                   after.nearest->detail});
  }
}

}  // namespace

std::optional<ChangeWitness> FindWitness(const Scene& scene, Connectivity& before,
                                         Connectivity& after, uint32_t from, uint32_t to,
                                         uint8_t own_node, uint32_t place, size_t family,
                                         ChangeKind kind) {
  const ProtocolRange port = PortAt(place, family == 0 ? Family::kIpv4 : Family::kIpv6);
  ChangeWitness witness{.src = {}, .dst = {}, .protocol = port.protocol, .port = port.first};
  if (own_node != 0) {
    for (const Local& local : scene.locals()) {
      if (local.node_group != from || local.pod_group != to || local.family != family) continue;
      if (local.sides != own_node) continue;
      if (Shows(before, after, local.node, local.pod, kind, witness)) return witness;
    }
    return std::nullopt;
  }
  const std::vector<Member> sources = Candidates(scene, scene.groups()[from], family);
  const std::vector<Member> destinations = Candidates(scene, scene.groups()[to], family);
  for (const Member& source : sources) {
    for (const Member& destination : destinations) {
      if (Shows(before, after, source, destination, kind, witness)) return witness;
    }
  }
  return std::nullopt;
}

std::vector<CausePart> CausesOf(const Connectivity& before, const Connectivity& after,
                                const ChangeWitness& witness, ChangeKind kind, ChangedBy by) {
  std::vector<CausePart> causes;
  if (by == ChangedBy::kPresence) return causes;
  const Explanation was = Explain(before.program(), before.options(), KeyOf(witness, 0));
  const Explanation is = Explain(after.program(), after.options(), KeyOf(witness, 1));
  const auto add = [&](Direction direction, const DirectionExplanation& old_one,
                       const DirectionExplanation& new_one) {
    if (kind == ChangeKind::kAllowed) {
      AddOpened(direction, old_one, new_one, causes);
    } else {
      AddClosed(direction, old_one, new_one, causes);
    }
  };
  if (by != ChangedBy::kIngress) add(Direction::kEgress, was.egress, is.egress);
  if (by != ChangedBy::kEgress) add(Direction::kIngress, was.ingress, is.ingress);
  return causes;
}

}  // namespace npf::analysis
