// Listings and differences against the reference evaluator: every pod, both sides of every edge of
// every CIDR, every port at which something may change, on random pairs of clusters. Whatever is
// allowed must be in a row, and whatever a row says must be allowed.
//
// NPF_ANALYSIS_PAIRS sets how many pairs, NPF_ANALYSIS_SEED the first one's seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/difference.h"
#include "analysis/ends.h"
#include "analysis/listing.h"
#include "npf/compiler.h"
#include "testing/cluster_generator.h"
#include "testing/random.h"

namespace npf::testing {
namespace {

using analysis::Connectivity;
using analysis::Group;
using analysis::Member;
using analysis::Scene;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The same cluster after a few edits, or another one.
Cluster Edited(const Cluster& before, uint64_t seed) {
  Random random(seed);
  const Cluster other = GenerateCluster(seed ^ 0x5eed);
  if (random.Chance(10)) return other;
  Cluster after = before;
  const auto drop_one = [&](auto& objects) {
    if (objects.size() > 1)
      objects.erase(objects.begin() + static_cast<ptrdiff_t>(random.Below(objects.size())));
  };
  for (size_t i = random.Between(1, 4); i > 0; --i) {
    switch (random.Below(9)) {
      case 0:
        drop_one(after.policies);
        break;
      case 1:
        drop_one(after.cluster_policies);
        break;
      case 2:
        for (NetworkPolicy policy : other.policies) {
          policy.name += "-b";
          if (random.Chance(40)) after.policies.push_back(policy);
        }
        break;
      case 3:
        for (ClusterPolicy policy : other.cluster_policies) {
          policy.name += "-b";
          if (random.Chance(40)) after.cluster_policies.push_back(policy);
        }
        break;
      case 4:
        drop_one(after.pods);
        break;
      case 5:
        for (Pod& pod : after.pods) {
          if (random.Chance(30)) pod.labels = random.Pick(other.pods).labels;
        }
        break;
      case 6:
        for (Pod& pod : after.pods) {
          if (random.Chance(20)) pod.ips = random.Pick(other.pods).ips;
        }
        break;
      case 7:
        for (Pod& pod : after.pods) {
          if (random.Chance(20)) pod.node_name = random.Pick(other.pods).node_name;
        }
        break;
      default:
        for (NetworkPolicy& policy : after.policies) {
          if (random.Chance(30)) std::swap(policy.ingress, policy.egress);
        }
    }
  }
  return after;
}

struct Port {
  uint8_t protocol;
  uint16_t port;
};

// What a question can be about: a pod's or node's address, as both sides have it, or one of a
// range.
struct Place {
  uint32_t group = 0;
  Member member;
  bool is_pod = false;
};

// Addresses at which something may change.
class Edges {
 public:
  void Add(const Cluster& cluster) {
    for (const Node& node : cluster.nodes) {
      for (const std::string& cidr : node.pod_cidrs) AddCidr(cidr);
    }
    for (const IpPrefix& prefix : cluster.pod_cidrs) AddPrefix(prefix);
    for (const IpPrefix& prefix : cluster.service_cidrs) AddPrefix(prefix);
    for (const Service& service : cluster.services) {
      for (const std::string& ip : service.cluster_ips) addresses_.insert(Address(ip));
    }
    for (const NetworkPolicy& policy : cluster.policies) {
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const PolicyRule& rule : *rules) AddRule(rule);
      }
    }
    for (const ClusterPolicy& policy : cluster.cluster_policies) {
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const ClusterRule& rule : *rules) AddRule(rule);
      }
    }
    for (const ResolvedName& name : cluster.resolved_names)
      addresses_.insert(Address(name.address));
    for (const Pod& pod : cluster.pods) {
      for (const ContainerPort& port : pod.ports) AddPort(port.port, port.port);
    }
  }

  const std::set<IpAddress>& addresses() const { return addresses_; }
  // The first port of each stretch in which nothing changes, and its last one.
  std::vector<Port> Ports() const {
    std::vector<Port> ports = {{kProtocolIcmp, 0}, {47, 0}};
    for (const uint8_t protocol : {kProtocolTcp, kProtocolUdp, kProtocolSctp}) {
      for (const int64_t port : begins_) ports.push_back({protocol, static_cast<uint16_t>(port)});
    }
    return ports;
  }

 private:
  void AddRule(const PolicyRule& rule) {
    for (const PolicyPeer& peer : rule.peers) {
      if (!peer.ip_block) continue;
      AddCidr(peer.ip_block->cidr);
      for (const std::string& except : peer.ip_block->except) AddCidr(except);
    }
    for (const PolicyPort& port : rule.ports) {
      if (!port.port || !std::holds_alternative<int64_t>(*port.port)) continue;
      AddPort(std::get<int64_t>(*port.port), port.end_port.value_or(std::get<int64_t>(*port.port)));
    }
  }
  void AddRule(const ClusterRule& rule) {
    for (const ClusterPeer& peer : rule.peers) {
      if (!peer.networks) continue;
      for (const std::string& network : *peer.networks) AddCidr(network);
    }
    if (!rule.ports) return;
    for (const ClusterPort& port : *rule.ports)
      AddPort(port.first, std::max(port.first, port.last));
  }
  void AddCidr(const std::string& text) { AddPrefix(ParseIpPrefix(text).prefix); }
  void AddPrefix(const IpPrefix& prefix) {
    addresses_.insert({FirstAddress(prefix), LastAddress(prefix),
                       PreviousAddress(FirstAddress(prefix)), NextAddress(LastAddress(prefix))});
  }
  void AddPort(int64_t first, int64_t last) {
    for (const int64_t port : {first, last + 1}) {
      if (port >= 0 && port <= 65535) begins_.insert(port);
    }
  }

  std::set<IpAddress> addresses_;
  std::set<int64_t> begins_ = {0};
};

