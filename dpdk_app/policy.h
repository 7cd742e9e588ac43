// What the appliance enforces: a compiled Program, and what is known of the objects it came from.
#ifndef NPF_DPDK_APP_POLICY_H_
#define NPF_DPDK_APP_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/address_names.h"
#include "npf/input.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf::appliance {

struct Policy {
  Program program;
  std::optional<Snapshot> snapshot;  // none of an image
  tools::AddressNames names;
  std::string source;  // for people: paths, an image's name, "request of uid 0"
  std::string hash;    // of the image, hexadecimal
  size_t pods = 0;
  size_t policies = 0;
  uint64_t compile_ns = 0;
  std::vector<std::string> warnings;
};
using PolicyPtr = std::shared_ptr<const Policy>;

// Of flags.paths and `text`. kInvalidArgument: the input is wrong, and the message has every error,
// a line each; also where it has no object at all, unless `allow_all` says that this is meant.
absl::StatusOr<PolicyPtr> ReadPolicy(const tools::InputFlags& flags, std::string_view text,
                                     bool allow_all);
absl::StatusOr<PolicyPtr> ReadPolicyImage(const std::string& path);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_POLICY_H_
