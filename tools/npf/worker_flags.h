// The flags that say how packets become connections; shared by replay and the appliance.
#ifndef NPF_TOOLS_NPF_WORKER_FLAGS_H_
#define NPF_TOOLS_NPF_WORKER_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "npf/overlay.h"
#include "npf/worker.h"

namespace npf::tools {

class Verb;

struct WorkerFlags {
  std::vector<std::string> overlays;  // as overlay_flags.h has them
  bool stateless = false;
  std::string checksums = "verify";     // verify, ip or ignore
  std::string vlan = "on";              // on or off
  std::string opaque = "pass";          // pass or deny
  std::string midstream = "deny";       // deny or allow
  std::string established = "rejudge";  // rejudge or keep
  std::string fragments = "track";      // track or reassemble
  uint64_t flows_max = size_t{1} << 18;
  uint64_t openings_max = 0;          // 0: a quarter of flows_max
  uint64_t flows_per_source_max = 0;  // likewise
};

void AddWorkerFlags(Verb& verb, WorkerFlags& flags);

// All but what to classify by. `overlays` may be null. Throws BadUsage where flags contradict each
// other.
WorkerOptions ToWorkerOptions(const WorkerFlags& flags, const Overlays* overlays);

// Nothing where there is no --overlay. Throws BadUsage with the last fault, after all others have
// been told.
std::optional<Overlays> OverlaysOf(const WorkerFlags& flags);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_WORKER_FLAGS_H_