Scene MakeScene(const std::vector<Snapshot>& snapshots) {
  std::vector<analysis::SceneSide> sides;
  for (const Snapshot& snapshot : snapshots) {
    auto program = Compile(snapshot);
    EXPECT_TRUE(program.ok()) << program.status();
    sides.push_back({*std::move(program), snapshot});
  }
  return Scene(std::move(sides));
}

// All members, and the addresses that are in the ranges.
std::vector<Place> PlacesOf(const Scene& scene, const std::set<IpAddress>& addresses) {
  std::vector<Place> places;
  for (uint32_t i = 0; i < scene.groups().size(); ++i) {
    const Group& group = scene.groups()[i];
    for (const Member& member : group.members) places.push_back({i, member, IsPod(group.kind)});
    for (const IpAddress& address : addresses) {
      const bool within = std::any_of(
          group.ranges.begin(), group.ranges.end(),
          [&](const auto& range) { return range.first <= address && address <= range.last; });
      Member member{.family = static_cast<uint8_t>(address.family == Family::kIpv4 ? 0 : 1)};
      for (size_t side = 0; side < scene.side_count(); ++side) member.address[side] = address;
      if (within) places.push_back({i, member, false});
    }
  }
  return places;
}

// On which sides the two are a node and a pod that is on it.
uint8_t LocalSides(const Scene& scene, const Place& from, const Place& to) {
  if (scene.groups()[from.group].kind != analysis::EndKind::kNode || !to.is_pod) return 0;
  uint8_t sides = 0;
  for (size_t side = 0; side < scene.side_count(); ++side) {
    const std::string_view node = scene.pods()[to.member.owner].node[side];
    const auto& view = scene.side(side).program;
    const FlowKey key =
        MakeFlowKey(*from.member.address[side],
                    to.member.address[side].value_or(*from.member.address[side]), kProtocolTcp, 1);
    const Explanation why = Explain(view, {}, key);
    if (to.member.address[side] && !node.empty() && why.src.kind == "node" &&
        why.src.node == node) {
      sides |= static_cast<uint8_t>(1 << side);
    }
  }
  return sides;
}

bool HasPlace(const analysis::PortSet& set, const Port& port) {
  const uint32_t place = analysis::PlaceOf(port.protocol, port.port);
  return std::any_of(set.begin(), set.end(), [&](const analysis::PlaceRange& range) {
    return range.first <= place && place <= range.last;
  });
}

bool Has(const std::vector<uint32_t>& groups, uint32_t group) {
  return std::binary_search(groups.begin(), groups.end(), group);
}

