#include "resolve/inventory.h"

#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace npf::resolve {
namespace {

struct AddressHash {
  size_t operator()(const IpAddress& address) const {
    uint64_t halves[2];
    std::memcpy(halves, address.bytes.data(), sizeof halves);
    return absl::HashOf(halves[0], halves[1], address.family);
  }
};

bool IsFinished(const Pod& pod) {
  return pod.phase == PodPhase::kSucceeded || pod.phase == PodPhase::kFailed;
}

// Whether `a` has the address rather than `b`; Snapshot order settles what is left.
bool Wins(const Pod& a, const Pod& b) {
  if (a.terminating != b.terminating) return !a.terminating;
  return a.creation_timestamp > b.creation_timestamp;
}

class Taker {
 public:
  Taker(const Snapshot& snapshot, Diagnostics& diagnostics)
      : snapshot_(snapshot), diagnostics_(diagnostics) {}

  Inventory Take() {
    holder_.reserve(snapshot_.pods().size());
    inventory_.pods.reserve(snapshot_.pods().size());
    for (const Pod& pod : snapshot_.pods()) {
      if (IsFinished(pod) || pod.host_network) continue;
      for (const std::string& text : pod.ips) TakePodAddress(pod, text);
    }
    for (const Node& node : snapshot_.nodes()) {
      for (const std::string& text : node.addresses) TakeNodeAddress(node.name, &node, text);
    }
    for (const Pod& pod : snapshot_.pods()) {
      if (IsFinished(pod) || !pod.host_network) continue;
      for (const std::string& text : pod.ips) TakeNodeAddress(pod.node_name, nullptr, text);
    }
    return std::move(inventory_);
  }

 private:
  void TakePodAddress(const Pod& pod, const std::string& text) {
    const std::optional<IpAddress> address = ParseIpAddress(text);
    if (!address) return;
    const auto [found, inserted] = holder_.try_emplace(*address, inventory_.pods.size());
    if (inserted) {
      inventory_.pods.push_back({*address, &pod});
      return;
    }
    PodAddress& holder = inventory_.pods[found->second];
    if (holder.pod == &pod) return;
    const Pod& loser = Wins(pod, *holder.pod) ? *std::exchange(holder.pod, &pod) : pod;
    diagnostics_.AddWarning(
        loser.position, absl::StrCat("Pod ", ObjectName(loser)), "status.podIPs",
        absl::StrCat("address ", text, " is also that of pod ", ObjectName(*holder.pod),
                     ", which has it: not terminating, then newest, then first by name"));
  }

  void TakeNodeAddress(std::string_view node, const Node* object, const std::string& text) {
    const std::optional<IpAddress> address = ParseIpAddress(text);
    if (!address) return;
    if (const auto pod = holder_.find(*address); pod != holder_.end()) {
      const Pod& holder = *inventory_.pods[pod->second].pod;
      diagnostics_.AddWarning(holder.position, absl::StrCat("Pod ", ObjectName(holder)),
                              "status.podIPs",
                              absl::StrCat("address ", text, " is also that of node ",
                                           std::string(node), "; it is judged as the pod's"));
      return;
    }
    if (node_addresses_.insert(*address).second) {
      inventory_.nodes.push_back({*address, node, object});
    }
  }

  const Snapshot& snapshot_;
  Diagnostics& diagnostics_;
  Inventory inventory_;
  absl::flat_hash_map<IpAddress, size_t, AddressHash> holder_;
  absl::flat_hash_set<IpAddress, AddressHash> node_addresses_;
};

}  // namespace

std::string ObjectName(const Pod& pod) { return absl::StrCat(pod.ns, "/", pod.name); }

Inventory TakeInventory(const Snapshot& snapshot, Diagnostics& diagnostics) {
  Inventory inventory = Taker(snapshot, diagnostics).Take();
  // A later winner of a shared address stands where the first claimant stood; restore pod order.
  std::stable_sort(inventory.pods.begin(), inventory.pods.end(),
                   [](const PodAddress& a, const PodAddress& b) { return a.pod < b.pod; });
  return inventory;
}

}  // namespace npf::resolve
