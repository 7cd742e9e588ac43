// Numbers the address classes: pods first, in canonical order, then everything else.
#ifndef NPF_RESOLVE_CLASS_BUILDER_H_
#define NPF_RESOLVE_CLASS_BUILDER_H_

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "resolve/atoms.h"
#include "resolve/inventory.h"
#include "resolve/port_space.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class ClassBuilder {
 public:
  ClassBuilder(AtomTable& atoms, PortSpace& ports, ResolvedPolicy& out)
      : atoms_(atoms), ports_(ports), out_(out) {}

  // Fills classes, endpoints, regions and pod_class_count. The forest is built.
  void Build(const Inventory& inventory);

 private:
  uint32_t PodClass(uint32_t atom_set, uint32_t block_set, uint32_t port_signature);
  uint32_t OtherClass(AddressKind kind, uint32_t block_set,
                      const std::vector<uint32_t>& node_atoms = {});
  void AddRegions();
  void AddRegionRepresentatives();

  AtomTable& atoms_;
  PortSpace& ports_;
  ResolvedPolicy& out_;
  // Atom set, block set, port signature.
  absl::flat_hash_map<std::tuple<uint32_t, uint32_t, uint32_t>, uint32_t> pod_classes_;
  // Kind, blocks, node selectors' atoms.
  std::map<std::tuple<AddressKind, uint32_t, std::vector<uint32_t>>, uint32_t> other_classes_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_CLASS_BUILDER_H_
