// The appliance among DPDK's own telemetry: /npf/... on its socket, beside /ethdev/....
//
//   usertools/dpdk-telemetry.py -f npf       then: /npf/status
//
// DPDK's thread asks, with nothing of the caller's in the call; so there is one appliance in a
// process that it can ask, and only while a Telemetry is there.
#ifndef NPF_DPDK_APP_TELEMETRY_H_
#define NPF_DPDK_APP_TELEMETRY_H_

#include "absl/status/status.h"
#include "proto/control.h"

namespace npf::appliance {

class Telemetry {
 public:
  Telemetry() = default;
  ~Telemetry();  // nobody is asked any more
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  // `handler` outlives it. Once in a process. With --no-telemetry nobody asks, which is no error.
  absl::Status Start(control::Handler& handler);
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_TELEMETRY_H_
