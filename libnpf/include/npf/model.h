// The Kubernetes objects that decide about traffic, as plain structs.
//
// They mirror the API types: what an object says is kept as it was said (a CIDR stays text, a port
// stays a number or a name, an absent selector differs from an empty one), so that validation can
// speak of it and two independent readers (resolve and the reference evaluator) can each give it
// its meaning. Lists whose absence, null and emptiness mean the same in the API are plain vectors.
// Fill them by hand or with <npf/load.h>; hand them to a SnapshotBuilder.
#ifndef NPF_MODEL_H_
#define NPF_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace npf {

// Where something stood in the input; file indexes SnapshotBuilder's file list, 0 is "no file".
struct Position {
  uint32_t file = 0;
  uint32_t line = 0;    // from 1
  uint32_t column = 0;  // from 1
};

// Where a field ("spec.ingress[0].ports[1].port") of an object stood.
struct FieldPosition {
  std::string field;
  Position position;
};

// Sorted by key, keys unique.
class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string, std::string>> entries);
  void Set(std::string key, std::string value);         // replaces
  const std::string* Find(std::string_view key) const;  // nullptr where absent
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

// `op` is "In", "NotIn", "Exists" or "DoesNotExist" once validated (R10).
struct LabelRequirement {
  std::string key;
  std::string op;
  std::vector<std::string> values;
  auto operator<=>(const LabelRequirement&) const = default;
};

// Everything is ANDed; an empty selector selects everything (R11).
struct LabelSelector {
  Labels match_labels;
  std::vector<LabelRequirement> match_expressions;
  auto operator<=>(const LabelSelector&) const = default;
};

using IntOrString = std::variant<int64_t, std::string>;

struct PolicyPort {
  std::optional<std::string> protocol;  // absent: TCP (R22)
  std::optional<IntOrString> port;      // absent: every port of the protocol (R21)
  std::optional<int64_t> end_port;      // inclusive (R24)
  Position position;
};

struct IpBlock {
  std::string cidr;
  std::vector<std::string> except;
};

struct PolicyPeer {
  std::optional<LabelSelector> pod_selector;
  std::optional<LabelSelector> namespace_selector;
  std::optional<IpBlock> ip_block;
  Position position;
};

struct PolicyRule {
  std::vector<PolicyPort> ports;  // empty: all ports and all protocols (R20)
  std::vector<PolicyPeer> peers;  // `from` or `to`; empty: any peer (R18)
  Position position;
};

struct NetworkPolicy {
  std::string ns;
  std::string name;
  LabelSelector pod_selector;
  bool pod_selector_given = true;  // absent selects all pods too, with a warning
  std::vector<std::string> policy_types;
  std::vector<PolicyRule> ingress;
  std::vector<PolicyRule> egress;
  Labels annotations;                 // those in the domain npf
  std::vector<FieldPosition> fields;  // sorted; only with SnapshotOptions::keep_positions
  Position position;
};

// Cluster-wide tiers (section J of docs/semantics.md). ClusterNetworkPolicy of v1alpha2 and its
// predecessors of v1alpha1, AdminNetworkPolicy and BaselineAdminNetworkPolicy, are one struct;
// fields are named as in v1alpha2.

// One item of `protocols` (v1alpha2) or `ports` (v1alpha1), R88.
struct ClusterPort {
  enum class Form : uint8_t {
    kNothing,  // no known field was set: fails closed (R89)
    kAll,      // every port of the protocol
    kNumber,   // `first`
    kRange,    // `first` to `last`, both included
    kNamed,    // `name`, of any protocol
    kSeveral,  // more than one of the fields that exclude each other; refused by validation
  };
  Form form = Form::kNothing;
  std::string protocol = "TCP";  // of kAll, kNumber and kRange
  int64_t first = 0;
  int64_t last = 0;
  std::string name;
  Position position;
};

// The pods that match, in namespaces that match. `namespaces: S` is S with every pod of them.
struct ClusterPods {
  LabelSelector namespace_selector;
  std::optional<LabelSelector> pod_selector;  // absent: the field `namespaces` was used
};

// Exactly one of the fields, once validated; none of them where --lenient dropped a field that is
// not known: the rule fails closed (R89).
struct ClusterPeer {
  std::optional<ClusterPods> pods;                       // `namespaces` or `pods`
  std::optional<LabelSelector> nodes;                    // egress only, over labels of Nodes (R86)
  std::optional<std::vector<std::string>> networks;      // egress only, CIDRs
  std::optional<std::vector<std::string>> domain_names;  // egress only (R87)
  uint32_t field_count = 0;                              // fields that were written, also unknown
  Position position;
};

struct ClusterRule {
  std::string name;    // may be empty
  std::string action;  // "Accept", "Deny", "Pass"; "Allow" in v1alpha1
  std::vector<ClusterPeer> peers;
  std::optional<std::vector<ClusterPort>> ports;  // absent: all ports and protocols, ICMP too
  Position position;
};

