// Blocks of addresses: over pods, nodes and Services, whose addresses say little about who they
// are; exceptions that except nothing; one address family where pods have two.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lint/checks.h"
#include "lint/structure.h"
#include "model/pod_addresses.h"
#include "model/validate.h"

namespace npf::lint {
namespace {

using resolve::BitsetTable;

// A block as a policy names it.
struct Block {
  const NetworkPolicy* policy = nullptr;  // or
  const ClusterPolicy* cluster = nullptr;
  std::string field;  // of the CIDR
  Direction direction = Direction::kIngress;
  IpPrefix prefix;
  std::vector<IpPrefix> excepts;

  bool Holds(const IpAddress& address) const {
    return prefix.Contains(address) &&
           std::none_of(excepts.begin(), excepts.end(),
                        [&](const IpPrefix& except) { return except.Contains(address); });
  }
};

struct Named {
  IpAddress address;
  std::string name;
};
using Addresses = std::vector<Named>;  // sorted

std::optional<IpPrefix> BlockPrefix(const std::string& text) {
  const ParsedPrefix parsed = ParseIpPrefix(text);
  if (parsed.fault != PrefixFault::kNone) return std::nullopt;
  return parsed.prefix;
}

void SortByAddress(Addresses& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Named& a, const Named& b) { return a.address < b.address; });
}

// Those that a block holds.
Addresses HeldBy(const Block& block, const Addresses& all) {
  const auto begin = std::lower_bound(
      all.begin(), all.end(), FirstAddress(block.prefix),
      [](const Named& named, const IpAddress& wanted) { return named.address < wanted; });
  const IpAddress last = LastAddress(block.prefix);
  Addresses held;
  for (auto at = begin; at != all.end() && at->address <= last; ++at) {
    if (block.Holds(at->address)) held.push_back(*at);
  }
  return held;
}

std::string Text(const Addresses& held) {
  std::vector<std::string> names;
  for (const Named& named : held) {
    names.push_back(named.name + " (" + ToString(named.address) + ")");
  }
  return Listed(names, 2);
}

class BlockChecks {
 public:
  BlockChecks(const Facts& facts, Reporter& reporter) : reporter_(reporter) {
    const Snapshot& snapshot = facts.snapshot();
    for (const Pod& pod : snapshot.pods()) {
      if (pod.address_assumed) continue;
      for (const IpAddress& address : model::AddressesOf(pod)) {
        pods_.push_back({address, pod.ns + "/" + pod.name});
      }
    }
    for (const Node& node : snapshot.nodes()) AddAll(node.addresses, "node " + node.name, nodes_);
    for (const Service& service : snapshot.services()) {
      AddAll(service.cluster_ips, service.ns + "/" + service.name, services_);
    }
    for (Addresses* all : {&pods_, &nodes_, &services_}) SortByAddress(*all);
    pod_cidrs_ = snapshot.pod_cidrs();
    service_cidrs_ = snapshot.service_cidrs();
  }

  void Check(const Block& block) {
    CheckPods(block);
    if (block.prefix.length > 0) CheckNodes(block);
    if (block.direction == Direction::kEgress) {
      CheckServices(block);
      CheckMetadata(block);
    }
  }

 private:
  static void AddAll(const std::vector<std::string>& texts, const std::string& name,
                     Addresses& out) {
    for (const std::string& text : texts) {
      if (const auto address = ParseIpAddress(text)) out.push_back({*address, name});
    }
  }

  Finding& Add(Id id, const Block& block, std::string message) {
    return block.policy != nullptr
               ? reporter_.Add(id, *block.policy, block.field, std::move(message))
               : reporter_.Add(id, *block.cluster, block.field, std::move(message));
  }

