// A flow log: whatever it is, it is read to its end or to an error with a line, and nothing is told
// that is not whole.
#include "fuzz/fuzz.h"
#include "gaps/flow_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using npf::fuzzing::Expect;
  uint64_t told = 0;
  npf::gaps::FlowLog log(8, [&](const npf::gaps::Seen& seen) {
    ++told;
    Expect(seen.names != nullptr, "ends have names, be they empty");
    Expect(seen.first_ns <= seen.last_ns, "time goes on");
    Expect(seen.key.family == 0 || seen.key.family == 4 || seen.key.family == 6, "a family");
    Expect(seen.replies <= seen.packets, "replies are packets");
  });
  const absl::Status read = log.Read(npf::capture::MemorySource({data, size}));
  if (!read.ok()) Expect(read.message().find("line ") == 0, "an error has its line");
  log.Finish();
  const npf::gaps::FlowLogCounts counts = log.counts();
  Expect(told <= counts.flows, "each connection has a flow");
  Expect(counts.left_out <= counts.flows, "what is left out is counted as well");
  return 0;
}
