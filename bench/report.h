// What a run of npf-bench found: the figures of contenders, scene by scene. A scene is one cluster
// and one kind of traffic.
#ifndef NPF_BENCH_REPORT_H_
#define NPF_BENCH_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "npf/verdict.h"

namespace npf::bench {

struct Figure {
  std::string contender;
  bool rival = false;
  std::vector<double> ns;       // a decision, one a round; the thread's own time
  std::vector<double> wall_ns;  // as the clock on the wall has it
  std::vector<double> cycles;
  uint64_t table_bytes = 0;
  uint64_t build_ns = 0;
  uint64_t checked = 0;  // verdicts that were compared with ours
  uint64_t disagreements = 0;

  double median_ns() const;
  double best_ns() const;
  double median_cycles() const;
  double decisions_per_second() const { return ns.empty() ? 0 : 1e9 / median_ns(); }
};

struct Latency {  // of a batch of 64
  std::string kernel;
  double p50_ns = 0;
  double p99_ns = 0;
  double p999_ns = 0;
};

struct Scene {
  std::string workload;  // its name, or "files"
  std::string family;    // "v4", "v6", "dual"; of a capture "capture"
  std::string traffic;   // "uniform", ..., or the name of a capture
  std::string sweep;     // what differs from the neighbouring scenes: "pods", ...; may be empty
  uint64_t pods = 0;
  uint64_t policies = 0;
  uint64_t cidrs = 0;  // distinct ipBlocks that policies name
  uint64_t packets = 0;
  uint64_t seed = 0;
  uint64_t v4_bytes = 0;  // tables that a packet may touch
  uint64_t v6_bytes = 0;
  uint64_t compile_ns = 0;
  std::map<std::string, uint64_t> verdicts;  // packets, by "allow policy" and so on
  std::vector<Figure> figures;
  std::vector<Latency> latencies;

  std::string Name() const;  // "std/v4/uniform"
  // nullptr where no contender has the name.
  const Figure* Find(std::string_view contender) const;
};

struct Report {
  std::string date;  // RFC 3339, UTC
  std::string command;
  std::string version;
  std::string cpu_model;
  std::string system;
  std::string kernel;  // that Classify() uses of itself
  uint64_t cpu_count = 0;
  double load = 0;
  double core_ghz = 0;
  double tsc_ghz = 0;
  std::vector<std::string> missing;  // rivals that are not there, and why
  std::vector<Scene> scenes;
};

// "allow policy", "deny no_state", ...
std::string VerdictText(const Verdict& verdict);
// A report without scenes: the machine as it is now.
Report BeginReport(std::string command);
// Packets whose verdict is allow.
uint64_t AllowedPackets(const Scene& scene);
uint64_t Disagreements(const Report& report);

}  // namespace npf::bench

#endif  // NPF_BENCH_REPORT_H_