  static const IpPrefix* Around(const Block& block, const std::vector<IpPrefix>& prefixes) {
    const auto found = std::find_if(prefixes.begin(), prefixes.end(), [&](const IpPrefix& prefix) {
      return prefix.Contains(block.prefix);
    });
    return found == prefixes.end() ? nullptr : &*found;
  }
  // A range that the block holds with room to spare, and does not except.
  static const IpPrefix* Within(const Block& block, const std::vector<IpPrefix>& prefixes) {
    const auto found = std::find_if(prefixes.begin(), prefixes.end(), [&](const IpPrefix& prefix) {
      return block.prefix.Contains(prefix) &&
             std::none_of(block.excepts.begin(), block.excepts.end(),
                          [&](const IpPrefix& except) { return except.Contains(prefix); });
    });
    return found == prefixes.end() ? nullptr : &*found;
  }

  void CheckPods(const Block& block) {
    const Addresses held = HeldBy(block, pods_);
    const std::string pods = held.empty() ? "" : ": " + Text(held);
    if (const IpPrefix* around = Around(block, pod_cidrs_)) {
      Finding& finding = Add(
          Id::kBlockOverPods, block,
          ToString(block.prefix) + " lies in " + ToString(*around) + ", which is for pods" + pods);
      finding.suggestion = kUseSelectors;
    } else if (const IpPrefix* within = Within(block, pod_cidrs_)) {
      Finding& finding = Add(Id::kBlockOverPods, block,
                             ToString(block.prefix) + " holds " + ToString(*within) +
                                 " too, which is for pods" + pods);
      finding.level = Level::kNote;
      finding.suggestion = "if only the outside is meant, except the range of the pods";
    } else if (!held.empty()) {
      Finding& finding = Add(Id::kBlockOverPods, block,
                             ToString(block.prefix) + " holds addresses of pods" + pods);
      if (block.prefix.length <= 8) finding.level = Level::kNote;
      finding.suggestion = block.prefix.length <= 8
                               ? "if only the outside is meant, except the range of the pods"
                               : kUseSelectors;
    }
  }

  void CheckNodes(const Block& block) {
    const Addresses held = HeldBy(block, nodes_);
    if (held.empty()) return;
    Finding& finding = Add(Id::kBlockOverNodes, block,
                           ToString(block.prefix) + " holds addresses of nodes: " + Text(held));
    finding.suggestion =
        "these are also the addresses of pods with hostNetwork, and of traffic that was "
        "masqueraded there; if that is not meant, except them";
  }

  void CheckServices(const Block& block) {
    const IpPrefix* around = Around(block, service_cidrs_);
    const Addresses held = HeldBy(block, services_);
    const bool is_one = !held.empty() && block.prefix.length == held[0].address.bit_count();
    if (around == nullptr && !is_one) return;
    Finding& finding =
        Add(Id::kBlockOverServices, block,
            ToString(block.prefix) +
                (held.empty() ? " lies in " + ToString(*around) + ", which is for Services"
                              : " holds addresses of Services: " + Text(held)));
    finding.suggestion =
        "packets to a Service are judged by the pod that they are sent on to: select the pods";
  }

  void CheckMetadata(const Block& block) {
    const IpAddress metadata = IpAddress::V4(0xa9fea9fe);
    if (block.prefix.length == 32 || !block.Holds(metadata)) return;
    Finding& finding =
        Add(Id::kMetadataReachable, block,
            ToString(block.prefix) + " holds 169.254.169.254, where clouds hand out credentials");
    finding.suggestion = "except 169.254.169.254/32, unless these pods need it";
  }

  static constexpr char kUseSelectors[] =
      "addresses of pods change hands: the next pod that gets one is allowed as well; name pods by "
      "selectors";

  Reporter& reporter_;
  Addresses pods_, nodes_, services_;
  std::vector<IpPrefix> pod_cidrs_, service_cidrs_;
};

// One block of a NetworkPolicy and its exceptions.
class ExceptChecks {
 public:
  ExceptChecks(const Effects* effects, Reporter& reporter)
      : effects_(effects), reporter_(reporter) {}

