// The parts of resolve, each against something simpler.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/selector.h"
#include "npf/diagnostics.h"
#include "resolve/bitset_table.h"
#include "resolve/port_space.h"
#include "resolve/prefix_forest.h"
#include "resolve/resolve.h"
#include "resolve/selector_index.h"
#include "testing/random.h"
#include "testing/world.h"

namespace npf::resolve {
namespace {

using npf::testing::PodYaml;
using npf::testing::PolicyYaml;
using npf::testing::SnapshotOf;

ResolvedPolicy ResolveYaml(const std::string& yaml) {
  std::vector<Cost> costs;
  auto resolved = Resolve(SnapshotOf(yaml), {}, costs);
  EXPECT_TRUE(resolved.ok()) << resolved.status();
  return *std::move(resolved);
}

TEST(BitsetTable, AllHasNoBitBeyondItsCount) {
  for (const uint32_t bits : {1u, 31u, 32u, 33u, 64u, 100u}) {
    BitsetTable table(bits);
    uint32_t set = 0;
    for (const uint32_t word : table.Get(BitsetTable::kAll)) {
      set += static_cast<uint32_t>(__builtin_popcount(word));
    }
    EXPECT_EQ(set, bits);
  }
}

TEST(BitsetTable, UnionAndIntersectionAreThoseOfTheBits) {
  BitsetTable table(40);
  const uint32_t a = table.Intern({0b0011, 1});
  const uint32_t b = table.Intern({0b0110, 0});
  EXPECT_EQ(table.Get(table.Union(a, b))[0], 0b0111u);
  EXPECT_EQ(table.Get(table.Intersection(b, a))[0], 0b0010u);
  EXPECT_EQ(table.Union(a, BitsetTable::kAll), BitsetTable::kAll);
  EXPECT_EQ(table.Union(BitsetTable::kNothing, a), a);
  EXPECT_EQ(table.Intersection(a, BitsetTable::kAll), a);
  EXPECT_EQ(table.Intersection(BitsetTable::kNothing, a), BitsetTable::kNothing);
  EXPECT_EQ(table.Intern({0b0011, 1}), a);
}

// Every way to find a selector against trying all of them.
TEST(SelectorIndex, FindsWhatTryingAllFinds) {
  npf::testing::Random random(20261123);
  const std::string keys[] = {"a", "b", "c"};
  const std::string values[] = {"", "x", "y"};
  const std::string ops[] = {"In", "NotIn", "Exists", "DoesNotExist"};
  SelectorIndex index;
  for (int i = 0; i < 500; ++i) {
    LabelSelector selector;
    for (uint64_t n = random.Below(3); n != 0; --n) {
      selector.match_labels.Set(keys[random.Below(3)], values[random.Below(3)]);
    }
    for (uint64_t n = random.Below(3); n != 0; --n) {
      LabelRequirement r{keys[random.Below(3)], ops[random.Below(4)], {}};
      if (r.op == "In" || r.op == "NotIn") {
        r.values = {values[random.Below(3)], values[random.Below(3)]};
      }
      selector.match_expressions.push_back(r);
    }
    index.Intern(selector);
  }
  for (int mask = 0; mask < 64; ++mask) {
    Labels labels;
    for (int k = 0; k < 3; ++k) {
      const int value = mask >> (2 * k) & 3;
      if (value != 3) labels.Set(keys[k], values[value]);
    }
    std::vector<uint32_t> found = index.Find(labels);
    std::sort(found.begin(), found.end());
    std::vector<uint32_t> wanted;
    for (uint32_t id = 0; id < index.size(); ++id) {
      if (model::Matches(index.selector(id), labels)) wanted.push_back(id);
    }
    EXPECT_EQ(found, wanted) << "labels " << mask;
  }
}

TEST(SelectorIndex, EqualUpToOrderIsOneSelector) {
  SelectorIndex index;
  const LabelSelector one{{}, {{"a", "In", {"x", "y"}}, {"b", "Exists", {}}}};
  const LabelSelector other{{}, {{"b", "Exists", {}}, {"a", "In", {"y", "x", "x"}}}};
  EXPECT_EQ(index.Intern(one), index.Intern(other));
  EXPECT_EQ(TextOf(index.selector(0)), "a in (x,y),b");
}

struct Block {
  IpPrefix cidr;
  std::vector<IpPrefix> excepts;
  bool Has(const IpAddress& address) const {
    return cidr.Contains(address) &&
           std::none_of(excepts.begin(), excepts.end(),
                        [&](const IpPrefix& e) { return e.Contains(address); });
  }
};

// A small universe (the last byte of two networks) cut by random nested blocks: every address is in
// the blocks that a loop over them says.
TEST(PrefixForest, CutsAsALoopOverTheBlocksDoes) {
  npf::testing::Random random(7);
  for (int round = 0; round < 300; ++round) {
    PrefixForest forest;
    std::vector<Block> blocks;
    for (uint32_t atom = 0; atom < 6; ++atom) {
      const auto length = static_cast<uint8_t>(22 + random.Below(9));
      Block block{
          Masked({IpAddress::V4(0x0a000000 + static_cast<uint32_t>(random.Below(1024))), length}),
          {}};
      for (uint64_t n = random.Below(4); n != 0; --n) {
        const auto narrower = static_cast<uint8_t>(length + 1 + random.Below(32 - length));
        const uint32_t inside = block.cidr.address.v4() +
                                static_cast<uint32_t>(random.Below(uint64_t{1} << (32 - length)));
        block.excepts.push_back(Masked({IpAddress::V4(inside), narrower}));
      }
      forest.AddBlock(atom, block.cidr, block.excepts);
      blocks.push_back(std::move(block));
    }
    ASSERT_TRUE(forest.Build(1000).ok());
    for (uint32_t host = 0x09ffff00; host < 0x0a000500; ++host) {
      const IpAddress address = IpAddress::V4(host);
      std::vector<uint32_t> wanted;
      for (uint32_t atom = 0; atom < blocks.size(); ++atom) {
        if (blocks[atom].Has(address)) wanted.push_back(atom);
      }
      ASSERT_EQ(forest.block_sets()[forest.Find(address).block_set], wanted)
          << ToString(address) << " in round " << round;
    }
    // Intervals cover both families without a gap or an overlap.
    const auto& intervals = forest.intervals();
    EXPECT_EQ(intervals.front().first, IpAddress::V4(0));
    EXPECT_EQ(ToString(intervals.back().last), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (size_t i = 1; i < intervals.size(); ++i) {
      EXPECT_LT(intervals[i - 1].last, intervals[i].first);
    }
  }
}

TEST(PrefixForest, RefusesMoreThanItsBound) {
  PrefixForest forest;
  for (uint32_t atom = 0; atom < 100; ++atom) forest.AddBlock(atom, {IpAddress::V4(0), 0}, {});
  EXPECT_TRUE(absl::IsResourceExhausted(forest.Build(50)));
}

TEST(PortSpace, ClassesSeparateExactlyWhatListsSeparate) {
  PortSpace space;
  const auto list = [&](int64_t first, std::optional<int64_t> last, const char* protocol) {
    PolicyPort port{.protocol = protocol, .port = first, .end_port = last};
    return space.InternList(PortSpace::Read({port}));
  };
  const uint32_t web = list(80, std::nullopt, "TCP");
  const uint32_t high = list(60000, 65535, "TCP");
  const uint32_t all_udp = space.InternList(PortSpace::Read({{.protocol = "UDP"}}));
  space.Cut();
  // No port, 80, 60000 and up, all UDP, everything else.
  EXPECT_EQ(space.classes().count, 5u);
  EXPECT_EQ(space.Resolve(PortSpace::kAllPorts, 0), BitsetTable::kAll);
  const auto bits = [&](uint32_t id) { return space.bitsets().Get(space.Resolve(id, 0))[0]; };
  for (const uint32_t id : {web, high, all_udp}) {
    EXPECT_EQ(__builtin_popcount(bits(id)), 1);
    EXPECT_EQ(bits(id) & 1, 0u) << "a port list never matches a packet without ports";
  }
  EXPECT_EQ(bits(web) & bits(high), 0u);
}

TEST(PortSpace, ANameHasANumberOnlyWhereAPodGivesIt) {
  PortSpace space;
  const uint32_t http =
      space.InternList(PortSpace::Read({{.protocol = "TCP", .port = std::string("http")}}));
  Pod pod;
  pod.ports = {{.name = "http", .port = 8080, .protocol = "TCP"},
               {.name = "http", .port = 53, .protocol = "UDP"},
               {.name = "other", .port = 9, .protocol = "TCP"}};
  const uint32_t signature = space.InternSignature(pod);
  space.Cut();
  EXPECT_EQ(space.signatures()[signature], (std::vector<NamedPort>{{"http", 6, 8080}}));
  EXPECT_EQ(space.Resolve(http, 0), BitsetTable::kNothing);
  EXPECT_NE(space.Resolve(http, signature), BitsetTable::kNothing);
}

TEST(Resolve, LabelsThatNoSelectorSpeaksOfMakeNoClass) {
  std::string yaml = PolicyYaml("a", "p", "{podSelector: {matchLabels: {app: web}}}");
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    yaml += PodYaml("a", "web-" + n, "10.0.0." + n, "app: web, pod-template-hash: h" + n);
  }
  EXPECT_EQ(ResolveYaml(yaml).pod_class_count, 1u);
  yaml += PodYaml("a", "db", "10.0.1.1", "app: db");
  EXPECT_EQ(ResolveYaml(yaml).pod_class_count, 2u);
}

// The first label of each pod has another key than that of the pod before.
TEST(Resolve, KeysThatStandAtOnePlaceAreToldApart) {
  const std::string yaml = PolicyYaml("a", "p", "{podSelector: {matchLabels: {tier: db}}}") +
                           PodYaml("a", "one", "10.0.0.1", "app: web") +
                           PodYaml("a", "two", "10.0.0.2", "tier: db") +
                           PodYaml("a", "three", "10.0.0.3", "app: db");
  EXPECT_EQ(ResolveYaml(yaml).pod_class_count, 2u);
}

TEST(Resolve, ContainerPortNamesThatNoRuleUsesMakeNoClass) {
  const std::string pods = PodYaml("a", "one", "10.0.0.1", "app: web", "http") +
                           PodYaml("a", "two", "10.0.0.2", "app: web");
  const std::string by_number =
      PolicyYaml("a", "p", "{podSelector: {}, ingress: [{ports: [{port: 80}]}]}");
  const std::string by_name =
      PolicyYaml("a", "p", "{podSelector: {}, ingress: [{ports: [{port: http}]}]}");
  EXPECT_EQ(ResolveYaml(pods + by_number).pod_class_count, 1u);
  EXPECT_EQ(ResolveYaml(pods + by_name).pod_class_count, 2u);
}

TEST(Resolve, EqualRulesShareARow) {
  std::string yaml;
  for (int i = 0; i < 20; ++i) {
    const std::string ns = "ns-" + std::to_string(i);
    yaml += PodYaml(ns, "pod", "10.0.0." + std::to_string(i), "app: web");
    yaml += PolicyYaml(ns, "p",
                       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}");
  }
  const ResolvedPolicy resolved = ResolveYaml(yaml);
  EXPECT_EQ(resolved.pod_class_count, 20u);
  EXPECT_EQ(resolved.rows.size(), 1u);
}

// R51: three pods and a node claim one address, and the newest pod has it. What nobody else claims
// stays in the order of addresses.
TEST(Resolve, OneOfManyClaimsHolds) {
  const auto pod = [](const std::string& name, const std::string& ip, const std::string& created) {
    return "apiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: " + name +
           ", creationTimestamp: '" + created + "'}\nstatus: {phase: Running, podIP: " + ip +
           "}\n---\n";
  };
  const std::string yaml =
      pod("one", "10.0.0.9", "2026-01-01T00:00:00Z") +
      pod("two", "10.0.0.9", "2026-01-03T00:00:00Z") +
      pod("three", "10.0.0.9", "2026-01-02T00:00:00Z") + pod("last", "10.0.0.1", "") +
      "apiVersion: v1\nkind: Node\nmetadata: {name: worker}\n"
      "status: {addresses: [{type: InternalIP, address: 10.0.0.9}, "
      "{type: InternalIP, address: 10.0.0.5}, {type: ExternalIP, address: 10.0.0.5}]}\n";
  const Snapshot snapshot = SnapshotOf(yaml);
  std::vector<Cost> costs;
  const auto resolved = Resolve(snapshot, {}, costs);
  ASSERT_TRUE(resolved.ok());
  ASSERT_EQ(resolved->endpoints.size(), 3u);
  EXPECT_EQ(resolved->endpoints[0].pod->name, "last");
  EXPECT_EQ(resolved->endpoints[1].kind, AddressKind::kNode);
  EXPECT_EQ(resolved->endpoints[2].pod->name, "two");
}

}  // namespace
}  // namespace npf::resolve
