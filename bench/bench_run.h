// One cluster, compiled, and what is measured over it.
#ifndef NPF_BENCH_BENCH_RUN_H_
#define NPF_BENCH_BENCH_RUN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "contender.h"
#include "frames.h"
#include "measure.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "report.h"
#include "rivals.h"
#include "traffic.h"

namespace npf::bench {

struct CompiledCluster {
  std::string name;
  Snapshot snapshot;
  Program program;
  CompileReport report;
  uint64_t compile_ns = 0;  // of the fastest compilation, the thread's own time
  uint64_t cidr_count = 0;  // distinct ipBlocks that policies name
};

// Compiles up to nine times within a second, to tell the best time. The Program lies in huge pages,
// where the system has them, as the tables of rivals do.
absl::StatusOr<CompiledCluster> CompileCluster(std::string name, Snapshot snapshot);

// Of one of our own contenders.
Figure MakeFigure(const Contender& contender, const Check& check, Series series);

struct RunOptions {
  bool addr = true;
  bool decide = true;
  bool parse_decide = true;
  bool latency = true;
  bool rivals = false;
  size_t rounds = 15;
  std::vector<Kernel> kernels = {Kernel::kAuto};
  Checksums checksums = Checksums::kIgnore;
};

// The packets of a scene. frames[i] bears keys[i % frames.size()]; without frames nothing is
// parsed.
struct Packets {
  std::string family;
  std::string traffic;
  uint64_t seed = 0;
  std::vector<FlowKey> keys;
  FrameSet frames;
  absl::Status end;  // of a capture that is bad in the middle: why it was not read further
};

// Without `sizes` there are no frames.
Packets MakePackets(const CompiledCluster& cluster, const TrafficOptions& options,
                    std::optional<FrameSizes> sizes);
bool HasFamily(const Packets& packets, uint8_t family);

// To what rivals hold of the cluster; see MakeTrafficTo().
Packets MakePacketsTo(const Expansion& expansion, const CompiledCluster& cluster,
                      const TrafficOptions& options);
// The same packets again and again, until there are `count`.
absl::StatusOr<Packets> ReadTrace(const std::string& path, Checksums checksums, size_t count);

class Bench;
struct Staged {
  const Bench* bench;
  const Packets* packets;
};

class Bench {
 public:
  // `cluster` outlives it. Rivals are built once, and lines about those that are missing are added
  // to `missing`.
  static absl::StatusOr<Bench> Create(const CompiledCluster& cluster, const RunOptions& options,
                                      std::vector<std::string>& missing);

  // Rivals take part where all packets are IPv4.
  Scene Measure(const Packets& packets) const;
  // What rivals hold only a part of the cluster, by size.
  const std::vector<Expansion>& expansions() const { return rivals_.expansions; }

 private:
  friend std::vector<Scene> MeasureTogether(std::span<const Staged> staged);

  Bench(const CompiledCluster& cluster, const RunOptions& options)
      : cluster_(cluster), options_(options) {}
  Contenders MakeStages(const Packets& packets) const;
  size_t TableBytes(const Packets& packets) const;
  // The scene without figures, and who is to have a turn in it.
  struct Cast {
    Scene scene;
    Contenders stages;
    std::vector<Contender*> contenders;  // the stages, then rivals
  };
  Cast Prepare(const Packets& packets) const;
  void MeasureLatencies(const Packets& packets, Scene& scene) const;

  const CompiledCluster& cluster_;
  RunOptions options_;
  Rivals rivals_;
};

// Scenes whose rounds are interleaved with each other's, so that their figures can be compared. The
// rounds are those of the first bench.
std::vector<Scene> MeasureTogether(std::span<const Staged> staged);

}  // namespace npf::bench

#endif  // NPF_BENCH_BENCH_RUN_H_
