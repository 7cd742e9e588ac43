// What each rule adds, class by class: the compiled structure, asked in the other direction. Where
// resolve comes from rules to decisions, this keeps for each decision the rules that led to it.
//
//   scope  = subjects that the same policies select, with the same named ports (ingress) and the
//            same row. All that is asked of a subject is asked once a scope.
//   scope, peer class ──► shares: (rule, ports that it allows there)
//
// A rule is without effect where, for every scope and peer class, its ports are among those that
// other rules allow or that the Admin tier decides before (R3, R80).
#ifndef NPF_TOOLS_LINT_EFFECTS_H_
#define NPF_TOOLS_LINT_EFFECTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "lint/finding.h"
#include "npf/snapshot.h"
#include "resolve/peer_states.h"
#include "resolve/resolved_policy.h"

namespace npf::lint {

using resolve::kNone;

// A rule of a NetworkPolicy, by the index of its policy in the Snapshot.
struct RuleKey {
  size_t policy = 0;
  Direction direction = Direction::kIngress;
  size_t rule = 0;
  auto operator<=>(const RuleKey&) const = default;
};

class Effects {
 public:
  struct Share {
    uint32_t rule = 0;  // index of rules()
    uint32_t peer = 0;  // in the object's list; kNone: it has none
    uint32_t bits = 0;  // of ports
  };
  struct Scope {
    Direction direction = Direction::kIngress;
    std::vector<uint32_t> subjects;                              // classes
    std::vector<std::pair<uint32_t, std::vector<Share>>> peers;  // by class, ascending
  };

  // The Snapshot must outlive it. `why_not` says why there is nothing, where that is so.
  static std::unique_ptr<Effects> Make(const Snapshot& snapshot, std::string& why_not);

  const Snapshot& snapshot() const { return snapshot_; }
  const resolve::ResolvedPolicy& resolved() const { return resolved_; }
  resolve::BitsetTable& bits() const { return bits_; }
  const std::vector<RuleKey>& rules() const { return rules_; }
  const std::vector<Scope>& scopes() const { return scopes_; }
  // Scopes and places in their `peers` that a rule has a share in.
  struct Site {
    uint32_t scope = 0;
    uint32_t peer = 0;
  };
  const std::vector<Site>& SitesOf(uint32_t rule) const { return sites_[rule]; }
  std::optional<uint32_t> Find(const RuleKey& key) const;

  // Index of resolved().policies of a policy of the Snapshot, and back.
  size_t ResolvedIndex(bool cluster, size_t policy) const;
  // Of the NetworkPolicy of that index; the index is one.
  size_t SnapshotIndex(size_t resolved_policy) const { return resolved_policy - admin_count_; }
  size_t admin_count() const { return admin_count_; }

  const resolve::Decision& DecisionOf(Direction direction, uint32_t subject, uint32_t peer) const;
  bool IsPod(uint32_t address_class) const { return address_class < resolved_.pod_class_count; }
  std::span<const uint32_t> ClassesOf(uint32_t atom) const { return atom_classes_->Of(atom); }
  // The ports of a rule on a destination with these named ports.
  uint32_t PortsOf(const resolve::Rule& rule, uint32_t signature) const;
  // The port class of a port; 0: no port.
  uint32_t PortClassOf(uint8_t protocol, uint16_t port) const;
  bool Has(uint32_t bitset, uint32_t port_class) const;
  // A port of a set that is not empty, as a question has it; protocol 1 where only "no port" is in.
  std::pair<uint8_t, uint16_t> ExampleOf(uint32_t bitset) const;
  // Addresses of two classes, of one family and not the same one; nullopt where there are none.
  std::optional<std::pair<IpAddress, IpAddress>> PairOf(uint32_t a, uint32_t b) const;
  // Classes that have addresses in the prefix.
  std::vector<uint32_t> ClassesIn(const IpPrefix& prefix) const;
  // NetworkPolicies that isolate a class, by index in the Snapshot.
  std::vector<size_t> Isolating(Direction direction, uint32_t subject) const;
  // Whether any policy, of any tier, has a say about a class in that direction.
  bool IsGoverned(Direction direction, uint32_t subject) const {
    return resolved_.row_of_class[direction == Direction::kIngress ? resolve::kIngress
                                                                   : resolve::kEgress][subject] !=
           kNone;
  }
  // Of a pod that has an address; nullopt for others.
  std::optional<uint32_t> ClassOf(const Pod& pod) const;
  // Policies that select a class, indexes of resolved().policies.
  const std::vector<uint32_t>& PoliciesOf(uint32_t subject) const { return policies_of_[subject]; }

 private:
  explicit Effects(const Snapshot& snapshot) : snapshot_(snapshot) {}
  void NumberRules();
  bool MakeScopes();  // false: too large
  size_t Fill(Scope& scope, const std::vector<uint32_t>& policies);
  void NoteSites();

  const Snapshot& snapshot_;
  resolve::ResolvedPolicy resolved_;
  mutable resolve::BitsetTable bits_;
  mutable std::map<std::pair<uint32_t, uint32_t>, uint32_t> port_sets_;  // by list, signature
  size_t admin_count_ = 0;
  std::vector<RuleKey> rules_;
  std::vector<std::vector<uint32_t>> rule_numbers_;  // by resolved policy, and its rules
  std::vector<std::vector<uint32_t>> policies_of_;   // by pod class
  std::optional<resolve::AtomClasses> atom_classes_;
  std::vector<Scope> scopes_;
  std::vector<std::vector<Site>> sites_;  // by rule
  absl::flat_hash_map<const Pod*, uint32_t> class_of_pod_;
};

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_EFFECTS_H_