enum class ClusterPolicyKind : uint8_t {
  kClusterNetworkPolicy,
  kAdminNetworkPolicy,          // tier "Admin"
  kBaselineAdminNetworkPolicy,  // tier "Baseline", priority 0
};

struct ClusterPolicy {
  ClusterPolicyKind kind = ClusterPolicyKind::kClusterNetworkPolicy;
  std::string name;
  std::string tier;                 // "Admin" or "Baseline"
  std::optional<int64_t> priority;  // 0 to 1000, lower first (R81)
  std::optional<ClusterPods> subject;
  uint32_t subject_field_count = 0;  // fields that were written, also unknown
  std::vector<ClusterRule> ingress;
  std::vector<ClusterRule> egress;
  Labels annotations;                 // those in the domain npf
  std::vector<FieldPosition> fields;  // sorted; only with SnapshotOptions::keep_positions
  Position position;
};

// "ClusterNetworkPolicy", ...
std::string_view Name(ClusterPolicyKind kind);

// An address that a name stood for, as the caller learned it: what `domainNames` peers match (R87).
struct ResolvedName {
  std::string name;       // case and a trailing dot do not matter
  std::string address;    // one address
  int64_t expires_s = 0;  // Unix time; 0: never
  Position position;
};

struct ContainerPort {
  std::string name;
  int64_t port = 0;
  std::string protocol = "TCP";
  auto operator<=>(const ContainerPort&) const = default;
};

// The owner_kind of a pod that is not there: SnapshotOptions::new_pods.
inline constexpr std::string_view kNewPodKind = "NewPod";

enum class PodPhase : uint8_t { kUnknown, kPending, kRunning, kSucceeded, kFailed };

struct Pod {
  std::string ns;
  std::string name;
  Labels labels;
  std::string node_name;
  bool host_network = false;
  bool terminating = false;  // deletionTimestamp is set
  PodPhase phase = PodPhase::kUnknown;
  std::string creation_timestamp;    // RFC 3339, or empty
  std::vector<std::string> ips;      // status.podIPs, or podIP
  std::vector<ContainerPort> ports;  // of containers and of restartable init containers (R28)
  std::string owner_kind;            // workload kind it stands for; empty for a real pod
  std::string controller;            // "KIND/NAME" of the owner that controls it; may be empty
  bool address_assumed = false;      // `ips` are made up: SnapshotOptions::assume_addresses
  Labels annotations;                // those in the domains npf and of service meshes
  Position position;
};

// It has run to its end and holds no address (R50).
inline bool HasEnded(const Pod& pod) {
  return pod.phase == PodPhase::kSucceeded || pod.phase == PodPhase::kFailed;
}
// Its addresses are its own: it has not ended, and is not on its node's network (R50, R52).
inline bool HasPodAddresses(const Pod& pod) { return !HasEnded(pod) && !pod.host_network; }

struct Namespace {
  std::string name;
  Labels labels;
  Labels annotations;        // those in the domains npf and of service meshes
  bool synthesised = false;  // no object was given (R63)
  bool is_new = false;       // it is not there either: SnapshotOptions::new_pods
  Position position;
};

struct Node {
  std::string name;
  Labels labels;
  std::vector<std::string> addresses;  // InternalIP and ExternalIP (R55)
  std::vector<std::string> pod_cidrs;
  Position position;
};

// What a Service says beside its addresses, and an Ingress, decides about no packet that reaches a
// pod: traffic to a Service is judged by the pod that it is sent on to. Both are kept to tell what
// they lead to, so a fault in them is a warning, and compiling does not look at them.

struct ServicePort {
  std::string name;  // may be empty
  std::string protocol = "TCP";
  int64_t port = 0;
  std::optional<IntOrString> target_port;  // of the pods; absent: `port`
  int64_t node_port = 0;                   // of every node; 0: none
  Position position;
};

struct Service {
  std::string ns;
  std::string name;
  std::vector<std::string> cluster_ips;  // "None" and "" are left out; external IPs are included
  std::string type = "ClusterIP";        // or "NodePort", "LoadBalancer", "ExternalName"
  Labels selector;                       // empty: its pods are not known from it
  std::vector<ServicePort> ports;
  std::vector<std::string> external_ips;
  std::vector<std::string> load_balancer_ips;  // status.loadBalancer.ingress[].ip
  std::vector<std::string> source_ranges;      // spec.loadBalancerSourceRanges
  std::string external_name;                   // of type ExternalName
  std::string external_traffic = "Cluster";    // spec.externalTrafficPolicy, or "Local"
  Position position;
};

// One way in: requests for this host and path go to that port of that Service.
struct IngressBackend {
  std::string host;  // empty: every host
  std::string path;  // empty: every path
  std::string service;
  IntOrString port;  // of the Service, by number or name
  Position position;
};

struct Ingress {
  std::string ns;
  std::string name;
  std::string class_name;                // may be empty
  std::vector<IngressBackend> backends;  // the default backend first, where there is one
  Position position;
};

}  // namespace npf

#endif  // NPF_MODEL_H_
