// By which port the addresses of a policy's pods and nodes may come in.
#ifndef NPF_DPDK_APP_BINDINGS_H_
#define NPF_DPDK_APP_BINDINGS_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "npf/snapshot.h"
#include "npf/sources.h"
#include "options.h"
#include "ports.h"

namespace npf::appliance {

// Null where nothing is said of what is behind a port.
absl::StatusOr<std::unique_ptr<const SourceBindings>> BindSources(const Options& options,
                                                                  std::span<const Port> ports,
                                                                  const Snapshot& snapshot);

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_BINDINGS_H_