  void Check(const NetworkPolicy& policy, const IpBlock& block, const PolicyPart& part) {
    const std::string field = PeerField(*part.direction, *part.rule, *part.peer) + ".ipBlock";
    for (size_t k = 0; k < block.except.size(); ++k) {
      const auto except = BlockPrefix(block.except[k]);
      if (!except) continue;
      const std::string why = WhyWithoutEffect(policy, block, part, k, *except);
      if (why.empty()) continue;
      Finding& finding =
          reporter_.Add(Id::kExceptNoEffect, policy, model::Item(field + ".except", k),
                        ToString(*except) + " is excepted here, and " + why);
      finding.suggestion =
          "rules only add: except it in every block that holds it, or take the "
          "exception out";
      finding.without_effect = part;
      finding.without_effect->except = k;
    }
  }

 private:
  std::string WhyWithoutEffect(const NetworkPolicy& policy, const IpBlock& block,
                               const PolicyPart& part, size_t k, const IpPrefix& except) const {
    for (size_t other = 0; other < block.except.size(); ++other) {
      const auto wider = BlockPrefix(block.except[other]);
      const bool counts = wider && other != k && wider->Contains(except);
      if (counts && (*wider != except || other < k)) return "so is " + ToString(*wider);
    }
    const std::string other = AllowedElsewhere(policy, part, except);
    if (!other.empty()) return "allowed by " + other;
    return IsAllowedAnyway(part, except) ? "other rules allow it to every pod that this is about"
                                         : "";
  }

  // By how the policy is written.
  static std::string AllowedElsewhere(const NetworkPolicy& policy, const PolicyPart& part,
                                      const IpPrefix& except) {
    const auto& rules = RulesOf(policy, *part.direction);
    const IpBlock wanted{.cidr = ToString(except), .except = {}};
    for (size_t i = 0; i < rules.size(); ++i) {
      if (!Covers(rules[i].ports, rules[*part.rule].ports)) continue;
      if (rules[i].peers.empty()) return RuleField(*part.direction, i);
      for (size_t j = 0; j < rules[i].peers.size(); ++j) {
        if (i == *part.rule && j == *part.peer) continue;
        const auto& block = rules[i].peers[j].ip_block;
        if (block && Covers(*block, wanted)) return PeerField(*part.direction, i, j);
      }
    }
    return "";
  }

  // By what the policies come to, for every subject and every address of the exception.
  bool IsAllowedAnyway(const PolicyPart& part, const IpPrefix& except) const {
    if (effects_ == nullptr) return false;
    const auto rule = effects_->Find({part.policy, *part.direction, *part.rule});
    if (!rule || effects_->SitesOf(*rule).empty()) return false;
    const resolve::Rule* resolved = nullptr;
    for (const resolve::Rule& candidate :
         effects_->resolved().policies[effects_->ResolvedIndex(false, part.policy)].rules) {
      const bool ingress = candidate.direction == resolve::kIngress;
      if (candidate.index == *part.rule && ingress == (*part.direction == Direction::kIngress)) {
        resolved = &candidate;
      }
    }
    std::set<uint32_t> scopes;
    for (const Effects::Site& site : effects_->SitesOf(*rule)) scopes.insert(site.scope);
    BitsetTable& bits = effects_->bits();
    const std::vector<uint32_t> classes = effects_->ClassesIn(except);
    for (const uint32_t number : scopes) {
      const Effects::Scope& scope = effects_->scopes()[number];
      const uint32_t subject = scope.subjects.front();
      for (const uint32_t c : classes) {
        const uint32_t on = scope.direction == Direction::kIngress ? subject : c;
        const uint32_t ports =
            effects_->PortsOf(*resolved, effects_->resolved().classes[on].port_signature);
        const resolve::Decision& decision = effects_->DecisionOf(scope.direction, subject, c);
        const uint32_t settled = bits.Union(decision.allow_bitset, decision.tier_bitset);
        if (bits.Difference(ports, settled) != BitsetTable::kNothing) return false;
      }
    }
    return true;
  }

