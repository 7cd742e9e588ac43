// What is measured side by side over the same packets: our own stages, and what others would use
// instead. A contender is built once and run many times, its rounds interleaved with the others'.
#ifndef NPF_BENCH_CONTENDER_H_
#define NPF_BENCH_CONTENDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "npf/flow.h"

namespace npf::bench {

class Contender {
 public:
  virtual ~Contender() = default;
  virtual const std::string& name() const = 0;  // "npf decide scalar", "rte_acl 10k avx512x32"
  virtual size_t table_bytes() const = 0;
  virtual uint64_t build_ns() const = 0;

  // One pass over these keys, in bursts of its own liking. A contender that decides writes 1
  // (allow) or 0 (deny) for each key; one that only looks addresses up writes nothing.
  virtual void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) = 0;
  // What is timed. A contender whose answers have a form of their own leaves them in it here.
  virtual void RunForTime(std::span<const FlowKey> keys, std::span<uint8_t> allowed) {
    Run(keys, allowed);
  }
  // Before each run: it will be given `count` keys from key `first` of the traffic on, and what is
  // received for them is received here, outside the time.
  virtual void Receive(size_t /*first*/, size_t /*count*/) {}
  // Whether it reads the keys that Run() is given, rather than what it received itself.
  virtual bool ReadsKeys() const { return true; }

  // How its verdicts are checked against ours.
  enum class Scope : uint8_t {
    kNone,     // it does not decide
    kAll,      // it holds the whole cluster: every verdict is ours
    kIngress,  // it decides ingress only, of those destinations that Covers() names
  };
  virtual Scope scope() const = 0;
  virtual bool Covers(const FlowKey& key) const = 0;  // kIngress: its rules speak of this packet
};

using Contenders = std::vector<std::unique_ptr<Contender>>;

}  // namespace npf::bench

#endif  // NPF_BENCH_CONTENDER_H_
