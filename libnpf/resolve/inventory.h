// Which addresses belong to which live pod or node (R49 to R55).
#ifndef NPF_RESOLVE_INVENTORY_H_
#define NPF_RESOLVE_INVENTORY_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "npf/address.h"
#include "npf/snapshot.h"

namespace npf::resolve {

struct PodAddress {
  IpAddress address;
  const Pod* pod = nullptr;
};
struct NodeAddress {
  IpAddress address;
  std::string_view node;         // of the Snapshot, as the objects are
  const Node* object = nullptr;  // nullptr where only a host-network pod has it
};

struct Inventory {
  std::vector<PodAddress> pods;    // in Snapshot order of pods; each address once
  std::vector<NodeAddress> nodes;  // each address once, none that a pod has
  // All of them in the order of their addresses: an index of pods, or of nodes plus pods.size().
  std::vector<uint32_t> by_address;
};

// R50: finished pods have no address. R52: a host-network pod's address is its node's. R51: of two
// live pods with one address the one that is not terminating, then the newest, then the first by
// name has it; SnapshotBuilder warns of it.
Inventory TakeInventory(const Snapshot& snapshot);

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_INVENTORY_H_
