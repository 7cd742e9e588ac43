// The verdicts of a whole capture, once, as `npf replay --stateless` counts them.
#ifndef NPF_BENCH_CAPTURE_VERDICTS_H_
#define NPF_BENCH_CAPTURE_VERDICTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf::bench {

struct CaptureVerdicts {
  uint64_t packets = 0;
  std::map<std::string, uint64_t> counts;  // by "allow policy" and so on
  absl::Status end;  // why it was not read further, where it is bad in the middle
};
absl::StatusOr<CaptureVerdicts> CountCaptureVerdicts(const Program& program,
                                                     const std::string& path, Checksums checksums);

}  // namespace npf::bench

#endif  // NPF_BENCH_CAPTURE_VERDICTS_H_
