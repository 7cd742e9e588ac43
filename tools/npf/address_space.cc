#include "npf/address_space.h"

#include <algorithm>
#include <string>

#include "classify/address_lookup.h"
#include "program/view.h"

namespace npf::tools {
namespace {

// The first address of every segment.
class Cuts {
 public:
  explicit Cuts(const Snapshot& snapshot) {
    AddRange(RangeOf({.address = IpAddress{}, .length = 0}));
    AddRange(RangeOf({.address = IpAddress{.family = Family::kIpv6}, .length = 0}));
    for (const Pod& pod : snapshot.pods()) AddAddresses(pod.ips);
    for (const Node& node : snapshot.nodes()) AddAddresses(node.addresses);
    for (const Service& service : snapshot.services()) AddAddresses(service.cluster_ips);
    for (const IpPrefix& prefix : snapshot.pod_cidrs()) AddRange(RangeOf(prefix));
    for (const IpPrefix& prefix : snapshot.service_cidrs()) AddRange(RangeOf(prefix));
    for (const NetworkPolicy& policy : snapshot.policies()) {
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const PolicyRule& rule : *rules) AddBlocks(rule);
      }
    }
    for (const ClusterPolicy& policy : snapshot.cluster_policies()) {
      for (const ClusterRule& rule : policy.egress) AddNetworks(rule);
    }
    for (const NameAddress& known : snapshot.resolved_names()) {
      AddRange({known.address, known.address});
    }
    std::sort(cuts_.begin(), cuts_.end());
    cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
  }

  const std::vector<IpAddress>& all() const { return cuts_; }

 private:
  void AddRange(const AddressRange& range) {
    cuts_.push_back(range.first);
    const IpAddress after = NextAddress(range.last);
    if (after > range.last) cuts_.push_back(after);
  }
  void AddAddresses(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (const auto address = ParseIpAddress(text)) AddRange({*address, *address});
    }
  }
  void AddCidr(const std::string& text) {
    const ParsedPrefix parsed = ParseIpPrefix(text);
    if (parsed.fault == PrefixFault::kNone) AddRange(RangeOf(parsed.prefix));
  }
  void AddBlocks(const PolicyRule& rule) {
    for (const PolicyPeer& peer : rule.peers) {
      if (!peer.ip_block) continue;
      AddCidr(peer.ip_block->cidr);
      for (const std::string& except : peer.ip_block->except) AddCidr(except);
    }
  }
  void AddNetworks(const ClusterRule& rule) {
    for (const ClusterPeer& peer : rule.peers) {
      if (!peer.networks) continue;
      for (const std::string& network : *peer.networks) AddCidr(network);
    }
  }

  std::vector<IpAddress> cuts_;
};

}  // namespace

AddressSpace::AddressSpace(const Snapshot& snapshot, const Program& program) {
  const ProgramView& view = program.view();
  const auto classes = view.Section<layout::ClassRecord>(layout::kClasses);
  const Cuts cuts(snapshot);
  segments_.reserve(cuts.all().size());
  for (size_t i = 0; i < cuts.all().size(); ++i) {
    Segment segment;
    segment.range.first = cuts.all()[i];
    const Family family = segment.range.first.family;
    const bool last = i + 1 == cuts.all().size() || cuts.all()[i + 1].family != family;
    segment.range.last = last ? LastAddress({.address = segment.range.first, .length = 0})
                              : PreviousAddress(cuts.all()[i + 1]);
    segment.address_class =
        ClassOf(view, static_cast<uint8_t>(family), segment.range.first.bytes.data());
    segment.kind = static_cast<layout::AddressKind>(classes[segment.address_class].kind);
    segments_.push_back(segment);
  }
}

std::vector<Segment> AddressSpace::SegmentsOf(const AddressSet& set) const {
  std::vector<Segment> found;
  for (const AddressRange& range : set.ranges()) {
    auto at = std::upper_bound(
        segments_.begin(), segments_.end(), range.first,
        [](const IpAddress& first, const Segment& s) { return first < s.range.first; });
    for (--at; at != segments_.end() && at->range.first <= range.last; ++at) {
      Segment part = *at;
      part.range.first = std::max(part.range.first, range.first);
      part.range.last = std::min(part.range.last, range.last);
      found.push_back(part);
    }
  }
  return found;
}

AddressSet AddressSpace::All() const {
  AddressSet set;
  for (const Segment& segment : segments_) set.Add(segment.range);
  return set;
}

AddressSet AddressSpace::OfKind(layout::AddressKind kind) const {
  AddressSet set;
  for (const Segment& segment : segments_) {
    if (segment.kind == kind) set.Add(segment.range);
  }
  return set;
}

}  // namespace npf::tools
