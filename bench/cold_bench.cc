// npf-cold-bench: the size and speed of everything that happens before the first packet, beside the
// budget of each row. Exit status 1 where a row is over its budget.
//
// Every row runs in a process of its own, so that its peak memory is its own.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "npf/compiler.h"
#include "npf/load.h"
#include "workload.h"

namespace npf::bench {
namespace {

struct Figures {
  double seconds = 0;
  double hot_ipv4_megabytes = 0;
  double peak_megabytes = 0;
  uint32_t classes = 0;
  bool refused = false;
};

struct Row {
  const char* name;
  std::function<Figures()> run;
  double seconds_max;
  double hot_megabytes_max;   // 0: no bound
  double peak_megabytes_max;  // 0: no bound
  // Where not 0: seconds and hot megabytes at most so many times those of the row before that has
  // no factor.
  double factor = 0;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The best of several runs: the machine may be shared.
Figures TimeCompile(const Snapshot& snapshot, int runs) {
  Figures best{.seconds = 1e9};
  for (int i = 0; i < runs; ++i) {
    CompileReport report;
    const Stopwatch watch;
    const absl::StatusOr<Program> program = Compile(snapshot, {}, &report);
    best.seconds = std::min(best.seconds, watch.seconds());
    best.hot_ipv4_megabytes = static_cast<double>(report.hot_ipv4_bytes) / 1e6;
    best.classes = static_cast<uint32_t>(report.pod_classes + report.other_classes);
    best.refused = !program.ok();
    if (best.refused) {
      std::fprintf(stderr, "refused: %.*s\n", static_cast<int>(program.status().message().size()),
                   program.status().message().data());
    }
  }
  return best;
}

Snapshot Load(const std::string& text, const char* name) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(text, name, {}, builder, diagnostics, report);
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (!snapshot.ok()) std::exit(70);
  return *std::move(snapshot);
}

Figures TimeLoad(const std::string& text, const char* name) {
  Figures figures{.seconds = 1e9};
  for (int i = 0; i < 5; ++i) {
    const Stopwatch watch;
    Load(text, name);
    figures.seconds = std::min(figures.seconds, watch.seconds());
  }
  return figures;
}

// The dump is written to a file by a child, so that making it does not count as loading it.
Figures TimeLoadAndCompile(const ClusterShape& shape) {
  std::string path = "/tmp/npf-cold-bench-XXXXXX";
  const int descriptor = mkstemp(path.data());
  if (descriptor < 0) std::exit(4);
  close(descriptor);
  const pid_t child = fork();
  if (child == 0) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    const std::string text = ToJson(MakeCluster(shape));
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  const Stopwatch watch;
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadPath(path, {}, builder, diagnostics, report);
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  unlink(path.c_str());
  if (!snapshot.ok()) std::exit(70);
  Figures figures = TimeCompile(*snapshot, 1);
  figures.seconds = watch.seconds();
  return figures;
}

Figures CompileShape(const ClusterShape& shape, int runs) {
  return TimeCompile(Freeze(MakeCluster(shape)), runs);
}

std::vector<Row> Rows() {
  const ClusterShape dump{.pods = 5'000, .policies = 100};
  return {
      {"load 5,000 pods, JSON", [=] { return TimeLoad(ToJson(MakeCluster(dump)), "dump.json"); },
       0.15, 0, 0},
      {"load 5,000 pods, YAML", [=] { return TimeLoad(ToYaml(MakeCluster(dump)), "dump.yaml"); },
       1.5, 0, 0},
      {"compile 10k pods, 1k policies, 100 CIDRs", [] { return CompileShape({}, 15); }, 0.020, 1.5,
       0},
      {"  and 100 ClusterNetworkPolicies",
       [] { return CompileShape({.cluster_policies = 100}, 9); }, 0, 0, 0, 2},
      {"  and 1,000 ClusterNetworkPolicies",
       [] { return CompileShape({.cluster_policies = 1'000}, 9); }, 0, 0, 0, 4},
      {"compile 100k pods, 10k policies, 500 CIDRs",
       [] { return CompileShape({.pods = 100'000, .policies = 10'000, .cidrs = 500}, 3); }, 0.600,
       16, 0},
      {"compile 10k pods, 1k policies, 5,000 CIDRs",
       [] { return CompileShape({.cidrs = 5'000}, 5); }, 0.100, 8, 0},
      {"compile 25k namespaces, 100k pods, 75k policies",
       [] { return TimeCompile(Freeze(MakeManyNamespaces(25'000, 100'000)), 1); }, 3, 0, 1024},
      {"load and compile 150k pods, 5k nodes, 15k policies",
       [] { return TimeLoadAndCompile({.pods = 150'000, .policies = 15'000, .cidrs = 1'000}); }, 6,
       0, 2048},
      {"half of all classes, 1,000 namespaces",
       [] { return TimeCompile(Freeze(MakeHalfOfEverything(1'000)), 1); }, 10, 0, 2048},
      {"10,000 port ranges", [] { return TimeCompile(Freeze(MakePortRanges(10'000)), 1); }, 10, 0,
       2048},
      {"1,000 blocks with 20 nested excepts",
       [] { return TimeCompile(Freeze(MakeNestedExcepts(1'000, 20)), 1); }, 10, 0, 2048},
  };
}

Figures RunApart(const Row& row) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(4);
  const pid_t child = fork();
  if (child == 0) {
    Figures figures = row.run();
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    figures.peak_megabytes = static_cast<double>(usage.ru_maxrss) / 1024;
    if (write(ends[1], &figures, sizeof figures) != sizeof figures) _exit(70);
    _exit(0);
  }
  close(ends[1]);
  Figures figures;
  if (read(ends[0], &figures, sizeof figures) != sizeof figures) std::exit(70);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return figures;
}

int Main(int argc, char** argv) {
  int over = 0;
  std::printf("%-52s %9s %9s %8s %8s %8s %8s %s\n", "what", "seconds", "at most", "hot MB",
              "at most", "peak MB", "classes", "");
  Figures base;
  for (Row row : Rows()) {
    if (argc > 1 && std::string(row.name).find(argv[1]) == std::string::npos) continue;
    const Figures figures = RunApart(row);
    if (row.factor == 0) {
      base = figures;
    } else {
      row.seconds_max = row.factor * base.seconds;
      row.hot_megabytes_max = row.factor * base.hot_ipv4_megabytes;
    }
    const bool holds =
        figures.seconds <= row.seconds_max &&
        (row.hot_megabytes_max == 0 || figures.hot_ipv4_megabytes <= row.hot_megabytes_max) &&
        (row.peak_megabytes_max == 0 || figures.peak_megabytes <= row.peak_megabytes_max);
    over += holds ? 0 : 1;
    std::printf("%-52s %9.4f %9.3f %8.2f %8.1f %8.0f %8u %s%s\n", row.name, figures.seconds,
                row.seconds_max, figures.hot_ipv4_megabytes, row.hot_megabytes_max,
                figures.peak_megabytes, figures.classes, holds ? "holds" : "OVER",
                figures.refused ? " (refused by name)" : "");
    std::fflush(stdout);
  }
  return over == 0 ? 0 : 1;
}

}  // namespace
}  // namespace npf::bench

int main(int argc, char** argv) { return npf::bench::Main(argc, argv); }
