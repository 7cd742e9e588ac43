#include "npf/address_names.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "model/pod_addresses.h"

namespace npf::tools {
namespace {

// Whether `pod` has the address rather than `other` (R51).
bool Wins(const Pod& pod, const Pod& other) {
  if (pod.terminating != other.terminating) return other.terminating;
  if (pod.creation_timestamp != other.creation_timestamp) {
    return pod.creation_timestamp > other.creation_timestamp;
  }
  return std::tie(pod.ns, pod.name) < std::tie(other.ns, other.name);
}

}  // namespace

AddressNames::AddressNames(const Snapshot& snapshot) {
  absl::flat_hash_map<Key, const Pod*> owners;
  for (const Pod& pod : snapshot.pods()) {
    for (const IpAddress& address : model::AddressesOf(pod)) {
      const Pod*& owner = owners[KeyOf(address)];
      if (owner == nullptr || Wins(pod, *owner)) owner = &pod;
    }
  }
  for (const auto& [key, pod] : owners) {
    pods_.emplace(key, Owner{pod->ns + "/" + pod->name, pod->node_name});
  }
}

AddressNames::Key AddressNames::KeyOf(const IpAddress& address) {
  Key key;
  std::copy(address.bytes.begin(), address.bytes.end(), key.begin());
  key[16] = static_cast<uint8_t>(address.family);
  return key;
}

const AddressNames::Owner* AddressNames::Find(const IpAddress& address) const {
  const auto found = pods_.find(KeyOf(address));
  return found == pods_.end() ? nullptr : &found->second;
}

std::string_view AddressNames::PodOf(const IpAddress& address) const {
  const Owner* const owner = Find(address);
  return owner == nullptr ? std::string_view() : std::string_view(owner->pod);
}

}  // namespace npf::tools
