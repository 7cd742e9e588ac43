// The machine that is measured on: what it is, how fast it runs just now, and keeping to one of its
// processors.
#ifndef NPF_BENCH_MACHINE_H_
#define NPF_BENCH_MACHINE_H_

#include <cstdint>
#include <string>

namespace npf::bench {

struct Machine {
  std::string cpu_model;  // "unknown" where the system does not tell
  int cpu_count = 0;
  std::string system;  // "Linux 6.1.0"
  double load = 0;     // processes that wanted a processor, over the last minute
};

Machine DescribeMachine();

// From now on this thread runs on that processor only. False where the system does not let it.
bool PinToCpu(int cpu);

// Cycles a nanosecond of the core, by a chain of additions that wait for each other. The best of a
// few short ones, because another process may have the core meanwhile.
double ProbeCoreGhz();
// Ticks a nanosecond of the time-stamp counter; 0 where there is none.
double ProbeTscGhz();

// Time that this thread has had a processor. Other processes' turns do not count, so that a shared
// machine disturbs figures less than it disturbs the clock on the wall.
uint64_t ThreadTimeNs();
uint64_t WallTimeNs();
// Processor ticks for short times, converted with ProbeTscGhz(); nanoseconds where there are none.
uint64_t Ticks();
// Once every load and store before has been done, so that what they wait for is not taken for what
// is measured.
uint64_t SettledTicks();

}  // namespace npf::bench

#endif  // NPF_BENCH_MACHINE_H_
