// What the arguments for DPDK ask for that is not there: its own messages say little of it, or come
// far from the cause.
#ifndef NPF_DPDK_APP_EAL_ARGUMENTS_H_
#define NPF_DPDK_APP_EAL_ARGUMENTS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npf::appliance {

using EalArguments = std::span<const std::string>;

bool HasFlag(EalArguments eal, std::string_view flag);
// The values of a flag, as `--flag VALUE` or `--flag=VALUE`.
std::vector<std::string> ValuesOf(EalArguments eal, std::string_view flag);

// A virtual device over an interface of the kernel.
struct OverInterface {
  std::string device;        // "net_af_packet0"
  std::string interface;     // "eth1"
  uint32_t frame_bytes = 0;  // room for a frame in its rings; 0: its driver has none of that kind
};
std::vector<OverInterface> DevicesOverInterfaces(EalArguments eal);

// Interfaces of the kernel that virtual devices are to be made over, and that are not there: a
// sentence each.
std::vector<std::string> MissingInterfaces(EalArguments eal);

std::string FilePrefixOf(EalArguments eal);
// The process that runs under this --file-prefix; none where nobody does, or it keeps no files.
std::optional<pid_t> HolderOfPrefix(EalArguments eal);

// Why rte_eal_init() failed with `error`, of which it does not always tell anything.
std::string WhyNoStart(EalArguments eal, int error);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_EAL_ARGUMENTS_H_
