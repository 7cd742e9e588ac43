// The meaning of a Snapshot, decided once: what all of Kubernetes' rules come to, with nothing left
// to interpret and no text to match.
//
//   labels and selectors  --> atoms: "pods of namespace prod with app=db", "10.0.0.0/8 except .."
//   pods and addresses    --> address classes: sets of addresses that are in the same atoms
//   ports and named ports --> port classes: sets of ports that no rule tells apart
//   policies              --> rows: for a subject class and a direction, a decision for each peer
//
// Tiers, priorities and the order of rules end here: a decision says what all of them come to.
//
// A class is keyed by the atoms it is in, not by its labels: a label that no selector speaks of (a
// pod-template-hash, a pod's own name) makes no class. Cost follows distinct workloads and CIDR
// regions, not pods times rules. Equal sets of rules share one row, whoever the subject is. What
// cluster tiers say of everybody stands in the defaults of rows, which many rows share.
//
// Invariants: classes below pod_class_count are pods and stand in canonical order of their first
// pod; atoms, rows, decisions and bitsets are numbered in the order in which the canonical Snapshot
// first needs them, so equal Snapshots give equal ResolvedPolicies. A ResolvedPolicy speaks of
// objects of its Snapshot, which must outlive it.
#ifndef NPF_RESOLVE_RESOLVED_POLICY_H_
#define NPF_RESOLVE_RESOLVED_POLICY_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "npf/address.h"
#include "npf/model.h"
#include "resolve/bitset_table.h"

namespace npf::resolve {

inline constexpr uint32_t kNone = 0xffffffff;
inline constexpr size_t kIngress = 0;
inline constexpr size_t kEgress = 1;
// IANA numbers of the protocols with ports, in the order of PortRange::protocol_index.
inline constexpr std::array<uint8_t, 3> kProtocolNumbers = {6, 17, 132};

enum class AddressKind : uint8_t { kPod, kNode, kService, kUnknownPod, kExternal };
enum class AtomKind : uint8_t {
  kPods,
  kIpBlock,
  kNodes,    // addresses of nodes that a selector matches
  kNames,    // addresses that a domain name stood for
  kUnknown,  // a peer that this version does not know: no address
};
enum class Tier : uint8_t { kAdmin, kNetworkPolicy, kBaseline };  // in the order of R80
enum class Action : uint8_t { kAllow, kDeny, kPass };
enum class PolicyKind : uint8_t {
  kNetworkPolicy,
  kClusterNetworkPolicy,
  kAdminNetworkPolicy,
  kBaselineAdminNetworkPolicy,
};

struct Atom {
  AtomKind kind = AtomKind::kPods;
  std::string text;
};

struct NamedPort {
  std::string name;
  uint8_t protocol = 0;  // IANA
  uint16_t port = 0;
  auto operator<=>(const NamedPort&) const = default;
};

struct AddressClass {
  AddressKind kind = AddressKind::kExternal;
  std::vector<uint32_t> atoms;  // sorted
  uint32_t port_signature = 0;  // index of ResolvedPolicy::port_signatures
  std::array<std::vector<IpAddress>, 2> representatives;  // [0] IPv4, [1] IPv6; at most two each
};

struct Region {  // the longest region that contains an address gives its class
  IpPrefix prefix;
  uint32_t address_class = 0;
};

struct Endpoint {  // an address that a pod or a node has; wins over every region
  IpAddress address;
  AddressKind kind = AddressKind::kPod;
  uint32_t address_class = 0;
  const Pod* pod = nullptr;     // of the Snapshot; nullptr: it is a node's
  std::string_view node;        // of the Snapshot; empty where not known
  uint32_t label_text = kNone;  // index of ResolvedPolicy::label_texts
};

struct PortRange {
  uint8_t protocol_index = 0;  // 0 TCP, 1 UDP, 2 SCTP
  uint16_t first = 0;
  uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;
};

struct PortClasses {
  // Class of each port, from `first` on until the next segment of the same protocol.
  struct Segment {
    uint8_t protocol_index = 0;
    uint16_t first = 0;
    uint32_t port_class = 0;
  };
  std::vector<Segment> segments;  // sorted; each protocol begins at 0
  uint32_t count = 1;             // class 0 is "no port"
};

struct Decision {
  uint32_t allow_bitset = 0;
  uint32_t tier_bitset = 0;  // ports that Admin or Baseline decided, either way
  bool isolated = false;     // by a NetworkPolicy
  auto operator<=>(const Decision&) const = default;
};

struct RowEntry {
  uint32_t peer_class = 0;
  uint32_t decision = 0;
};

// What one direction of a subject comes to: a decision by peer group, and the classes that differ.
struct Row {
  uint32_t defaults = 0;          // index of ResolvedPolicy::defaults
  std::vector<RowEntry> entries;  // sorted by peer_class; differ from the default of their group
};

struct RulePort {
  std::string name;    // empty: numeric
  PortRange range;     // of a named port only the protocol counts
  uint32_t index = 0;  // in the object's list
};

struct RulePeer {
  uint32_t atom = 0;
  uint32_t index = 0;     // in the object's list
  uint32_t item = kNone;  // in the peer's own list: `networks`, `domainNames`
};

struct Rule {
  size_t direction = kIngress;
  uint32_t index = 0;  // in the object's list
  std::string name;    // of a cluster policy's rule; may be empty
  Action action = Action::kAllow;
  std::vector<RulePort> ports;  // empty: all ports and protocols
  std::vector<RulePeer> peers;  // empty: any peer
  uint32_t port_list = 0;       // index among distinct port lists; 0 is all
};

struct Policy {
  PolicyKind kind = PolicyKind::kNetworkPolicy;
  std::string name;  // "namespace/name" of a NetworkPolicy
  Tier tier = Tier::kNetworkPolicy;
  uint32_t subject_atom = 0;
  // By direction: that it isolates, of a NetworkPolicy; that it has rules, of a cluster policy.
  std::array<bool, 2> governs{};
  std::vector<Rule> rules;  // only of directions that it governs
};

struct ResolvedPolicy {
  std::vector<Atom> atoms;
  std::vector<AddressClass> classes;
  uint32_t pod_class_count = 0;
  std::vector<Region> regions;
  std::vector<Endpoint> endpoints;       // sorted by address
  std::vector<std::string> label_texts;  // those that selectors speak of: "app=web,tier=db"
  std::vector<std::vector<NamedPort>> port_signatures;  // [0] is empty
  PortClasses port_classes;
  BitsetTable bitsets;
  std::vector<Decision> decisions;  // [0] is open
  // Classes that no cluster tier tells apart as peers; without tiers: pods, and all others.
  uint32_t peer_group_count = 0;
  std::vector<uint32_t> peer_group;             // by class
  std::vector<std::vector<uint32_t>> defaults;  // decisions by peer group; distinct
  std::vector<Row> rows;
  std::array<std::vector<uint32_t>, 2> row_of_class;  // by direction, pod classes; kNone: open
  std::vector<Policy> policies;  // in the order in which they are evaluated (R80, R81)
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_RESOLVED_POLICY_H_
