// Every opponent decides as npf does, over what its rules speak of: a comparison of speed between
// filters that disagree is none.
#include "rivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dpdk/dpdk_rivals.h"
#include "dpdk/linear_matcher.h"
#include "dpdk/v4_block.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "workload.h"

namespace npf::bench {
namespace {

constexpr size_t kKeys = 20'000;

constexpr uint16_t kRarePorts[] = {0, 9, 4242, 8080, 9090};  // of AddRareForms

LabelSelector App(const char* name) { return {{{"app", name}}, {}}; }

// What MakeCluster never says and a policy may.
void AddRareForms(Cluster& cluster) {
  const auto add = [&](const char* name, LabelSelector pods, PolicyRule rule) {
    cluster.policies.push_back({.ns = "ns-0",
                                .name = name,
                                .pod_selector = std::move(pods),
                                .policy_types = {"Ingress"},
                                .ingress = {std::move(rule)}});
  };
  const PolicyPeer everywhere{.namespace_selector = LabelSelector{}};
  const PolicyPeer block{.ip_block = IpBlock{"10.0.0.0/8", {"10.0.0.0/27", "10.0.1.0/24"}}};
  const PolicyPeer anywhere{.ip_block = IpBlock{"0.0.0.0/0", {"128.0.0.0/1"}}};
  add("named-port", App("app-0"), {.ports = {{.port = "http"}}, .peers = {everywhere}});
  add("any-peer", App("app-3"), {.ports = {{.protocol = "SCTP", .port = int64_t{9}}}});
  add("all-of-udp", App("app-3"), {.ports = {{.protocol = "UDP"}}, .peers = {block}});
  add("all-protocols", App("app-6"), {.peers = {block, anywhere}});
  add("own-namespace", App("app-0"),
      {.ports = {{.port = int64_t{4242}}}, .peers = {{.pod_selector = LabelSelector{}}}});
  add("everything", App("app-9"), {});
  cluster.policies.push_back({.ns = "ns-1",
                              .name = "ingress-by-default",
                              .pod_selector = App("app-1"),
                              .ingress = {{.ports = {{.port = int64_t{4242}}}, .peers = {block}}}});
  cluster.policies.push_back({.ns = "ns-2",
                              .name = "egress",
                              .pod_selector = App("app-2"),
                              .policy_types = {"Egress"},
                              .egress = {{.peers = {block}}}});
  for (Pod& pod : cluster.pods) pod.ports.push_back({.name = "metrics", .port = 9090});
  cluster.pods[7].host_network = true;
  cluster.pods[7].ips = cluster.nodes[0].addresses;
  cluster.pods[8].phase = PodPhase::kSucceeded;
  cluster.pods[8].ips = cluster.pods[3].ips;
  cluster.pods[10].ips = cluster.pods[11].ips;
  cluster.pods[10].creation_timestamp = "2026-02-01T00:00:00Z";
}

struct Case {
  Snapshot snapshot;
  Program program;
};

Case MakeCase(const ClusterShape& shape, const char* without_policy = "") {
  Cluster cluster = MakeCluster(shape);
  AddRareForms(cluster);
  std::erase_if(cluster.policies,
                [&](const NetworkPolicy& policy) { return policy.name == without_policy; });
  Snapshot snapshot = Freeze(std::move(cluster));
  absl::StatusOr<Program> program = Compile(snapshot);
  EXPECT_TRUE(program.ok()) << program.status().message();
  return {std::move(snapshot), *std::move(program)};
}

ClusterShape Shape(uint64_t seed) {
  return {.pods = 300, .policies = 60, .cidrs = 20, .seed = seed};
}

// Random keys of what the snapshot speaks of and of what lies next to it.
class KeyMaker {
 public:
  KeyMaker(const Snapshot& snapshot, uint64_t seed) : random_(seed) {
    for (const Pod& pod : snapshot.pods()) pods_.push_back(*ParseIpAddress(pod.ips[0]));
    for (const Node& node : snapshot.nodes()) others_.push_back(*ParseIpAddress(node.addresses[0]));
    for (const NetworkPolicy& policy : snapshot.policies()) {
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const PolicyRule& rule : *rules) Read(rule);
      }
    }
  }

