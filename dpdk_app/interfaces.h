// What the kernel says of its interfaces: how long their frames are, and what it would do to them.
#ifndef NPF_DPDK_APP_INTERFACES_H_
#define NPF_DPDK_APP_INTERFACES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace npf::appliance {

// None where there is no such interface.
std::optional<uint32_t> MtuOf(const std::string& interface);
// Features that are on and make frames longer than those of the wire, by their names for
// `ethtool -K`: "gro", "lro".
std::vector<std::string> JoiningFeaturesOf(const std::string& interface);
bool IsVeth(const std::string& interface);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_INTERFACES_H_
