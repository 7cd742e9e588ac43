#include "dpdk/routes.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include "classify/address_lookup.h"
#include "npf/flow.h"
#include "resolve/inventory.h"

namespace npf::bench {
namespace {

class BlockGatherer {
 public:
  explicit BlockGatherer(const Snapshot& snapshot) : snapshot_(snapshot) {}

  // Every prefix that any object names, in order, each once.
  std::vector<V4Block> Gather() {
    blocks_.push_back({});
    GatherEnds();
    for (const NetworkPolicy& policy : snapshot_.policies()) {
      GatherPeers(policy.ingress);
      GatherPeers(policy.egress);
    }
    for (const ClusterPolicy& policy : snapshot_.cluster_policies()) GatherNetworks(policy);
    for (const NameAddress& name : snapshot_.resolved_names()) Add(name.address);
    std::sort(blocks_.begin(), blocks_.end());
    blocks_.erase(std::unique(blocks_.begin(), blocks_.end()), blocks_.end());
    return std::move(blocks_);
  }

 private:
  void Add(const std::optional<V4Block>& block) {
    if (block) blocks_.push_back(*block);
  }
  void Add(const IpAddress& address) {
    Add(AsV4Block({address, static_cast<uint8_t>(address.bit_count())}));
  }

  void GatherEnds() {
    const resolve::Inventory inventory = resolve::TakeInventory(snapshot_);
    for (const resolve::PodAddress& pod : inventory.pods) Add(pod.address);
    for (const resolve::NodeAddress& node : inventory.nodes) Add(node.address);
    for (const IpPrefix& range : snapshot_.pod_cidrs()) Add(AsV4Block(range));
    for (const IpPrefix& range : snapshot_.service_cidrs()) Add(AsV4Block(range));
    for (const Service& service : snapshot_.services()) {
      for (const std::string& text : service.cluster_ips) {
        if (const std::optional<IpAddress> address = ParseIpAddress(text)) Add(*address);
      }
    }
  }

  void GatherPeers(std::span<const PolicyRule> rules) {
    for (const PolicyRule& rule : rules) {
      for (const PolicyPeer& peer : rule.peers) {
        if (!peer.ip_block) continue;
        Add(ReadV4Block(peer.ip_block->cidr));
        for (const std::string& except : peer.ip_block->except) Add(ReadV4Block(except));
      }
    }
  }

  void GatherNetworks(const ClusterPolicy& policy) {
    for (const ClusterRule& rule : policy.egress) {
      for (const ClusterPeer& peer : rule.peers) {
        if (!peer.networks) continue;
        for (const std::string& network : *peer.networks) Add(ReadV4Block(network));
      }
    }
  }

  const Snapshot& snapshot_;
  std::vector<V4Block> blocks_;
};

// The first address of blocks[i] that no narrower block contains.
std::optional<IpAddress> OwnAddress(std::span<const V4Block> blocks, size_t i) {
  uint64_t own = blocks[i].address;
  for (size_t j = i + 1; j < blocks.size() && blocks[j].address <= own; ++j) {
    own = std::max<uint64_t>(own, uint64_t{blocks[j].last()} + 1);
  }
  if (own > blocks[i].last()) return std::nullopt;
  return IpAddress::V4(static_cast<uint32_t>(own));
}

}  // namespace

uint32_t NextHopOf(const ProgramView& view, uint32_t address_class) {
  const uint32_t pod_classes = view.header().pod_class_count;
  if (address_class >= pod_classes) return address_class;
  const auto rows = view.Section<uint32_t>(layout::kRowOfClass);
  const auto is_isolated = [&](Direction direction) {
    return rows[static_cast<size_t>(direction) * pod_classes + address_class] != layout::kNone;
  };
  return address_class | (is_isolated(Direction::kIngress) ? kIngressIsolated : 0) |
         (is_isolated(Direction::kEgress) ? kEgressIsolated : 0);
}

std::vector<Route> MakeRoutes(const Snapshot& snapshot, const Program& program) {
  const std::vector<V4Block> blocks = BlockGatherer(snapshot).Gather();
  std::vector<Route> routes;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const std::optional<IpAddress> own = OwnAddress(blocks, i);
    if (!own) continue;
    const uint32_t own_class = ClassOf(program.view(), 4, own->bytes.data());
    routes.push_back({blocks[i], NextHopOf(program.view(), own_class)});
  }
  return routes;
}

}  // namespace npf::bench
