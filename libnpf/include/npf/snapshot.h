// A Snapshot is the validated, frozen, canonically ordered set of objects that a Program is
// compiled from. Equal sets of objects, added in any order, give equal Snapshots.
#ifndef NPF_SNAPSHOT_H_
#define NPF_SNAPSHOT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/address.h"
#include "npf/diagnostics.h"
#include "npf/model.h"

namespace npf {

namespace model {
class ObjectFaults;
}

struct SnapshotOptions {
  bool strict_cidr = false;  // host bits in a CIDR are an error, not a warning (R33)
  bool last_wins = false;  // of two objects with one name, the one added last (R64); else an error
  bool skip_invalid = false;  // leave out invalid policies with a warning (R79); else an error
  std::string default_namespace = "default";  // of objects that name none (R62)
  bool keep_positions = false;                // of every field of policies: NetworkPolicy::fields
  int64_t now_s = 0;  // Unix time; resolved names that expired by then are left out. 0: none is
  std::vector<IpPrefix> pod_cidrs;      // beside those that Nodes declare
  std::vector<IpPrefix> service_cidrs;  // beside the addresses of Services
  // Pods without an address, and workloads that stand for theirs, get one that the input does not
  // mention (model/assumed_addresses.h), so that policies are judged before anything runs. For
  // analyses; whoever judges packets leaves it off.
  bool assume_addresses = false;
  // Adds, in each namespace and in one more that no object is in, a pod without labels, whose
  // owner_kind is kNewPodKind: who could come tomorrow. With assume_addresses.
  bool new_pods = false;
};

// A name and one of its addresses; lower case, no trailing dot.
struct NameAddress {
  std::string name;
  IpAddress address;
  auto operator<=>(const NameAddress&) const = default;
};

// Immutable; cheap to copy; safe to share between threads.
class Snapshot {
 public:
  // Sorted by (namespace, name). Every namespace that an object is in is present, unless only an
  // Ingress is.
  const std::vector<Namespace>& namespaces() const { return data_->namespaces; }
  const std::vector<Pod>& pods() const { return data_->pods; }
  const std::vector<Node>& nodes() const { return data_->nodes; }
  const std::vector<Service>& services() const { return data_->services; }
  const std::vector<Ingress>& ingresses() const { return data_->ingresses; }
  const std::vector<NetworkPolicy>& policies() const { return data_->policies; }
  // In the order in which they are evaluated: tier, priority, name, kind (R80, R81, R83).
  const std::vector<ClusterPolicy>& cluster_policies() const { return data_->cluster_policies; }
  // Sorted, each once, not expired.
  const std::vector<NameAddress>& resolved_names() const { return data_->resolved_names; }
  const std::vector<IpPrefix>& pod_cidrs() const { return data_->pod_cidrs; }
  const std::vector<IpPrefix>& service_cidrs() const { return data_->service_cidrs; }
  // Names of input files; [0] is empty.
  const std::vector<std::string>& files() const { return data_->files; }

 private:
  friend class SnapshotBuilder;
  struct Data {
    std::vector<Namespace> namespaces;
    std::vector<Pod> pods;
    std::vector<Node> nodes;
    std::vector<Service> services;
    std::vector<Ingress> ingresses;
    std::vector<NetworkPolicy> policies;
    std::vector<ClusterPolicy> cluster_policies;
    std::vector<NameAddress> resolved_names;
    std::vector<IpPrefix> pod_cidrs;
    std::vector<IpPrefix> service_cidrs;
    std::vector<std::string> files{""};
  };
  explicit Snapshot(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// Where a field ("spec.ingress[0].ports[1]") of the object that is being added stands, for
// messages.
using FieldLocator = std::function<Position(std::string_view field)>;

// Gathers objects, validates them as the Kubernetes API server does, and freezes them.
// Not thread-safe.
class SnapshotBuilder {
 public:
  explicit SnapshotBuilder(SnapshotOptions options = {});
  uint32_t AddFile(std::string name);  // for Position::file

  void Add(Namespace object);
  void Add(Pod object);
  void Add(Node object);
  void Add(Service object);
  void Add(Ingress object);
  void Add(NetworkPolicy object);
  void Add(ClusterPolicy object);
  void Add(ResolvedName object);
  // Each reports what is wrong with the object alone to `diagnostics` at once, at the position of
  // the field; the ones above keep it for Build and know only the object's own position.
  void Add(Namespace object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(Pod object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(Node object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(Service object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(Ingress object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(NetworkPolicy object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(ClusterPolicy object, const FieldLocator& locate, Diagnostics& diagnostics);
  void Add(ResolvedName object, const FieldLocator& locate, Diagnostics& diagnostics);
  // A pod without addresses in place of the pods of a workload (`stand_in.owner_kind`). Build drops
  // it where a pod was given that the workload controls or that its selector matches, and where the
  // workload is itself controlled by another that was given.
  void AddStandIn(Pod stand_in, std::optional<LabelSelector> selector, const FieldLocator& locate,
                  Diagnostics& diagnostics);

  // Fails with kInvalidArgument where `diagnostics` got an error (all of them, in input order).
  // The builder is empty afterwards, but for the names of files, which messages need.
  absl::StatusOr<Snapshot> Build(Diagnostics& diagnostics);

  const SnapshotOptions& options() const { return options_; }
  const std::vector<std::string>& files() const { return data_.files; }

 private:
  struct StandIn {
    Pod pod;
    std::optional<LabelSelector> selector;
  };
  void AdmitStandIns();
  void OrderAndDeduplicate(Diagnostics& diagnostics);
  void OrderTiers(Diagnostics& diagnostics);
  bool IsLeftOut(model::ObjectFaults& faults) const;
  void CompleteNamespaces(Diagnostics& diagnostics);
  void AddNewPods();
  void AssumeAddresses();
  void WarnOfSharedAddresses(Diagnostics& diagnostics) const;
  void WarnOfUnknownPortNames(Diagnostics& diagnostics) const;
  void WarnOfUnresolvedNames(Diagnostics& diagnostics) const;

  SnapshotOptions options_;
  Snapshot::Data data_;
  std::vector<StandIn> stand_ins_;
  Diagnostics pending_;  // faults of objects that were added without a Diagnostics
};

}  // namespace npf

#endif  // NPF_SNAPSHOT_H_
