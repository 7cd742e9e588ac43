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
  Position position;
};

struct ContainerPort {
  std::string name;
  int64_t port = 0;
  std::string protocol = "TCP";
  auto operator<=>(const ContainerPort&) const = default;
};

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
  Position position;
};

struct Namespace {
  std::string name;
  Labels labels;
  bool synthesised = false;  // no object was given (R63)
  Position position;
};

struct Node {
  std::string name;
  Labels labels;
  std::vector<std::string> addresses;  // InternalIP and ExternalIP (R55)
  std::vector<std::string> pod_cidrs;
  Position position;
};

struct Service {
  std::string ns;
  std::string name;
  std::vector<std::string> cluster_ips;  // "None" and "" are left out; external IPs are included
  Position position;
};

}  // namespace npf

#endif  // NPF_MODEL_H_