  const Effects* effects_;
  Reporter& reporter_;
};

// Blocks of one family only, while the subjects have addresses of both.
class FamilyChecks {
 public:
  FamilyChecks(const Facts& facts, const Effects& effects, Reporter& reporter)
      : facts_(facts), effects_(effects), reporter_(reporter) {}

  void Check(const NetworkPolicy& policy, size_t index, Direction direction) {
    if (!Governs(policy, direction)) return;
    const auto& rules = RulesOf(policy, direction);
    std::optional<std::pair<size_t, size_t>> first;  // rule and peer
    bool has[2] = {false, false};
    for (size_t i = 0; i < rules.size(); ++i) {
      for (size_t j = 0; j < rules[i].peers.size(); ++j) {
        const auto& block = rules[i].peers[j].ip_block;
        const auto prefix = block ? BlockPrefix(block->cidr) : std::nullopt;
        if (!prefix) continue;
        has[prefix->address.family == Family::kIpv4 ? 0 : 1] = true;
        if (!first) first = {i, j};
      }
    }
    if (!first || has[0] == has[1]) return;
    const size_t missing = has[0] ? 1 : 0;
    const auto rule = effects_.Find({index, direction, first->first});
    if (!rule || !HasBothFamilies(policy)) return;
    const std::optional<Probe> probe = FindDenied(*rule, direction, missing);
    if (!probe) return;
    Report(policy, direction, *first, missing, *probe);
  }

 private:
  bool HasBothFamilies(const NetworkPolicy& policy) const {
    const Groups& groups = facts_.SubjectsOf(policy);
    return std::any_of(groups.begin(), groups.end(), [&](uint32_t group) {
      return facts_.groups()[group].has_v4 && facts_.groups()[group].has_v6;
    });
  }

  // A question of the missing family; nullopt where any rule of any policy allows an address of the
  // outside in that family to one of the subjects.
  std::optional<Probe> FindDenied(uint32_t rule, Direction direction, size_t family) const {
    std::optional<Probe> probe;
    std::set<uint32_t> scopes;
    uint32_t ports = BitsetTable::kAll;
    for (const Effects::Site& site : effects_.SitesOf(rule)) {
      scopes.insert(site.scope);
      for (const auto& share : effects_.scopes()[site.scope].peers[site.peer].second) {
        if (share.rule == rule) ports = share.bits;
      }
    }
    const auto [protocol, port] = effects_.ExampleOf(ports);
    const auto& classes = effects_.resolved().classes;
    for (const uint32_t number : scopes) {
      const Effects::Scope& scope = effects_.scopes()[number];
      for (uint32_t c = effects_.resolved().pod_class_count; c < classes.size(); ++c) {
        if (classes[c].representatives[family].empty()) continue;
        if (classes[c].kind == resolve::AddressKind::kNode) continue;  // its own node is exempt
        for (const uint32_t subject : scope.subjects) {
          const auto& own = classes[subject].representatives[family];
          if (own.empty()) continue;
          const resolve::Decision& decision = effects_.DecisionOf(direction, subject, c);
          if (decision.allow_bitset != BitsetTable::kNothing) return std::nullopt;
          const IpAddress& other = classes[c].representatives[family].front();
          const bool ingress = direction == Direction::kIngress;
          probe = Probe{.src = ingress ? other : own.front(),
                        .dst = ingress ? own.front() : other,
                        .protocol = protocol,
                        .port = port,
                        .direction = direction,
                        .allowed = false};
        }
      }
    }
    return probe;
  }

