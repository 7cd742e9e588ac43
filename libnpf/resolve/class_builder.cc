#include "resolve/class_builder.h"

#include <algorithm>
#include <utility>

namespace npf::resolve {
namespace {

void AddRepresentative(AddressClass& address_class, const IpAddress& address) {
  auto& known = address_class.representatives[address.family == Family::kIpv4 ? 0 : 1];
  if (known.size() < 2) known.push_back(address);
}

}  // namespace

uint32_t ClassBuilder::PodClass(uint32_t atom_set, uint32_t block_set, uint32_t port_signature) {
  const auto [found, inserted] = pod_classes_.try_emplace(
      std::tuple(atom_set, block_set, port_signature), static_cast<uint32_t>(out_.classes.size()));
  if (!inserted) return found->second;
  AddressClass made{.kind = AddressKind::kPod, .port_signature = port_signature};
  const auto& selected = atoms_.atom_sets()[atom_set];
  const auto& blocks = atoms_.forest().block_sets()[block_set];
  std::merge(selected.begin(), selected.end(), blocks.begin(), blocks.end(),
             std::back_inserter(made.atoms));
  out_.classes.push_back(std::move(made));
  return found->second;
}

uint32_t ClassBuilder::OtherClass(AddressKind kind, uint32_t block_set,
                                  const std::vector<uint32_t>& node_atoms) {
  const auto [found, inserted] = other_classes_.try_emplace(
      {kind, block_set, node_atoms}, static_cast<uint32_t>(out_.classes.size()));
  if (!inserted) return found->second;
  AddressClass made{.kind = kind};
  const auto& blocks = atoms_.forest().block_sets()[block_set];
  std::merge(node_atoms.begin(), node_atoms.end(), blocks.begin(), blocks.end(),
             std::back_inserter(made.atoms));
  out_.classes.push_back(std::move(made));
  return found->second;
}

void ClassBuilder::Build(const Inventory& inventory) {
  std::vector<Endpoint> endpoints;  // in the order of the inventory
  endpoints.reserve(inventory.by_address.size());
  const auto add = [&](const Endpoint& endpoint) {
    AddRepresentative(out_.classes[endpoint.address_class], endpoint.address);
    endpoints.push_back(endpoint);
  };
  const PrefixForest& forest = atoms_.forest();
  for (const PodAddress& held : inventory.pods) {
    const AtomTable::PodIdentity identity = atoms_.Identify(*held.pod);
    const uint32_t address_class = PodClass(identity.atom_set, forest.Find(held.address).block_set,
                                            ports_.InternSignature(*held.pod));
    add({.address = held.address,
         .kind = AddressKind::kPod,
         .address_class = address_class,
         .pod = held.pod,
         .node = held.pod->node_name,
         .label_text = identity.labels});
  }
  out_.pod_class_count = static_cast<uint32_t>(out_.classes.size());
  for (const NodeAddress& held : inventory.nodes) {
    std::vector<uint32_t> node_atoms;
    if (held.object != nullptr) node_atoms = atoms_.NodeAtomsOf(*held.object);
    const uint32_t block_set = forest.Find(held.address).block_set;
    add({.address = held.address,
         .kind = AddressKind::kNode,
         .address_class = OtherClass(AddressKind::kNode, block_set, node_atoms),
         .node = held.node});
  }
  out_.endpoints.reserve(endpoints.size());
  for (const uint32_t index : inventory.by_address) out_.endpoints.push_back(endpoints[index]);
  AddRegions();
  AddRegionRepresentatives();
}

// A region that is judged as its parent needs no entry of its own.
void ClassBuilder::AddRegions() {
  const auto& regions = atoms_.forest().regions();
  for (const PrefixForest::RegionInfo& region : regions) {
    const bool as_parent = region.parent != kNone && regions[region.parent].kind == region.kind &&
                           regions[region.parent].block_set == region.block_set;
    if (!as_parent)
      out_.regions.push_back({region.prefix, OtherClass(region.kind, region.block_set)});
  }
}

// The first addresses of each interval that are no endpoint's. An interval whose addresses are all
// endpoints' represents nothing.
void ClassBuilder::AddRegionRepresentatives() {
  const auto is_endpoint = [&](const IpAddress& address) {
    const auto found = std::lower_bound(out_.endpoints.begin(), out_.endpoints.end(), address,
                                        [](const Endpoint& endpoint, const IpAddress& wanted) {
                                          return endpoint.address < wanted;
                                        });
    return found != out_.endpoints.end() && found->address == address;
  };
  for (const PrefixForest::Interval& interval : atoms_.forest().intervals()) {
    const PrefixForest::RegionInfo& region = atoms_.forest().regions()[interval.region];
    AddressClass& address_class = out_.classes[OtherClass(region.kind, region.block_set)];
    const size_t family = interval.first.family == Family::kIpv4 ? 0 : 1;
    IpAddress address = interval.first;
    while (address_class.representatives[family].size() < 2) {
      if (!is_endpoint(address)) AddRepresentative(address_class, address);
      if (address == interval.last) break;
      address = NextAddress(address);
    }
  }
}

}  // namespace npf::resolve
