#include "model/assumed_addresses.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "model/validate.h"

namespace npf::model {
namespace {

// Where nothing is declared: private addresses, in the order in which they are taken.
std::vector<IpPrefix> CustomaryRanges(Family family) {
  const std::vector<const char*> texts =
      family == Family::kIpv4
          ? std::vector<const char*>{"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
                                     "100.64.0.0/10", "198.18.0.0/15", "64.0.0.0/3"}
          : std::vector<const char*>{"fd00::/8", "fc00::/8", "2000::/3"};
  std::vector<IpPrefix> ranges;
  for (const char* text : texts) ranges.push_back(ParseIpPrefix(text).prefix);
  return ranges;
}

// Whether `count` addresses are strictly between the two.
bool HasRoom(const IpAddress& first, const IpAddress& last, size_t count) {
  if (first.family == Family::kIpv4) return uint64_t{last.v4()} - first.v4() > count;
  const auto [first_high, first_low] = first.halves();
  const auto [last_high, last_low] = last.halves();
  if (last_high - first_high > 1) return true;
  const bool carries = last_high != first_high;
  if (carries && last_low >= first_low) return true;
  return last_low - first_low > count;
}

// A stretch of addresses that nothing of the input tells apart.
struct Stretch {
  IpAddress first;
  IpAddress last;
  bool declared = false;  // in a pod CIDR
  int blocks = 0;
  size_t range = 0;  // index of CustomaryRanges

  auto rank() const { return std::tuple(!declared, blocks, range, first); }
};

}  // namespace

void AddressAssumer::Add(const IpPrefix& prefix, int Change::*what, int amount) {
  if (prefix.address.family == Family::kIpv6) named_v6_ = true;
  Changes& changes = Of(prefix.address.family);
  changes[FirstAddress(prefix)].*what += amount;
  const IpAddress behind = NextAddress(LastAddress(prefix));
  if (behind > FirstAddress(prefix)) changes[behind].*what -= amount;
}

void AddressAssumer::AddBlock(const std::string& cidr, const std::vector<std::string>& excepts) {
  const ParsedPrefix parsed = ParseIpPrefix(cidr);
  if (parsed.fault != PrefixFault::kNone) return;
  Add(parsed.prefix, &Change::blocks, 1);
  std::vector<IpPrefix> cut;
  for (const std::string& text : excepts) {
    const ParsedPrefix except = ParseIpPrefix(text);
    if (except.fault == PrefixFault::kNone) cut.push_back(except.prefix);
  }
  std::sort(cut.begin(), cut.end());  // wider ones before those that they contain
  std::optional<IpPrefix> widest;
  for (const IpPrefix& except : cut) {
    if (widest && widest->Contains(except)) continue;
    widest = except;
    Add(except, &Change::blocks, -1);
  }
}

void AddressAssumer::AddPodRange(const IpPrefix& prefix) {
  (prefix.address.family == Family::kIpv4 ? has_v4_range_ : has_v6_range_) = true;
  Add(Masked(prefix), &Change::ranges, 1);
}

void AddressAssumer::AddPodRange(const std::string& cidr) {
  const ParsedPrefix parsed = ParseIpPrefix(cidr);
  if (parsed.fault == PrefixFault::kNone) AddPodRange(parsed.prefix);
}

void AddressAssumer::AddTaken(const IpPrefix& prefix) { Add(Masked(prefix), &Change::taken, 1); }

void AddressAssumer::AddTaken(const std::string& address) {
  const std::optional<IpAddress> parsed = ParseIpAddress(address);
  if (parsed) AddTaken({*parsed, static_cast<uint8_t>(parsed->bit_count())});
}

void AddressAssumer::AddRules(const NetworkPolicy& policy) {
  for (const auto* rules : {&policy.ingress, &policy.egress}) {
    for (const PolicyRule& rule : *rules) {
      for (const PolicyPeer& peer : rule.peers) {
        if (peer.ip_block) AddBlock(peer.ip_block->cidr, peer.ip_block->except);
      }
    }
  }
}

void AddressAssumer::AddRules(const ClusterPolicy& policy) {
  for (const ClusterRule& rule : policy.egress) {
    for (const ClusterPeer& peer : rule.peers) {
      if (!peer.networks) continue;
      for (const std::string& network : *peer.networks) AddBlock(network, {});
    }
  }
}

void AddressAssumer::AssignFamily(Family family, const std::vector<Pod*>& pods) {
  const std::vector<IpPrefix> ranges = CustomaryRanges(family);
  for (const IpPrefix& range : ranges) {  // an edge, so that a stretch is in it or is not
    Of(family)[FirstAddress(range)];
    Of(family)[NextAddress(LastAddress(range))];
  }
  std::optional<Stretch> best;
  Change now;
  const Changes& changes = Of(family);
  for (auto at = changes.begin(); at != changes.end(); ++at) {
    now.blocks += at->second.blocks;
    now.taken += at->second.taken;
    now.ranges += at->second.ranges;
    const auto next = std::next(at);
    Stretch stretch{at->first, next != changes.end() ? PreviousAddress(next->first)
                                                     : LastAddress({at->first, 0})};
    stretch.declared = now.ranges > 0;
    stretch.blocks = now.blocks;
    const auto range = std::find_if(ranges.begin(), ranges.end(), [&](const IpPrefix& prefix) {
      return prefix.Contains(stretch.first);
    });
    stretch.range = static_cast<size_t>(range - ranges.begin());
    if (now.taken > 0 || (!stretch.declared && range == ranges.end())) continue;
    if (!IsEndpointAddress(stretch.first)) continue;
    if (!HasRoom(stretch.first, stretch.last, pods.size())) continue;
    if (!best || stretch.rank() < best->rank()) best = stretch;
  }
  if (!best) return;
  IpAddress address = best->first;
  for (Pod* pod : pods) {
    address = NextAddress(address);
    pod->ips.push_back(ToString(address));
    pod->address_assumed = true;
  }
}

void AddressAssumer::Assign(std::vector<Pod>& pods) {
  std::vector<Pod*> bare;
  for (Pod& pod : pods) {
    if (HasPodAddresses(pod) && pod.ips.empty()) bare.push_back(&pod);
    for (const std::string& text : pod.ips) AddTaken(text);
  }
  if (bare.empty()) return;
  if (has_v4_range_ || !has_v6_range_) AssignFamily(Family::kIpv4, bare);
  if (named_v6_) AssignFamily(Family::kIpv6, bare);
}

}  // namespace npf::model
