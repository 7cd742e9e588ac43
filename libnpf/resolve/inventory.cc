#include "resolve/inventory.h"

#include <algorithm>
#include <array>
#include <utility>

namespace npf::resolve {
namespace {

// Whether `a` has the address rather than `b`; Snapshot order settles what is left.
bool Wins(const Pod& a, const Pod& b) {
  if (a.terminating != b.terminating) return !a.terminating;
  return a.creation_timestamp > b.creation_timestamp;
}

// An address that compares as numbers, and who claims it.
struct AddressKey {
  Family family;
  std::array<uint64_t, 2> value;
  uint32_t claim;  // index of a pod's claim, or of a node's plus the number of pods' claims
  auto operator<=>(const AddressKey&) const = default;

  bool SameAddress(const AddressKey& other) const {
    return family == other.family && value == other.value;
  }
};

AddressKey KeyOf(const IpAddress& address, size_t claim) {
  return {address.family, address.halves(), static_cast<uint32_t>(claim)};
}

// Collects every claim in the order of the Snapshot, sorts them by address, and settles those that
// stand side by side.
class Taker {
 public:
  explicit Taker(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Inventory Take() {
    Claim();
    Sort();
    Settle();
    if (kept_ != keys_.size()) DropLosers();
    inventory_.by_address.reserve(keys_.size());
    for (const AddressKey& key : keys_) inventory_.by_address.push_back(key.claim);
    return std::move(inventory_);
  }

 private:
  void Claim() {
    inventory_.pods.reserve(snapshot_.pods().size());
    std::vector<const Pod*> on_host_network;
    for (const Pod& pod : snapshot_.pods()) {
      if (HasEnded(pod)) continue;
      if (pod.host_network) {
        on_host_network.push_back(&pod);
        continue;
      }
      for (const std::string& text : pod.ips) {
        const std::optional<IpAddress> address = ParseIpAddress(text);
        if (address) inventory_.pods.push_back({*address, &pod});
      }
    }
    for (const Node& node : snapshot_.nodes()) {
      for (const std::string& text : node.addresses) ClaimForNode(node.name, &node, text);
    }
    for (const Pod* pod : on_host_network) {
      for (const std::string& text : pod->ips) ClaimForNode(pod->node_name, nullptr, text);
    }
  }

  void ClaimForNode(std::string_view node, const Node* object, const std::string& text) {
    const std::optional<IpAddress> address = ParseIpAddress(text);
    if (address) inventory_.nodes.push_back({*address, node, object});
  }

  void Sort() {
    keys_.reserve(inventory_.pods.size() + inventory_.nodes.size());
    for (const PodAddress& pod : inventory_.pods) keys_.push_back(KeyOf(pod.address, keys_.size()));
    for (const NodeAddress& node : inventory_.nodes)
      keys_.push_back(KeyOf(node.address, keys_.size()));
    std::sort(keys_.begin(), keys_.end());
  }

  // Moves the one claim of each address that holds to the front of keys_.
  void Settle() {
    for (auto first = keys_.begin(); first != keys_.end();) {
      const auto end = std::find_if(
          first + 1, keys_.end(), [&](const AddressKey& key) { return !key.SameAddress(*first); });
      keys_[kept_++] = end - first == 1 ? *first : Holder(first, end);
      first = end;
    }
  }

  // Pods' claims come before nodes'. A node's claim to what another node has is the same claim.
  AddressKey Holder(std::vector<AddressKey>::iterator first,
                    std::vector<AddressKey>::iterator end) {
    const size_t pods = inventory_.pods.size();
    if (first->claim >= pods) return *first;
    const auto nodes = std::find_if(first, end, [&](auto& key) { return key.claim >= pods; });
    return *std::min_element(first, nodes, [&](auto& a, auto& b) {
      return Wins(*inventory_.pods[a.claim].pod, *inventory_.pods[b.claim].pod);
    });
  }

  // Leaves the claims that hold, in the order of the Snapshot, and numbers keys_ by what is left.
  void DropLosers() {
    keys_.resize(kept_);
    const size_t pods = inventory_.pods.size();
    std::vector<uint32_t> number(pods + inventory_.nodes.size(), 0);
    for (const AddressKey& key : keys_) number[key.claim] = 1;
    Inventory left;
    for (size_t claim = 0; claim < number.size(); ++claim) {
      if (number[claim] == 0) continue;
      number[claim] = static_cast<uint32_t>(left.pods.size() + left.nodes.size());
      if (claim < pods) {
        left.pods.push_back(inventory_.pods[claim]);
      } else {
        left.nodes.push_back(inventory_.nodes[claim - pods]);
      }
    }
    for (AddressKey& key : keys_) key.claim = number[key.claim];
    inventory_ = std::move(left);
  }

  const Snapshot& snapshot_;
  Inventory inventory_;
  std::vector<AddressKey> keys_;
  size_t kept_ = 0;
};

}  // namespace

Inventory TakeInventory(const Snapshot& snapshot) { return Taker(snapshot).Take(); }

}  // namespace npf::resolve
