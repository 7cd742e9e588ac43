#include "model/pod_addresses.h"

#include <algorithm>
#include <optional>
#include <string>

namespace npf::model {

std::vector<IpAddress> AddressesOf(const Pod& pod) {
  std::vector<IpAddress> addresses;
  if (!HasPodAddresses(pod)) return addresses;
  for (const std::string& text : pod.ips) {
    if (const std::optional<IpAddress> address = ParseIpAddress(text)) {
      addresses.push_back(*address);
    }
  }
  return addresses;
}

std::vector<AddressHolder> HoldersOf(std::span<const Pod> pods) {
  std::vector<AddressHolder> holders;
  for (const Pod& pod : pods) {
    for (const IpAddress& address : AddressesOf(pod)) holders.push_back({address, &pod});
  }
  std::stable_sort(holders.begin(), holders.end(),
                   [](const auto& a, const auto& b) { return a.address < b.address; });
  return holders;
}

std::vector<SharedAddress> SharedAmong(std::span<const AddressHolder> holders) {
  std::vector<SharedAddress> shared;
  for (size_t i = 1; i < holders.size(); ++i) {
    const auto& [address, pod] = holders[i];
    const AddressHolder& before = holders[i - 1];
    if (before.address == address && before.pod != pod) {
      shared.push_back({address, pod, before.pod});
    }
  }
  return shared;
}

}  // namespace npf::model
