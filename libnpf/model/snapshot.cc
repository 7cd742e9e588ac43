#include "npf/snapshot.h"

#include <algorithm>
#include <compare>
#include <map>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/assumed_addresses.h"
#include "model/field_positions.h"
#include "model/names.h"
#include "model/pod_addresses.h"
#include "model/selector.h"
#include "model/validate.h"

namespace npf {

std::string_view Name(ClusterPolicyKind kind) {
  switch (kind) {
    case ClusterPolicyKind::kAdminNetworkPolicy:
      return "AdminNetworkPolicy";
    case ClusterPolicyKind::kBaselineAdminNetworkPolicy:
      return "BaselineAdminNetworkPolicy";
    default:
      return "ClusterNetworkPolicy";
  }
}

namespace {

using model::ObjectFaults;

constexpr char kNameLabel[] = "kubernetes.io/metadata.name";

std::string_view KindOf(const Namespace&) { return "Namespace"; }
std::string_view KindOf(const Node&) { return "Node"; }
std::string_view KindOf(const Service&) { return "Service"; }
std::string_view KindOf(const Ingress&) { return "Ingress"; }
std::string_view KindOf(const NetworkPolicy&) { return "NetworkPolicy"; }
std::string_view KindOf(const ClusterPolicy& policy) { return Name(policy.kind); }
std::string_view KindOf(const ResolvedName&) { return "name"; }
std::string_view KindOf(const Pod& pod) {
  return pod.owner_kind.empty() ? std::string_view("Pod") : std::string_view(pod.owner_kind);
}

template <class Object>
std::string_view NamespaceOf(const Object& object) {
  if constexpr (requires { object.ns; }) {
    return object.ns;
  } else {
    return {};
  }
}

// Objects with equal keys are one object given twice (R64).
template <class Object>
auto KeyOf(const Object& object) {
  return std::tuple(NamespaceOf(object), std::string_view(object.name), KindOf(object));
}

template <class Object>
std::string NameOf(const Object& object) {
  return model::ObjectName(KindOf(object), NamespaceOf(object), object.name);
}

template <class Object>
ObjectFaults FaultsOf(const Object& object, const FieldLocator& locate, bool tolerant,
                      Diagnostics& out) {
  return ObjectFaults({KindOf(object), NamespaceOf(object), object.name, object.position}, locate,
                      tolerant, out);
}

std::string Place(const Position& position, const std::vector<std::string>& files) {
  if (position.file == 0 || position.file >= files.size()) return "before";
  return absl::StrCat("at ", EscapeForMessage(files[position.file], kFileNameBytesMax), ":",
                      position.line);
}

// Canonical order; of objects with one key the last stays or the second is an error.
template <class Object>
void OrderOne(std::vector<Object>& objects, bool last_wins, const std::vector<std::string>& files,
              Diagnostics& diagnostics) {
  std::stable_sort(objects.begin(), objects.end(),
                   [](const Object& a, const Object& b) { return KeyOf(a) < KeyOf(b); });
  size_t kept = 0;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (kept > 0 && KeyOf(objects[kept - 1]) == KeyOf(objects[i])) {
      const std::string first = Place(objects[kept - 1].position, files);
      if (last_wins) {
        diagnostics.AddWarning(objects[i].position, NameOf(objects[i]), "metadata.name",
                               "replaces the object of this name given " + first);
        objects[kept - 1] = std::move(objects[i]);
      } else {
        diagnostics.AddError(
            objects[i].position, NameOf(objects[i]), "metadata.name", "Duplicate",
            "an object of this name was already given " + first + "; one of them, or --last-wins");
      }
      continue;
    }
    if (kept != i) objects[kept] = std::move(objects[i]);
    ++kept;
  }
  objects.resize(kept);
}

// "Job/backup-28123456" is controlled by CronJob backup, "ReplicaSet/web-5d4f" by Deployment web:
// the object in between has the workload's name and a suffix.
bool IsControlledThroughChild(std::string_view controller, const Pod& stand_in) {
  std::string_view kind;
  if (stand_in.owner_kind == "Deployment") kind = "ReplicaSet";
  if (stand_in.owner_kind == "CronJob") kind = "Job";
  const std::string prefix =
      absl::StrCat(absl::string_view(kind.data(), kind.size()), "/", stand_in.name, "-");
  return !kind.empty() && controller.size() > prefix.size() && controller.starts_with(prefix) &&
         controller.find('-', prefix.size()) == std::string_view::npos;
}

bool StandsForPod(const Pod& stand_in, const std::optional<LabelSelector>& selector,
                  const Pod& pod) {
  if (pod.controller == absl::StrCat(stand_in.owner_kind, "/", stand_in.name) ||
      IsControlledThroughChild(pod.controller, stand_in)) {
    return true;
  }
  if (selector.has_value()) return model::Matches(*selector, pod.labels);
  return false;
}

using NamedPorts = absl::flat_hash_set<std::pair<std::string, std::string>>;  // name, protocol

void WarnOfUnknownPorts(const ClusterPolicy& policy, const std::vector<ClusterRule>& rules,
                        const std::string& field, const absl::flat_hash_set<std::string>& known,
                        Diagnostics& diagnostics) {
  const bool v1alpha2 = policy.kind == ClusterPolicyKind::kClusterNetworkPolicy;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].ports) continue;
    for (size_t j = 0; j < rules[i].ports->size(); ++j) {
      const ClusterPort& port = (*rules[i].ports)[j];
      if (port.form != ClusterPort::Form::kNamed || known.contains(port.name)) continue;
      diagnostics.AddWarning(
          port.position, NameOf(policy),
          absl::StrCat(field, "[", i, v1alpha2 ? "].protocols[" : "].ports[", j, "]"),
          absl::StrCat("no pod has a port of the name \"", EscapeForMessage(port.name),
                       "\"; it matches nothing"));
    }
  }
}

