// The configuration file: the same names as the flags of the command line, without the dashes.
#ifndef NPF_DPDK_APP_OBSERVE_SETTINGS_H_
#define NPF_DPDK_APP_OBSERVE_SETTINGS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace npf::observe {

struct SettingArgument {
  std::string flag;   // "--name"
  std::string value;  // "true" and "false" for those that have none on the command line
  std::string where;  // "FILE:LINE", for messages about the value
};

// In the order of the file; of a list, one for each item. `known` are names without dashes; any
// other is an error that says which of them is the closest. All errors, a line each.
absl::StatusOr<std::vector<SettingArgument>> ReadSettings(const std::string& path,
                                                          std::span<const std::string> known);

// The one that `name` was probably meant to be; empty where none is near.
std::string_view ClosestName(std::string_view name, std::span<const std::string> known);

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_SETTINGS_H_