  std::vector<FlowKey> Make(const std::vector<IpAddress>& destinations) {
    std::vector<FlowKey> keys(kKeys);
    for (FlowKey& key : keys) {
      const IpAddress src = Any();
      IpAddress dst = Any();
      if (!destinations.empty() && random_.Percent(60)) dst = Pick(destinations);
      if (random_.Percent(3)) dst = src;
      const uint8_t protocols[] = {kProtocolTcp,  kProtocolTcp,  kProtocolUdp,
                                   kProtocolSctp, kProtocolIcmp, 47};
      key = MakeFlowKey(src, dst, protocols[random_.Below(6)], AnyPort(),
                        static_cast<uint16_t>(random_.Next()));
    }
    return keys;
  }

 private:
  void Read(const PolicyRule& rule) {
    for (const PolicyPort& port : rule.ports) {
      if (!port.port || !std::holds_alternative<int64_t>(*port.port)) continue;
      const int64_t first = std::get<int64_t>(*port.port);
      for (const int64_t edge : {first, port.end_port.value_or(first)}) {
        for (const int64_t near : {edge - 1, edge, edge + 1}) {
          ports_.push_back(static_cast<uint16_t>(near));
        }
      }
    }
    for (const PolicyPeer& peer : rule.peers) {
      if (!peer.ip_block) continue;
      ReadBlock(peer.ip_block->cidr);
      for (const std::string& except : peer.ip_block->except) ReadBlock(except);
    }
  }

  void ReadBlock(const std::string& text) {
    const V4Block block = *ReadV4Block(text);
    for (const uint32_t edge : {block.address, block.last()}) {
      for (const uint32_t near : {edge - 1, edge, edge + 1}) others_.push_back(IpAddress::V4(near));
    }
  }

  const IpAddress& Pick(const std::vector<IpAddress>& from) {
    return from[random_.Below(static_cast<uint32_t>(from.size()))];
  }

  IpAddress Any() {
    const uint32_t kind = random_.Below(10);
    if (kind < 6) return Pick(pods_);
    if (kind < 8) return Pick(others_);
    const auto address = static_cast<uint32_t>(random_.Next());
    return IpAddress::V4(kind == 8 ? 0x0a000000 | (address & 0x3ff) : address);
  }

  uint16_t AnyPort() {
    const uint32_t kind = random_.Below(10);
    if (kind == 0) return static_cast<uint16_t>(random_.Next());
    if (kind < 4) return kRarePorts[random_.Below(std::size(kRarePorts))];
    if (ports_.empty()) return 80;
    return ports_[random_.Below(static_cast<uint32_t>(ports_.size()))];
  }

  Random random_;
  std::vector<IpAddress> pods_;
  std::vector<IpAddress> others_;
  std::vector<uint16_t> ports_;
};

struct Comparison {
  size_t compared = 0;
  size_t disagreements = 0;
};

Comparison Compare(const Program& program, const std::vector<FlowKey>& keys, Contender& contender) {
  const bool is_whole = contender.scope() == Contender::Scope::kAll;
  // No exemption of a pod's own node, which none of them knows.
  const ClassifyOptions options{
      .directions = is_whole ? DirectionMask::kBoth : DirectionMask::kIngress,
      .placement = Placement::kNodeWire};
  std::vector<Verdict> ours(keys.size());
  Classify(program, options, keys, ours);
  std::vector<uint8_t> theirs(keys.size(), 0xff);
  contender.Run(keys, theirs);
  Comparison comparison;
  if (contender.scope() == Contender::Scope::kNone) return comparison;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!is_whole && !contender.Covers(keys[i])) continue;
    ++comparison.compared;
    if (theirs[i] != ours[i].allowed) ++comparison.disagreements;
  }
  return comparison;
}