void WarnOfUnknownPorts(const NetworkPolicy& policy, const std::vector<PolicyRule>& rules,
                        const std::string& field, const NamedPorts& known,
                        Diagnostics& diagnostics) {
  for (size_t i = 0; i < rules.size(); ++i) {
    for (size_t j = 0; j < rules[i].ports.size(); ++j) {
      const PolicyPort& port = rules[i].ports[j];
      const std::string* name = port.port ? std::get_if<std::string>(&*port.port) : nullptr;
      const std::string protocol = port.protocol.value_or("TCP");
      if (name == nullptr || known.contains({*name, protocol})) continue;
      diagnostics.AddWarning(
          port.position, NameOf(policy), absl::StrCat(field, "[", i, "].ports[", j, "].port"),
          absl::StrCat("no pod has a ", EscapeForMessage(protocol), " port of the name \"",
                       EscapeForMessage(*name), "\"; it matches nothing"));
    }
  }
}

// The names of the table, each from its end to its beginning: those below a domain are neighbours,
// so that a long table is not searched from end to end for every name that policies mention.
class NameIndex {
 public:
  explicit NameIndex(const std::vector<NameAddress>& table) {
    reversed_.reserve(table.size());
    for (const NameAddress& entry : table) {
      reversed_.emplace_back(entry.name.rbegin(), entry.name.rend());
    }
    std::sort(reversed_.begin(), reversed_.end());
  }

  // Whether one of them is what a canonical pattern covers, as model::DomainCovers has it.
  bool HasMatch(std::string_view pattern) const {
    const bool wildcard = pattern.starts_with("*.");
    if (wildcard) pattern.remove_prefix(1);
    const std::string key(pattern.rbegin(), pattern.rend());
    const auto found = std::lower_bound(reversed_.begin(), reversed_.end(), key);
    return found != reversed_.end() && (wildcard ? found->starts_with(key) : *found == key);
  }

 private:
  std::vector<std::string> reversed_;
};

