// How long a worker takes for a burst: a histogram with four buckets to each power of two, so that
// a quantile is known to within a quarter. One thread adds; others read at any time.
#ifndef NPF_DPDK_APP_OBSERVE_BURST_TIMES_H_
#define NPF_DPDK_APP_OBSERVE_BURST_TIMES_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "counters.h"

namespace npf::observe {

class BurstTimes {
 public:
  static constexpr unsigned kLowestBits = 10;  // the first bucket ends at 2^10 ns
  static constexpr unsigned kOctaves = 16;     // the last but one at 2^26 ns, 67 ms
  static constexpr size_t kBuckets = 4 * kOctaves + 2;
  using Counts = std::array<uint64_t, kBuckets>;

  void Add(uint64_t ns) {
    buckets_[IndexOf(ns)].Add(1);
    sum_ns_.Add(ns);
  }
  // Adds what is there to `counts` and `sum_ns`.
  void AddTo(Counts& counts, uint64_t& sum_ns) const {
    for (size_t i = 0; i < kBuckets; ++i) counts[i] += buckets_[i].Get();
    sum_ns += sum_ns_.Get();
  }

  static constexpr size_t IndexOf(uint64_t ns) {
    const uint64_t below = ns - (ns != 0 ? 1 : 0);
    if (below >> kLowestBits == 0) return 0;
    const auto bits = static_cast<unsigned>(std::bit_width(below)) - 1;
    const size_t index = 4 * size_t{bits - kLowestBits} + (below >> (bits - 2) & 3) + 1;
    return index < kBuckets ? index : kBuckets - 1;
  }
  // The longest time in a bucket; of the last one there is none.
  static constexpr uint64_t UpTo(size_t index) {
    if (index == 0) return uint64_t{1} << kLowestBits;
    const size_t quarter = index - 1;
    return (5 + quarter % 4) << (kLowestBits - 2 + quarter / 4);
  }

 private:
  std::array<appliance::Counter, kBuckets> buckets_;
  appliance::Counter sum_ns_;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_BURST_TIMES_H_
