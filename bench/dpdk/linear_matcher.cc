#include "dpdk/linear_matcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "dpdk/rival.h"

namespace npf::bench {
namespace {

// As packets are compared with it: a word and a mask for each field.
struct Entry {
  uint32_t src;
  uint32_t src_mask;
  uint32_t dst;
  uint16_t first_port;
  uint16_t last_port;
  uint8_t protocol;
  uint8_t protocol_mask;
  uint8_t allow;
};

Entry MakeEntry(const FiveTupleRule& rule) {
  return {.src = rule.src,
          .src_mask = rule.src_length == 0 ? 0 : ~uint32_t{0} << (32 - rule.src_length),
          .dst = rule.dst,
          .first_port = rule.first_port,
          .last_port = rule.last_port,
          .protocol = rule.protocol,
          .protocol_mask = static_cast<uint8_t>(rule.protocol == kAnyProtocol ? 0 : 0xff),
          .allow = rule.allow};
}

class LinearMatcher : public IngressRival {
 public:
  LinearMatcher(RivalFacts facts, std::shared_ptr<const RuleSet> set, std::vector<Entry> entries)
      : IngressRival(std::move(facts), std::move(set)), entries_(std::move(entries)) {}

  void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) override {
    std::transform(keys.begin(), keys.end(), allowed.begin(),
                   [this](const FlowKey& key) { return Judge(key); });
  }

 private:
  uint8_t Judge(const FlowKey& key) const {
    const uint32_t src = HostOrder(key.src);
    const uint32_t dst = HostOrder(key.dst);
    for (const Entry& entry : entries_) {
      if (entry.dst != dst || (src & entry.src_mask) != entry.src) continue;
      if ((key.protocol & entry.protocol_mask) != entry.protocol) continue;
      if (key.dst_port >= entry.first_port && key.dst_port <= entry.last_port) return entry.allow;
    }
    return 1;
  }

  std::vector<Entry> entries_;
};

}  // namespace

std::unique_ptr<Contender> MakeLinearMatcher(std::string name, std::shared_ptr<const RuleSet> set) {
  const Stopwatch watch;
  std::vector<Entry> entries;
  entries.reserve(set->rules.size());
  std::transform(set->rules.begin(), set->rules.end(), std::back_inserter(entries), MakeEntry);
  RivalFacts facts{std::move(name), entries.size() * sizeof(Entry), watch.ns()};
  return std::make_unique<LinearMatcher>(std::move(facts), std::move(set), std::move(entries));
}

}  // namespace npf::bench
