// Which pod an address is, for people who read the output. The engine does not need it.
#ifndef NPF_TOOLS_NPF_ADDRESS_NAMES_H_
#define NPF_TOOLS_NPF_ADDRESS_NAMES_H_

#include <array>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "npf/address.h"
#include "npf/snapshot.h"

namespace npf::tools {

class AddressNames {
 public:
  AddressNames() = default;
  // Pods on the pod network that have not ended (R50, R52); of two with one address, R51's winner.
  explicit AddressNames(const Snapshot& snapshot);

  struct Owner {
    std::string pod;   // "namespace/pod"
    std::string node;  // that it runs on; may be empty
  };
  const Owner* Find(const IpAddress& address) const;  // null: no pod has it
  // "namespace/pod", or empty.
  std::string_view PodOf(const IpAddress& address) const;

 private:
  using Key = std::array<uint8_t, 17>;
  static Key KeyOf(const IpAddress& address);
  absl::flat_hash_map<Key, Owner> pods_;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_ADDRESS_NAMES_H_
