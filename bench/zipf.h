// Few of many have most of it: the weight of rank r is r^-s.
#ifndef NPF_BENCH_ZIPF_H_
#define NPF_BENCH_ZIPF_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "workload.h"

namespace npf::bench {

class ZipfRanks {
 public:
  ZipfRanks(size_t count, double exponent) {
    double total = 0;
    for (size_t rank = 1; rank <= count; ++rank) {
      total += std::pow(static_cast<double>(rank), -exponent);
      cumulated_.push_back(total);
    }
  }
  size_t Draw(Random& random) const {  // from 0 on
    const double place = static_cast<double>(random.Next() >> 11) * 0x1p-53 * cumulated_.back();
    const auto found = std::ranges::upper_bound(cumulated_, place);
    return std::min<size_t>(static_cast<size_t>(found - cumulated_.begin()), cumulated_.size() - 1);
  }

 private:
  std::vector<double> cumulated_;
};

}  // namespace npf::bench

#endif  // NPF_BENCH_ZIPF_H_
