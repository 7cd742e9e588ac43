// A list of rules, tried one after the other.
#ifndef NPF_BENCH_DPDK_LINEAR_MATCHER_H_
#define NPF_BENCH_DPDK_LINEAR_MATCHER_H_

#include <memory>
#include <string>

#include "contender.h"
#include "dpdk/expansion.h"

namespace npf::bench {

std::unique_ptr<Contender> MakeLinearMatcher(std::string name, std::shared_ptr<const RuleSet> set);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_LINEAR_MATCHER_H_
