// Cuts the address space along the edges of ipBlocks, Service ranges and pod ranges.
//
// Prefixes nest or are disjoint, so the distinct prefixes form a forest; every address belongs to
// the longest one that contains it. A region is a prefix minus the longer ones inside it, and all
// of its addresses are in the same blocks: those with a cidr among the region's ancestors (or
// itself) and no except among them (R30, R35). Except lists may nest: the first except on the way
// down ends the block for everything below.
#ifndef NPF_RESOLVE_PREFIX_FOREST_H_
#define NPF_RESOLVE_PREFIX_FOREST_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "npf/address.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class PrefixForest {
 public:
  void AddBlock(uint32_t atom, const IpPrefix& cidr, const std::vector<IpPrefix>& excepts);
  void AddService(const IpPrefix& prefix);
  void AddPodRange(const IpPrefix& prefix);

  // Fails with kResourceExhausted where regions are in more blocks altogether than `entries_max`.
  absl::Status Build(size_t entries_max);

  struct Interval {  // addresses from `first` to the next interval of the family, or its end
    IpAddress first;
    IpAddress last;
    uint32_t region = 0;
  };
  struct RegionInfo {
    IpPrefix prefix;
    AddressKind kind = AddressKind::kExternal;
    uint32_t block_set = 0;
    uint32_t parent = kNone;
  };
  const std::vector<RegionInfo>& regions() const { return regions_; }  // parents first
  const std::vector<Interval>& intervals() const { return intervals_; }
  const std::vector<std::vector<uint32_t>>& block_sets() const { return block_sets_; }
  const RegionInfo& Find(const IpAddress& address) const;

 private:
  struct Events {
    std::vector<uint32_t> begins;   // blocks with this cidr
    std::vector<uint32_t> excepts;  // blocks that except this
    bool service = false;
    bool pod_range = false;
  };
  uint32_t InternSet(std::vector<uint32_t> blocks);
  void CutIntervals();

  std::map<IpPrefix, Events> events_;  // in order of address, then length: parents first
  std::vector<RegionInfo> regions_;
  std::vector<Interval> intervals_;
  std::vector<std::vector<uint32_t>> block_sets_;
  std::map<std::vector<uint32_t>, uint32_t> set_ids_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_PREFIX_FOREST_H_