// What a row's ends are called covers an address of a range exactly where its groups do.
void CheckNames(const Scene& scene, const analysis::EndNamer& namer, const Place& place,
                const std::vector<uint32_t>& groups) {
  if (!scene.groups()[place.group].members.empty()) return;
  bool covered = false;
  for (const analysis::End& end : namer.Of(groups, 3)) {
    if (end.kind != scene.groups()[place.group].kind) continue;
    for (const analysis::CidrList& list : end.cidrs) {
      const auto contains = [&](const IpPrefix& prefix) {
        return prefix.Contains(*place.member.address[0]);
      };
      covered |= std::any_of(list.cidrs.begin(), list.cidrs.end(), contains) &&
                 std::none_of(list.except.begin(), list.except.end(), contains);
    }
  }
  EXPECT_EQ(covered, Has(groups, place.group)) << npf::ToString(*place.member.address[0]);
}

std::string Text(const Place& from, const Place& to, const Port& port) {
  const auto text = [](const Member& member) {
    std::string both;
    for (const auto& address : member.address) {
      both += (both.empty() ? "" : "|") + (address ? npf::ToString(*address) : "-");
    }
    return both;
  };
  return text(from.member) + " to " + text(to.member) + " protocol " +
         std::to_string(port.protocol) + " port " + std::to_string(port.port);
}

bool Truth(const reference::Evaluator& evaluator, size_t side, const Place& from, const Place& to,
           const Port& port) {
  const auto& src = from.member.address[side];
  const auto& dst = to.member.address[side];
  return src && dst && *src != *dst &&
         evaluator.Evaluate({*src, *dst, port.protocol, port.port}).allowed;
}

template <typename Visit>
uint64_t ForEachPair(const std::vector<Place>& places, Visit visit) {
  uint64_t pairs = 0;
  for (const Place& from : places) {
    for (const Place& to : places) {
      if (&from == &to || from.member.family != to.member.family) continue;
      if (!from.is_pod && !to.is_pod) continue;
      visit(from, to);
      ++pairs;
    }
  }
  return pairs;
}

constexpr int kFailuresShown = 5;

uint64_t CheckListing(const Snapshot& snapshot, const Edges& edges) {
  const Scene scene = MakeScene({snapshot});
  analysis::PortSets sets;
  Connectivity side(scene.side(0).program, {}, sets);
  const analysis::Listing listing = analysis::ListConnections(scene, side, sets);
  const reference::Evaluator evaluator(snapshot);
  const analysis::EndNamer namer(scene);
  const std::vector<Place> places = PlacesOf(scene, edges.addresses());
  for (const Place& place : places) {
    for (const auto& row : listing.rows) {
      CheckNames(scene, namer, place, row.from);
      CheckNames(scene, namer, place, row.to);
    }
  }
  const std::vector<Port> ports = edges.Ports();
  uint64_t asked = 0;
  int failures = 0;
  ForEachPair(places, [&](const Place& from, const Place& to) {
    std::vector<const analysis::PortSet*> said;
    const auto family = static_cast<uint8_t>(1 << from.member.family);
    for (const auto& row : listing.rows) {
      if ((row.families & family) == 0 || !Has(row.from, from.group)) continue;
      if (Has(row.to, to.group)) said.push_back(&sets.Get(row.ports));
    }
    for (const auto& row : listing.own_node) {
      if (LocalSides(scene, from, to) == 0 || (row.families & family) == 0) continue;
      if (Has(row.to, to.group)) said.push_back(&sets.Get(row.ports));
    }
    for (const Port& port : ports) {
      const bool listed = std::any_of(said.begin(), said.end(),
                                      [&](const auto* set) { return HasPlace(*set, port); });
      ++asked;
      if (Truth(evaluator, 0, from, to, port) == listed || ++failures > kFailuresShown) continue;
      ADD_FAILURE() << (listed ? "invented: " : "missing: ") << Text(from, to, port);
    }
  });
  return asked;
}