void ExpectAgreement(const Case& c, uint64_t seed, const RivalOptions& options) {
  const absl::StatusOr<Rivals> rivals = MakeRivals(c.snapshot, c.program, options);
  ASSERT_TRUE(rivals.ok()) << rivals.status().message();
  ASSERT_FALSE(rivals->expansions.empty());
  std::vector<IpAddress> destinations;
  for (const Expansion& expansion : rivals->expansions) {
    destinations.insert(destinations.end(), expansion.destinations.begin(),
                        expansion.destinations.end());
  }
  KeyMaker maker(c.snapshot, seed);
  const std::vector<FlowKey> keys = maker.Make(destinations);
  for (const auto& contender : rivals->contenders) {
    const Comparison found = Compare(c.program, keys, *contender);
    EXPECT_EQ(found.disagreements, 0u) << contender->name() << ", seed " << seed;
    if (contender->scope() == Contender::Scope::kNone) continue;
    EXPECT_GT(found.compared, kKeys / 20) << contender->name();
    EXPECT_GT(contender->table_bytes(), 0u) << contender->name();
  }
}

TEST(Rivals, AgreeWithClassify) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    ExpectAgreement(MakeCase(Shape(seed)), seed, {.acl_rules = {1'000, 6'000}});
  }
}

TEST(Rivals, AgreeOverAWholeCluster) {
  const Case c = MakeCase({.pods = 40, .policies = 12, .cidrs = 4, .namespaces = 3, .seed = 9});
  ExpectAgreement(c, 9, {.acl_rules = {1'000'000}});
  const absl::StatusOr<Rivals> rivals =
      MakeRivals(c.snapshot, c.program, {.acl_rules = {1'000'000, 2'000'000}});
  ASSERT_TRUE(rivals.ok());
  EXPECT_EQ(rivals->expansions.size(), 1u);
  EXPECT_LT(rivals->expansions[0].rules, 1'000'000u);
  EXPECT_TRUE(std::any_of(rivals->missing.begin(), rivals->missing.end(), [](const auto& line) {
    return absl::StartsWith(line, "rte_acl 2000k: the policies are no more than");
  }));
}