// R87: npf does not resolve names.
void WarnOfUnresolved(const ClusterPolicy& policy, size_t rule, const NameIndex& index,
                      Diagnostics& diagnostics) {
  const std::vector<ClusterPeer>& peers = policy.egress[rule].peers;
  for (size_t i = 0; i < peers.size(); ++i) {
    if (!peers[i].domain_names) continue;
    for (size_t j = 0; j < peers[i].domain_names->size(); ++j) {
      const std::string pattern = model::CanonicalDomain((*peers[i].domain_names)[j]);
      if (index.HasMatch(pattern)) continue;
      diagnostics.AddWarning(
          peers[i].position, NameOf(policy),
          absl::StrCat("spec.egress[", rule, "].to[", i, "].domainNames[", j, "]"),
          absl::StrCat("no address of ", EscapeForMessage(pattern),
                       " is known; it matches nothing"));
    }
  }
}

void AppendPrefixes(const std::vector<std::string>& texts, std::vector<IpPrefix>& out) {
  for (const std::string& text : texts) {
    const ParsedPrefix parsed = ParseIpPrefix(text);
    if (parsed.fault == PrefixFault::kNone) out.push_back(parsed.prefix);
  }
}

void SortUnique(std::vector<IpPrefix>& prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(SnapshotOptions options) : options_(std::move(options)) {}

uint32_t SnapshotBuilder::AddFile(std::string name) {
  data_.files.push_back(std::move(name));
  return static_cast<uint32_t>(data_.files.size() - 1);
}

void SnapshotBuilder::Add(Namespace object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(Pod object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(Node object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(Service object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(Ingress object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(NetworkPolicy object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(ClusterPolicy object) { Add(std::move(object), {}, pending_); }
void SnapshotBuilder::Add(ResolvedName object) { Add(std::move(object), {}, pending_); }

void SnapshotBuilder::Add(Namespace object, const FieldLocator& locate, Diagnostics& diagnostics) {
  ObjectFaults faults = FaultsOf(object, locate, /*tolerant=*/false, diagnostics);
  model::ValidateNamespace(object, faults);
  object.labels.Set(kNameLabel, object.name);  // R12: the API server sets it and keeps it
  data_.namespaces.push_back(std::move(object));
}

void SnapshotBuilder::Add(Pod object, const FieldLocator& locate, Diagnostics& diagnostics) {
  if (object.ns.empty()) object.ns = options_.default_namespace;
  ObjectFaults faults = FaultsOf(object, locate, /*tolerant=*/false, diagnostics);
  model::ValidatePod(object, faults);
  std::erase_if(object.ips, [](const std::string& text) {
    const std::optional<IpAddress> address = ParseIpAddress(text);
    return address.has_value() && !model::IsEndpointAddress(*address);
  });
  data_.pods.push_back(std::move(object));
}

void SnapshotBuilder::Add(Node object, const FieldLocator& locate, Diagnostics& diagnostics) {
  ObjectFaults faults = FaultsOf(object, locate, /*tolerant=*/false, diagnostics);
  model::ValidateNode(object, faults);
  data_.nodes.push_back(std::move(object));
}

void SnapshotBuilder::Add(Service object, const FieldLocator& locate, Diagnostics& diagnostics) {
  if (object.ns.empty()) object.ns = options_.default_namespace;
  ObjectFaults faults = FaultsOf(object, locate, /*tolerant=*/false, diagnostics);
  model::ValidateService(object, faults);
  ObjectFaults tolerated = FaultsOf(object, locate, /*tolerant=*/true, diagnostics);
  model::ValidateServiceEntry(object, tolerated);
  data_.services.push_back(std::move(object));
}

void SnapshotBuilder::Add(Ingress object, const FieldLocator& locate, Diagnostics& diagnostics) {
  if (object.ns.empty()) object.ns = options_.default_namespace;
  ObjectFaults faults = FaultsOf(object, locate, /*tolerant=*/true, diagnostics);
  model::ValidateIngress(object, faults);
  data_.ingresses.push_back(std::move(object));
}

void SnapshotBuilder::Add(NetworkPolicy object, const FieldLocator& locate,
                          Diagnostics& diagnostics) {
  if (object.ns.empty()) object.ns = options_.default_namespace;
  ObjectFaults faults = FaultsOf(object, locate, options_.skip_invalid, diagnostics);
  model::ValidateNetworkPolicy(object, options_.strict_cidr, faults);
  if (options_.keep_positions && locate) object.fields = model::LocateFields(object, locate);
  if (!IsLeftOut(faults)) data_.policies.push_back(std::move(object));
}

void SnapshotBuilder::Add(ClusterPolicy object, const FieldLocator& locate,
                          Diagnostics& diagnostics) {
  ObjectFaults faults = FaultsOf(object, locate, options_.skip_invalid, diagnostics);
  model::ValidateClusterPolicy(object, options_.strict_cidr, faults);
  if (options_.keep_positions && locate) object.fields = model::LocateFields(object, locate);
  if (!IsLeftOut(faults)) data_.cluster_policies.push_back(std::move(object));
}

// R79.
bool SnapshotBuilder::IsLeftOut(ObjectFaults& faults) const {
  if (faults.error_count() == 0 || !options_.skip_invalid) return false;
  faults.Warning("", "the policy is invalid and was left out; nothing of it is enforced");
  return true;
}

void SnapshotBuilder::Add(ResolvedName object, const FieldLocator& locate,
                          Diagnostics& diagnostics) {
  ObjectFaults faults = FaultsOf(object, locate, /*tolerant=*/false, diagnostics);
  model::ValidateResolvedName(object, faults);
  if (faults.error_count() > 0) return;
  if (object.expires_s != 0 && options_.now_s != 0 && object.expires_s <= options_.now_s) {
    faults.Warning("expires", ToString(*ParseIpAddress(object.address)) +
                                  " is no longer the address of the name; it is not used");
    return;
  }
  data_.resolved_names.push_back(
      {model::CanonicalDomain(object.name), *ParseIpAddress(object.address)});
}

void SnapshotBuilder::AddStandIn(Pod stand_in, std::optional<LabelSelector> selector,
                                 const FieldLocator& locate, Diagnostics& diagnostics) {
  if (stand_in.ns.empty()) stand_in.ns = options_.default_namespace;
  ObjectFaults faults = FaultsOf(stand_in, locate, /*tolerant=*/false, diagnostics);
  model::ValidatePod(stand_in, faults);
  stand_ins_.push_back({std::move(stand_in), std::move(selector)});
}

// A workload stands for its pods only where the input has none of them.
void SnapshotBuilder::AdmitStandIns() {
  if (stand_ins_.empty()) return;
  absl::flat_hash_map<std::string, std::vector<const Pod*>> pods;
  for (const Pod& pod : data_.pods) pods[pod.ns].push_back(&pod);
  absl::flat_hash_set<std::string> workloads;
  for (const StandIn& entry : stand_ins_) {
    workloads.insert(absl::StrCat(entry.pod.ns, "/", entry.pod.owner_kind, "/", entry.pod.name));
  }
  std::vector<Pod> admitted;
  for (StandIn& entry : stand_ins_) {
    const bool is_child = !entry.pod.controller.empty() &&
                          workloads.contains(absl::StrCat(entry.pod.ns, "/", entry.pod.controller));
    const auto in_namespace = pods.find(entry.pod.ns);
    const bool has_pods =
        in_namespace != pods.end() &&
        std::any_of(in_namespace->second.begin(), in_namespace->second.end(),
                    [&](const Pod* pod) { return StandsForPod(entry.pod, entry.selector, *pod); });
    if (!is_child && !has_pods) admitted.push_back(std::move(entry.pod));
  }
  stand_ins_.clear();
  std::move(admitted.begin(), admitted.end(), std::back_inserter(data_.pods));
}

void SnapshotBuilder::OrderAndDeduplicate(Diagnostics& diagnostics) {
  OrderOne(data_.namespaces, options_.last_wins, data_.files, diagnostics);
  OrderOne(data_.nodes, options_.last_wins, data_.files, diagnostics);
  OrderOne(data_.services, options_.last_wins, data_.files, diagnostics);
  OrderOne(data_.ingresses, /*last_wins=*/true, data_.files, diagnostics);
  OrderOne(data_.pods, options_.last_wins, data_.files, diagnostics);
  OrderOne(data_.policies, options_.last_wins, data_.files, diagnostics);
  OrderOne(data_.cluster_policies, options_.last_wins, data_.files, diagnostics);
  OrderTiers(diagnostics);
  auto& names = data_.resolved_names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

// R80, R81; R83 settles what is left.
void SnapshotBuilder::OrderTiers(Diagnostics& diagnostics) {
  auto& policies = data_.cluster_policies;
  const auto place = [](const ClusterPolicy& policy) {
    return std::pair(policy.tier == "Baseline", policy.priority.value_or(0));
  };
  std::sort(policies.begin(), policies.end(), [&](const ClusterPolicy& a, const ClusterPolicy& b) {
    return std::tuple(place(a), std::string_view(a.name), a.kind) <
           std::tuple(place(b), std::string_view(b.name), b.kind);
  });
  for (size_t i = 1; i < policies.size(); ++i) {
    if (place(policies[i - 1]) != place(policies[i])) continue;
    const char* by = policies[i - 1].name == policies[i].name ? "kind" : "name";
    diagnostics.AddWarning(
        policies[i].position, NameOf(policies[i]), "spec.priority",
        "is also that of " + NameOf(policies[i - 1]) + ", which is evaluated first by its " + by);
  }
}

// R63: a namespace that an object is in, but that was not given, exists with its name label only.
void SnapshotBuilder::CompleteNamespaces(Diagnostics& diagnostics) {
  std::map<std::string, const Position*> missing;  // the first object's place, in canonical order
  const auto note = [&](const auto& objects) {
    for (const auto& object : objects) missing.emplace(object.ns, &object.position);
  };
  note(data_.policies);
  note(data_.pods);
  note(data_.services);
  for (const Namespace& given : data_.namespaces) missing.erase(given.name);
  for (const auto& [name, position] : missing) {
    diagnostics.AddWarning(
        *position, model::ObjectName("Namespace", "", name), "",
        "was not given; it is taken to exist with no label but " + std::string(kNameLabel));
    Namespace made;
    made.name = name;
    made.labels.Set(kNameLabel, name);
    made.synthesised = true;
    data_.namespaces.push_back(std::move(made));
  }
  std::sort(data_.namespaces.begin(), data_.namespaces.end(),
            [](const Namespace& a, const Namespace& b) { return a.name < b.name; });
}

void SnapshotBuilder::AddNewPods() {
  if (!options_.new_pods) return;
  Namespace made;
  made.synthesised = true;
  made.is_new = true;
  made.name = "new-namespace";
  const auto is_taken = [&](const Namespace& ns) { return ns.name == made.name; };
  auto& namespaces = data_.namespaces;
  while (std::any_of(namespaces.begin(), namespaces.end(), is_taken)) made.name += "-x";
  made.labels.Set(kNameLabel, made.name);
  namespaces.push_back(std::move(made));
  std::sort(namespaces.begin(), namespaces.end(),
            [](const Namespace& a, const Namespace& b) { return a.name < b.name; });
  for (const Namespace& ns : namespaces) {
    Pod pod;
    pod.ns = ns.name;
    pod.name = "new-pod";
    pod.owner_kind = kNewPodKind;
    data_.pods.push_back(std::move(pod));
  }
  std::sort(data_.pods.begin(), data_.pods.end(),
            [](const Pod& a, const Pod& b) { return KeyOf(a) < KeyOf(b); });
}

void SnapshotBuilder::AssumeAddresses() {
  if (!options_.assume_addresses) return;
  model::AddressAssumer assumer;
  for (const IpPrefix& range : options_.pod_cidrs) assumer.AddPodRange(range);
  for (const Node& node : data_.nodes) {
    for (const std::string& range : node.pod_cidrs) assumer.AddPodRange(range);
    for (const std::string& address : node.addresses) assumer.AddTaken(address);
  }
  for (const IpPrefix& range : options_.service_cidrs) assumer.AddTaken(range);
  for (const Service& service : data_.services) {
    for (const std::string& address : service.cluster_ips) assumer.AddTaken(address);
  }
  for (const NameAddress& known : data_.resolved_names) {
    assumer.AddTaken({known.address, static_cast<uint8_t>(known.address.bit_count())});
  }
  for (const NetworkPolicy& policy : data_.policies) assumer.AddRules(policy);
  for (const ClusterPolicy& policy : data_.cluster_policies) assumer.AddRules(policy);
  assumer.Assign(data_.pods);
}

// R51: the verdict goes by one of them; resolve and the reference evaluator know which. A pod has
// an address before a node has it.
void SnapshotBuilder::WarnOfSharedAddresses(Diagnostics& diagnostics) const {
  const std::vector<model::AddressHolder> holders = model::HoldersOf(data_.pods);
  for (const auto& [address, pod, other] : model::SharedAmong(holders)) {
    diagnostics.AddWarning(pod->position, NameOf(*pod), "status.podIPs",
                           ToString(address) + " is also the address of " + NameOf(*other) +
                               "; it is judged as one of them: not terminating before "
                               "terminating, then the newest, then by name");
  }
  for (const Node& node : data_.nodes) {
    for (const std::string& text : node.addresses) {
      const auto address = ParseIpAddress(text);
      if (!address) continue;
      const auto holder = std::lower_bound(
          holders.begin(), holders.end(), *address,
          [](const auto& entry, const IpAddress& wanted) { return entry.address < wanted; });
      if (holder == holders.end() || holder->address != *address) continue;
      diagnostics.AddWarning(holder->pod->position, NameOf(*holder->pod), "status.podIPs",
                             absl::StrCat(text, " is also the address of node ", node.name,
                                          "; it is judged as the pod's"));
    }
  }
}

// R28. Without any pods, policies are looked at by themselves.
void SnapshotBuilder::WarnOfUnknownPortNames(Diagnostics& diagnostics) const {
  if (data_.pods.empty()) return;
  NamedPorts known;
  for (const Pod& pod : data_.pods) {
    for (const ContainerPort& port : pod.ports) known.emplace(port.name, port.protocol);
  }
  for (const NetworkPolicy& policy : data_.policies) {
    WarnOfUnknownPorts(policy, policy.ingress, "spec.ingress", known, diagnostics);
    WarnOfUnknownPorts(policy, policy.egress, "spec.egress", known, diagnostics);
  }
  absl::flat_hash_set<std::string> names;
  for (const auto& [name, protocol] : known) names.insert(name);
  for (const ClusterPolicy& policy : data_.cluster_policies) {
    WarnOfUnknownPorts(policy, policy.ingress, "spec.ingress", names, diagnostics);
    WarnOfUnknownPorts(policy, policy.egress, "spec.egress", names, diagnostics);
  }
}

void SnapshotBuilder::WarnOfUnresolvedNames(Diagnostics& diagnostics) const {
  if (data_.cluster_policies.empty()) return;
  const NameIndex index(data_.resolved_names);
  for (const ClusterPolicy& policy : data_.cluster_policies) {
    for (size_t i = 0; i < policy.egress.size(); ++i) {
      WarnOfUnresolved(policy, i, index, diagnostics);
    }
  }
}

absl::StatusOr<Snapshot> SnapshotBuilder::Build(Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : pending_.all()) diagnostics.Add(diagnostic);
  AdmitStandIns();
  OrderAndDeduplicate(diagnostics);
  CompleteNamespaces(diagnostics);
  AddNewPods();
  AssumeAddresses();
  WarnOfSharedAddresses(diagnostics);
  WarnOfUnknownPortNames(diagnostics);
  WarnOfUnresolvedNames(diagnostics);
  data_.pod_cidrs = options_.pod_cidrs;
  for (const Node& node : data_.nodes) AppendPrefixes(node.pod_cidrs, data_.pod_cidrs);
  data_.service_cidrs = options_.service_cidrs;
  SortUnique(data_.pod_cidrs);
  SortUnique(data_.service_cidrs);

  auto frozen = std::make_shared<const Snapshot::Data>(std::exchange(data_, Snapshot::Data()));
  data_.files = frozen->files;
  stand_ins_.clear();
  pending_ = Diagnostics();
  if (!diagnostics.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the input has ", diagnostics.error_count(), " errors"));
  }
  return Snapshot(std::move(frozen));
}

}  // namespace npf