  void Report(const NetworkPolicy& policy, Direction direction, std::pair<size_t, size_t> first,
              size_t missing, const Probe& probe) {
    const PolicyPeer& peer = RulesOf(policy, direction)[first.first].peers[first.second];
    const std::string absent = missing == 0 ? "IPv4" : "IPv6";
    const bool is_wide = BlockPrefix(peer.ip_block->cidr)->length == 0;
    Finding& finding = reporter_.Add(
        Id::kOneFamily, policy, PeerField(direction, first.first, first.second) + ".ipBlock.cidr",
        "the blocks of this direction are " + std::string(missing == 0 ? "IPv6" : "IPv4") +
            " only, and the pods have " + absent + " too, over which all of the outside is denied");
    if (!is_wide) finding.level = Level::kNote;
    finding.suggestion = is_wide
                             ? std::string("add ") + (missing == 0 ? "0.0.0.0/0" : "::/0") +
                                   ", with its own exceptions"
                             : "add the " + absent + " blocks of the same peers, if they have any";
    finding.probes.push_back(probe);
  }

  const Facts& facts_;
  const Effects& effects_;
  Reporter& reporter_;
};

Block ReadBlock(const NetworkPolicy& policy, const IpBlock& object, const IpPrefix& prefix,
                const PolicyPart& part) {
  Block block{.policy = &policy,
              .field = PeerField(*part.direction, *part.rule, *part.peer) + ".ipBlock.cidr",
              .direction = *part.direction,
              .prefix = prefix,
              .excepts = {}};
  for (const std::string& text : object.except) {
    if (const auto except = BlockPrefix(text)) block.excepts.push_back(*except);
  }
  return block;
}

class AllBlocks {
 public:
  AllBlocks(const Facts& facts, const Effects* effects, Reporter& reporter)
      : facts_(facts),
        effects_(effects),
        reporter_(reporter),
        blocks_(facts, reporter),
        excepts_(effects, reporter) {}

  void Check(const NetworkPolicy& policy, size_t index) {
    for (const Direction direction : kDirections) {
      if (!Governs(policy, direction)) continue;
      const auto& rules = RulesOf(policy, direction);
      for (size_t i = 0; i < rules.size(); ++i) {
        for (size_t j = 0; j < rules[i].peers.size(); ++j) {
          const auto& object = rules[i].peers[j].ip_block;
          const auto prefix = object ? BlockPrefix(object->cidr) : std::nullopt;
          if (!prefix) continue;
          const PolicyPart part{
              .cluster = false, .policy = index, .direction = direction, .rule = i, .peer = j};
          blocks_.Check(ReadBlock(policy, *object, *prefix, part));
          excepts_.Check(policy, *object, part);
        }
      }
      if (effects_ == nullptr) continue;
      FamilyChecks(facts_, *effects_, reporter_).Check(policy, index, direction);
    }
  }

  void Check(const ClusterPolicy& policy) {
    for (size_t i = 0; i < policy.egress.size(); ++i) {
      if (policy.egress[i].action == "Deny") continue;
      for (size_t j = 0; j < policy.egress[i].peers.size(); ++j) {
        const auto& networks = policy.egress[i].peers[j].networks;
        const std::string field = PeerField(Direction::kEgress, i, j) + ".networks";
        for (size_t k = 0; networks && k < networks->size(); ++k) {
          const auto prefix = BlockPrefix((*networks)[k]);
          if (!prefix) continue;
          blocks_.Check({.cluster = &policy,
                         .field = model::Item(field, k),
                         .direction = Direction::kEgress,
                         .prefix = *prefix,
                         .excepts = {}});
        }
      }
    }
  }

 private:
  const Facts& facts_;
  const Effects* effects_;
  Reporter& reporter_;
  BlockChecks blocks_;
  ExceptChecks excepts_;
};

}  // namespace

void CheckBlocks(const Facts& facts, const Effects* effects, Reporter& reporter) {
  const Snapshot& snapshot = facts.snapshot();
  AllBlocks all(facts, effects, reporter);
  for (size_t p = 0; p < snapshot.policies().size(); ++p) all.Check(snapshot.policies()[p], p);
  for (const ClusterPolicy& policy : snapshot.cluster_policies()) all.Check(policy);
}

}  // namespace npf::lint