uint64_t CheckDifference(const std::vector<Snapshot>& snapshots, const Edges& edges) {
  const Scene scene = MakeScene(snapshots);
  analysis::PortSets sets;
  Connectivity before(scene.side(0).program, {}, sets);
  Connectivity after(scene.side(1).program, {}, sets);
  const analysis::Difference difference = analysis::Compare(scene, before, after, sets);
  const reference::Evaluator was(snapshots[0]);
  const reference::Evaluator is(snapshots[1]);
  for (const auto& row : difference.rows) {
    if (!row.witness) continue;
    const auto& w = *row.witness;
    if (row.by == analysis::ChangedBy::kPresence) continue;
    const bool old_one = was.Evaluate({w.src[0], w.dst[0], w.protocol, w.port}).allowed;
    const bool new_one = is.Evaluate({w.src[1], w.dst[1], w.protocol, w.port}).allowed;
    EXPECT_NE(old_one, new_one);
    EXPECT_EQ(new_one, row.kind == analysis::ChangeKind::kAllowed);
    EXPECT_FALSE(row.causes.empty());
  }
  const std::vector<Port> ports = edges.Ports();
  uint64_t asked = 0;
  int failures = 0;
  ForEachPair(PlacesOf(scene, edges.addresses()), [&](const Place& from, const Place& to) {
    std::array<std::vector<const analysis::PortSet*>, 2> said;
    const uint8_t local = LocalSides(scene, from, to);
    for (const auto& row : difference.rows) {
      if ((row.families >> from.member.family & 1) == 0 || row.own_node != local) continue;
      if (!Has(row.from, from.group) || !Has(row.to, to.group)) continue;
      said[static_cast<size_t>(row.kind)].push_back(&sets.Get(row.ports));
    }
    for (const Port& port : ports) {
      const bool old_one = Truth(was, 0, from, to, port);
      const bool new_one = Truth(is, 1, from, to, port);
      for (const size_t kind : {0, 1}) {
        const auto count = std::count_if(said[kind].begin(), said[kind].end(),
                                         [&](const auto* set) { return HasPlace(*set, port); });
        const bool changed = kind == 0 ? !old_one && new_one : old_one && !new_one;
        ++asked;
        if (count == (changed ? 1 : 0) || ++failures > kFailuresShown) continue;
        ADD_FAILURE() << (kind == 0 ? "opened " : "closed ") << (changed ? "and missing: " : "in ")
                      << count << " rows: " << Text(from, to, port) << " own node " << int{local};
      }
    }
  });
  return asked;
}

// Every address that a pod or a node has on a side belongs to exactly one member.
void CheckCovers(const Scene& scene, const std::vector<Snapshot>& snapshots) {
  for (size_t side = 0; side < snapshots.size(); ++side) {
    const reference::Evaluator evaluator(snapshots[side]);
    std::map<IpAddress, int> held;
    for (const Group& group : scene.groups()) {
      for (const Member& member : group.members) {
        if (member.address[side]) ++held[*member.address[side]];
      }
    }
    for (const Pod& pod : snapshots[side].pods()) {
      for (const std::string& text : pod.ips) {
        const IpAddress address = Address(text);
        if (evaluator.KindOf(address) != reference::AddressKind::kPod) continue;
        EXPECT_EQ(held[address], 1) << text << " on side " << side;
      }
    }
  }
}

TEST(AnalysisBruteTest, ListAndDiffEqualTheReferenceOnRandomClusters) {
  const uint64_t pairs = FromEnvironment("NPF_ANALYSIS_PAIRS", 3);
  const uint64_t first = FromEnvironment("NPF_ANALYSIS_SEED", 1);
  uint64_t asked = 0;
  for (uint64_t seed = first; seed < first + pairs; ++seed) {
    SCOPED_TRACE("NPF_ANALYSIS_SEED=" + std::to_string(seed));
    const Cluster before = GenerateCluster(seed);
    const Cluster after = Edited(before, seed);
    const std::vector<Snapshot> snapshots = {*Freeze(before), *Freeze(after)};
    Edges edges;
    edges.Add(before);
    asked += CheckListing(snapshots[0], edges);
    edges.Add(after);
    asked += CheckDifference(snapshots, edges);
    CheckCovers(MakeScene(snapshots), snapshots);
    if (::testing::Test::HasFailure()) break;
  }
  std::printf("%llu pairs of clusters from seed %llu, %llu questions\n",
              static_cast<unsigned long long>(pairs), static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(asked));
}

}  // namespace
}  // namespace npf::testing
