// `npf-instructions WORKLOAD FAMILIES TRAFFIC STAGE`: one pass of a stage over packets, for a tool
// that counts instructions. Counting begins and ends around that pass where the program runs under
// callgrind; without it nothing is counted. Prints what the pass was over.
#include <valgrind/callgrind.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "connection_traffic.h"
#include "frames.h"
#include "named_workloads.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "npf/frames.h"
#include "npf/worker.h"
#include "traffic.h"

namespace npf::bench {
namespace {

constexpr size_t kPackets = 16'384;
constexpr ClassifyOptions kOptions{.placement = Placement::kNodeWire};

void CountDecide(const Program& program, std::span<const FlowKey> keys) {
  std::vector<Verdict> verdicts(keys.size());
  CALLGRIND_START_INSTRUMENTATION;
  Classify(program, kOptions, keys, verdicts);
  CALLGRIND_STOP_INSTRUMENTATION;
}

void CountFrames(const Program& program, std::span<const FlowKey> keys) {
  const FrameSet frames = MakeFrames(keys, FrameSizes::kSmallest);
  FrameBuffers buffers(frames.size());
  std::vector<PacketView> views;
  for (size_t i = 0; i < frames.size(); ++i) views.push_back(frames.Receive(i, buffers.At(i)));
  std::vector<Verdict> verdicts(views.size());
  CALLGRIND_START_INSTRUMENTATION;
  ClassifyFrames(program, {.parse = {}, .classify = kOptions}, views, verdicts);
  CALLGRIND_STOP_INSTRUMENTATION;
}

// Of established connections, or of what begins others where openings are at their cap.
void CountConnections(const Snapshot& snapshot, const Program& program,
                      const TrafficOptions& options, bool begin) {
  ConnectionTraffic traffic(
      AllowedConnections(snapshot, program, options),
      {.flows = 1 << 12, .miss_percent = begin ? 100u : 0u, .packets = kPackets});
  Worker worker(program,
                {.checksums = Checksums::kIgnore, .classify = kOptions, .openings_max = 1 << 12});
  std::array<Judgement, Worker::kBatch> judgements;
  uint64_t now_ns = 1;
  const auto process = [&](std::span<const Frame> frames) {
    worker.Process(frames, ++now_ns, judgements);
  };
  EstablishAll(traffic, process);
  FrameBuffers buffers(kPackets);
  std::vector<Frame> frames;
  const auto pass = [&] {
    frames.clear();
    for (size_t i = 0; i < kPackets; ++i) {
      frames.push_back({.packet = traffic.Receive(i, buffers.At(i))});
    }
    const std::span<const Frame> all(frames);
    CALLGRIND_START_INSTRUMENTATION;
    for (size_t i = 0; i < kPackets; i += Worker::kBatch) process(all.subspan(i, Worker::kBatch));
    CALLGRIND_STOP_INSTRUMENTATION;
  };
  if (begin) {
    pass();
    CALLGRIND_ZERO_STATS;
  }
  pass();
}

int Run(std::string_view workload, std::string_view families_name, std::string_view traffic_name,
        std::string_view stage) {
  SelectKernel(Kernel::kScalar);  // callgrind knows no AVX-512
  const std::optional<IpFamilies> families = ParseIpFamilies(families_name);
  const std::optional<TrafficKind> kind = ParseTrafficKind(traffic_name);
  if (!families || !kind) return 2;
  std::optional<Cluster> cluster = MakeNamedCluster(workload, *families);
  if (!cluster) return 2;
  const Snapshot snapshot = Freeze(*std::move(cluster));
  CompileReport report;
  const absl::StatusOr<Program> program = Compile(snapshot, {}, &report);
  if (!program.ok()) return 1;
  const TrafficOptions options{
      .kind = *kind, .families = *families, .packets = kPackets, .seed = 1};
  if (stage == "established" || stage == "begin") {
    CountConnections(snapshot, *program, options, stage == "begin");
  } else {
    const Traffic traffic = MakeTraffic(snapshot, *program, options);
    (stage == "decide" ? CountDecide : CountFrames)(*program, traffic.keys);
  }
  const size_t table_bytes =
      *families == IpFamilies::kV6 ? report.hot_ipv6_bytes : report.hot_ipv4_bytes;
  std::printf("packets %zu table_bytes %zu\n", kPackets, table_bytes);
  return 0;
}

}  // namespace
}  // namespace npf::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs(
        "usage: npf-instructions WORKLOAD v4|v6 TRAFFIC "
        "decide|parse+decide|established|begin\n",
        stderr);
    return 2;
  }
  return npf::bench::Run(argv[1], argv[2], argv[3], argv[4]);
}
