// What every opponent says of itself, and how those that hold ingress rules say what they cover.
#ifndef NPF_BENCH_DPDK_RIVAL_H_
#define NPF_BENCH_DPDK_RIVAL_H_

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "contender.h"
#include "dpdk/expansion.h"

namespace npf::bench {

struct RivalFacts {
  std::string name;
  size_t table_bytes = 0;
  uint64_t build_ns = 0;
};

class Rival : public Contender {
 public:
  explicit Rival(RivalFacts facts) : facts_(std::move(facts)) {}
  const std::string& name() const override { return facts_.name; }
  size_t table_bytes() const override { return facts_.table_bytes; }
  uint64_t build_ns() const override { return facts_.build_ns; }

 private:
  RivalFacts facts_;
};

inline uint32_t HostOrder(const uint8_t* address) {
  uint32_t word;
  std::memcpy(&word, address, sizeof word);
  return std::endian::native == std::endian::little ? __builtin_bswap32(word) : word;
}

class IngressRival : public Rival {
 public:
  IngressRival(RivalFacts facts, std::shared_ptr<const RuleSet> set)
      : Rival(std::move(facts)), set_(std::move(set)) {}
  Scope scope() const override { return Scope::kIngress; }
  bool Covers(const FlowKey& key) const override {
    return key.family == 4 && set_->destinations.contains(HostOrder(key.dst));
  }

 private:
  std::shared_ptr<const RuleSet> set_;
};

class Stopwatch {
 public:
  uint64_t ns() const {
    const auto elapsed = std::chrono::steady_clock::now() - begin_;
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_RIVAL_H_