// Whoever is not there is named, so that a reader sees what the comparison lacks.
TEST(Rivals, AreThereOrNamedAsMissing) {
  const Case c = MakeCase(Shape(1));
  const absl::StatusOr<Rivals> rivals = MakeRivals(c.snapshot, c.program, {.acl_rules = {1'000}});
  ASSERT_TRUE(rivals.ok());
  std::string named;
  for (const auto& contender : rivals->contenders) absl::StrAppend(&named, contender->name(), "\n");
  for (const std::string& line : rivals->missing) absl::StrAppend(&named, line, "\n");
  for (const char* name : {"linear", "rte_fib x2", "rte_fib + rte_hash", "rte_acl"}) {
    EXPECT_TRUE(absl::StrContains(named, name)) << name << " in\n" << named;
  }
}

TEST(Rivals, DoNotExpandTiers) {
  ClusterShape shape = Shape(1);
  shape.cluster_policies = 5;
  const Case c = MakeCase(shape);
  const absl::StatusOr<Rivals> rivals = MakeRivals(c.snapshot, c.program, {});
  ASSERT_TRUE(rivals.ok());
  EXPECT_TRUE(rivals->expansions.empty());
  EXPECT_TRUE(std::any_of(rivals->missing.begin(), rivals->missing.end(), [](const auto& line) {
    return absl::StartsWith(line, "rte_acl: cluster-wide tiers");
  }));
  KeyMaker maker(c.snapshot, 1);
  const std::vector<FlowKey> keys = maker.Make({});
  for (const auto& contender : rivals->contenders) {
    EXPECT_EQ(Compare(c.program, keys, *contender).disagreements, 0u) << contender->name();
  }
}

TEST(Rivals, WithoutIsolatedPodsThereIsNothingToExpand) {
  const Snapshot snapshot = Freeze(MakeCluster({.pods = 20, .policies = 0, .cidrs = 0}));
  const absl::StatusOr<Program> program = Compile(snapshot);
  ASSERT_TRUE(program.ok());
  const absl::StatusOr<Rivals> rivals = MakeRivals(snapshot, *program, {});
  ASSERT_TRUE(rivals.ok());
  EXPECT_EQ(std::count(rivals->missing.begin(), rivals->missing.end(),
                       "rte_acl: no policy isolates the ingress of a pod that has an IPv4 address"),
            1);
  KeyMaker maker(snapshot, 1);
  const std::vector<FlowKey> keys = maker.Make({});
  for (const auto& contender : rivals->contenders) {
    EXPECT_EQ(Compare(*program, keys, *contender).disagreements, 0u) << contender->name();
  }
}

bool Matches(const FiveTupleRule& rule, const FlowKey& key) {
  const V4Block src{rule.src, rule.src_length};
  return src.Contains({SourceOf(key).v4(), 32}) && rule.dst == DestinationOf(key).v4() &&
         (rule.protocol == kAnyProtocol || rule.protocol == key.protocol) &&
         key.dst_port >= rule.first_port && key.dst_port <= rule.last_port;
}

// Drops a rule that alone allows some packet, and returns that packet.
FlowKey BreakRule(RuleSet& set) {
  for (size_t i = 0; i < set.rules.size(); ++i) {
    const FiveTupleRule rule = set.rules[i];
    if (!rule.allow || rule.src == rule.dst) continue;
    const uint8_t protocol = rule.protocol == kAnyProtocol ? kProtocolTcp : rule.protocol;
    const FlowKey key =
        MakeFlowKey(IpAddress::V4(rule.src), IpAddress::V4(rule.dst), protocol, rule.first_port);
    const auto allows = [&](const FiveTupleRule& other) {
      return other.allow && Matches(other, key);
    };
    if (std::count_if(set.rules.begin(), set.rules.end(), allows) != 1) continue;
    set.rules.erase(set.rules.begin() + static_cast<std::ptrdiff_t>(i));
    return key;
  }
  ADD_FAILURE() << "no rule alone allows a packet";
  return {};
}

TEST(Rivals, ADroppedRuleIsNoticed) {
  const Case c = MakeCase(Shape(5));
  auto broken = std::make_shared<RuleSet>(*ExpandIngress(c.snapshot, 1'000));
  const std::vector<FlowKey> keys = {BreakRule(*broken)};
  Rivals rivals;
  const NamedRules named{"broken", broken};
  rivals.contenders.push_back(MakeLinearMatcher("linear broken", broken));
  ASSERT_TRUE(AddDpdkRivals(c.snapshot, c.program, {&named, 1}, rivals).ok());
  for (const auto& contender : rivals.contenders) {
    const bool is_broken = contender->scope() == Contender::Scope::kIngress;
    EXPECT_EQ(Compare(c.program, keys, *contender).disagreements, is_broken ? 1u : 0u)
        << contender->name();
  }
}

TEST(Rivals, AMissingPolicyIsNoticed) {
  const Case whole = MakeCase(Shape(6));
  const Case lesser = MakeCase(Shape(6), "all-protocols");
  const absl::StatusOr<Rivals> rivals =
      MakeRivals(lesser.snapshot, lesser.program, {.acl_rules = {1'000}});
  ASSERT_TRUE(rivals.ok());
  KeyMaker maker(whole.snapshot, 6);
  const std::vector<FlowKey> keys = maker.Make({});
  for (const auto& contender : rivals->contenders) {
    if (contender->scope() != Contender::Scope::kAll) continue;
    EXPECT_GT(Compare(whole.program, keys, *contender).disagreements, 0u) << contender->name();
  }
}

}  // namespace
}  // namespace npf::bench
