#include "machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace npf::bench {
namespace {

uint64_t ReadClock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// The compiler can neither shorten the chain nor foresee `value`. Additions of a register, because
// processors take additions of a constant out of the chain.
uint64_t AddDependently(uint64_t rounds, uint64_t value) {
  uint64_t sum = value;
  const auto add = [&] {
    sum += value;
    asm volatile("" : "+r"(sum));
  };
  for (uint64_t i = 0; i < rounds; ++i) {
    add(), add(), add(), add(), add(), add(), add(), add();
    add(), add(), add(), add(), add(), add(), add(), add();
  }
  return sum;
}

}  // namespace

Machine DescribeMachine() {
  Machine machine{.cpu_model = "unknown",
                  .cpu_count = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN))};
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    machine.cpu_model = line.substr(std::min(line.find(':') + 2, line.size()));
    break;
  }
  utsname name;
  if (uname(&name) == 0) machine.system = std::string(name.sysname) + " " + name.release;
  double load = 0;
  if (getloadavg(&load, 1) == 1) machine.load = load;
  return machine;
}

bool PinToCpu(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<size_t>(cpu), &only);
  return sched_setaffinity(0, sizeof only, &only) == 0;
}

double ProbeCoreGhz() {
  constexpr uint64_t kRounds = 4'000;
  constexpr double kCycles = kRounds * 16;
  double best = 0;
  for (int i = 0; i < 4; ++i) {
    const uint64_t start = WallTimeNs();
    volatile uint64_t sum = AddDependently(kRounds, start | 1);
    static_cast<void>(sum);
    best = std::max(best, kCycles / static_cast<double>(WallTimeNs() - start));
  }
  return best;
}

uint64_t ThreadTimeNs() { return ReadClock(CLOCK_THREAD_CPUTIME_ID); }
uint64_t WallTimeNs() { return ReadClock(CLOCK_MONOTONIC); }

#if defined(__x86_64__)
uint64_t Ticks() { return __rdtsc(); }
uint64_t SettledTicks() {
  _mm_mfence();
  _mm_lfence();
  return __rdtsc();
}

double ProbeTscGhz() {
  constexpr uint64_t kProbeNs = 10'000'000;
  const uint64_t start_ns = WallTimeNs();
  const uint64_t start = Ticks();
  uint64_t now_ns = start_ns;
  while (now_ns - start_ns < kProbeNs) now_ns = WallTimeNs();
  return static_cast<double>(Ticks() - start) / static_cast<double>(now_ns - start_ns);
}
#else
uint64_t Ticks() { return WallTimeNs(); }
uint64_t SettledTicks() { return WallTimeNs(); }
double ProbeTscGhz() { return 0; }
#endif

}  // namespace npf::bench
