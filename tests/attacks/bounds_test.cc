// Attacks on time and memory: secrets of hashes, work for each packet, compilation, and updates
// that come faster than anybody needs.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "attacks/attack_bench.h"
#include "conntrack/flow_table.h"
#include "conntrack/keyed_hash.h"
#include "program/view.h"
#include "testing/random.h"
#include "testing/world.h"
#include "unit/flow_builder.h"

namespace npf::testing {
namespace {

// Whatever has not been judged is denied, and nobody judges without a policy.
TEST(BoundsAttack, A100NothingIsAllowedBeforeTheFirstPolicy) {
  static_assert(!std::is_default_constructible_v<Worker>);
  EXPECT_EQ(Judgement().verdict.allowed, 0);
  EXPECT_EQ(Verdict().allowed, 0);
  EXPECT_EQ(ParsedPacket().outcome, ParseOutcome::kDeny);
}

constexpr char kClient[] = "10.0.0.1";
constexpr char kServer[] = "10.0.0.2";

Bytes Segment80(bool reply, uint8_t flags, uint32_t sequence, uint32_t acknowledgement) {
  const Tcp segment{.src_port = static_cast<uint16_t>(reply ? 80 : 40000),
                    .dst_port = static_cast<uint16_t>(reply ? 40000 : 80),
                    .flags = flags,
                    .sequence = sequence,
                    .acknowledgement = acknowledgement,
                    .window = 0xffff};
  return Ethernet(0x0800,
                  Packet(Ipv4{.src = reply ? kServer : kClient, .dst = reply ? kClient : kServer},
                         Segment(segment)));
}

void Connect(AttackBench& bench) {
  ASSERT_EQ(bench.Outcome(Segment80(false, kSyn, 0, 0)), "allow policy");
  ASSERT_EQ(bench.Outcome(Segment80(true, kSyn | kAck, 0, 1)), "allow established");
  ASSERT_EQ(bench.Outcome(Segment80(false, kAck, 1, 1)), "allow established");
}

std::vector<std::string> Objects() {
  return {PodYaml("x", "client", kClient, "app: client"),
          PodYaml("x", "server", kServer, "app: server"),
          PolicyYaml("x", "all", "{podSelector: {}}"),
          PolicyYaml("x", "web",
                     "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: "
                     "{matchLabels: {app: client}}}], ports: [{port: 80}]}]}")};
}

// Who asks sees that nothing changed: equal objects in any order give equal bytes.
TEST(BoundsAttack, A107AnUpdateThatChangesNothingGivesTheSameBytes) {
  std::vector<std::string> objects = Objects();
  std::sort(objects.begin(), objects.end());
  std::vector<std::byte> first;
  do {
    std::string text;
    for (const std::string& object : objects) text += object;
    const Program program = ProgramOf(text);
    const std::vector<std::byte> bytes(program.image().begin(), program.image().end());
    if (first.empty()) first = bytes;
    ASSERT_EQ(bytes, first);
  } while (std::next_permutation(objects.begin(), objects.end()));
}

// And who does not, pays little: the number of the policy rises, and a connection is judged again
// when its next packet comes, however many updates there were since.
TEST(BoundsAttack, A107TenThousandUpdatesDoNotFlap) {
  std::string text;
  for (const std::string& object : Objects()) text += object;
  const Program program = ProgramOf(text);
  AttackBench bench(program);
  Connect(bench);
  const Bytes data = Segment80(false, kAck | kPsh, 1, 1);
  const Bytes other = Ethernet(0x0800, Packet(Ipv4{.src = kServer, .dst = kClient}, Segment({})));
  constexpr uint32_t kUpdates = 10'000;
  for (uint32_t i = 1; i <= kUpdates; ++i) {
    bench.worker.Replace(program);
    if (i % 3 == 0) continue;  // some pass without a packet
    const Judgement judgement = bench.Judge(AttackBench::FrameOf(data));
    ASSERT_EQ(Text(judgement.verdict), "allow established") << i;
    ASSERT_EQ(judgement.verdict.generation, i + 1) << "judged again, once";
    ASSERT_EQ(bench.Outcome(other), "deny policy") << i;
  }
  EXPECT_EQ(bench.worker.generation(), kUpdates + 1);
  EXPECT_EQ(bench.worker.counts().flows, 1u);
}

// Memory of a caller's that knows how much of it is in use.
struct CountedMemory {
  size_t used = 0, most = 0, blocks = 0, blocks_most = 0;

  MemoryHook hook() {
    return {.allocate =
                [](size_t bytes, size_t alignment, void* context) {
                  auto& self = *static_cast<CountedMemory*>(context);
                  self.used += bytes;
                  self.most = std::max(self.most, self.used);
                  self.blocks_most = std::max(self.blocks_most, ++self.blocks);
                  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
                  void* const memory = std::aligned_alloc(alignment, rounded);
                  if (memory != nullptr) std::fill_n(static_cast<char*>(memory), bytes, 0);
                  return memory;
                },
            .release =
                [](void* memory, size_t bytes, void* context) {
                  auto& self = *static_cast<CountedMemory*>(context);
                  self.used -= bytes;
                  --self.blocks;
                  std::free(memory);
                },
            .context = this};
  }
};

// Every pod is another one after each round, with another address and label; clients of the round
// may ask, those of the round before may not.
Snapshot Churned(uint32_t round, uint32_t pods) {
  SnapshotBuilder builder;
  NetworkPolicy policy{.ns = "x", .name = "web", .policy_types = {"Ingress"}};
  const std::string now = "r" + std::to_string(100 + round);
  policy.pod_selector.match_labels.Set("app", "server");
  policy.ingress = {{.peers = {{.pod_selector = LabelSelector{.match_labels = {{"round", now}}}}}}};
  builder.Add(policy);
  builder.Add(Pod{.ns = "x", .name = "server", .labels = {{"app", "server"}}, .ips = {kServer}});
  for (uint32_t i = 0; i < pods; ++i) {
    const IpAddress ip = IpAddress::V4(0x0a010000 + round % 2 * 0x10000 + i);
    builder.Add(Pod{.ns = "x",
                    .name = "p" + std::to_string(100'000 + round * pods + i),
                    .labels = {{"round", now}},
                    .ips = {ToString(ip)}});
  }
  Diagnostics diagnostics;
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (!snapshot.ok()) std::abort();
  return *std::move(snapshot);
}

// What a test can see of ten minutes: rounds of a thousand pods, of which each replaces all.
TEST(BoundsAttack, A110AfterAStormOfPodsTheNewestHoldsAndNothingIsLeft) {
  constexpr uint32_t kPods = 1000, kRounds = 24;
  CountedMemory memory;
  size_t first_bytes = 0;
  {
    AttackBench bench(ProgramOf(PodYaml("x", "server", kServer, "app: server")));
    for (uint32_t round = 0; round < kRounds; ++round) {
      const absl::StatusOr<Program> compiled = Compile(Churned(round, kPods));
      ASSERT_TRUE(compiled.ok()) << compiled.status();
      absl::StatusOr<Program> moved = compiled->MovedTo(memory.hook());
      ASSERT_TRUE(moved.ok()) << moved.status();
      if (round == 0) first_bytes = moved->image().size();
      EXPECT_EQ(moved->image().size(), first_bytes) << "as large as in the first round";
      bench.worker.Replace(*std::move(moved));
      const auto ask = [&](uint32_t of_round) {
        const std::string ip = ToString(IpAddress::V4(0x0a010000 + of_round % 2 * 0x10000 + 7));
        const Tcp syn{.src_port = static_cast<uint16_t>(40000 + round)};
        return bench.Outcome(
            Ethernet(0x0800, Packet(Ipv4{.src = ip, .dst = kServer}, Segment(syn))));
      };
      EXPECT_EQ(ask(round), "allow policy");
      EXPECT_EQ(ask(round + 1), "deny policy") << "the address of a pod that is gone";
    }
    EXPECT_EQ(memory.blocks, 1u);
  }
  EXPECT_EQ(memory.blocks_most, 2u) << "the old one and the new one";
  EXPECT_EQ(memory.used, 0u);
}

uint64_t HashUnder(const conntrack::Secret& secret, uint64_t word) {
  const uint64_t words[] = {word, ~word, word * 3};
  return conntrack::KeyedHash64(words, secret);
}

// New in each table and each process, and every bit of it counts, but one that makes a factor odd.
TEST(BoundsAttack, A121SecretsAreNewAndLong) {
  static_assert(sizeof(conntrack::Secret) * 8 >= 64);
  std::set<uint64_t> words;
  constexpr size_t kSecrets = 1000;
  for (size_t i = 0; i < kSecrets; ++i) {
    for (const uint64_t word : conntrack::NewSecret()) words.insert(word);
  }
  EXPECT_EQ(words.size(), 2 * kSecrets);

  const conntrack::Secret secret = conntrack::NewSecret();
  size_t bits_that_count = 0;
  for (size_t bit = 0; bit < 128; ++bit) {
    conntrack::Secret other = secret;
    other[bit / 64] ^= uint64_t{1} << bit % 64;
    bits_that_count += HashUnder(secret, 0x1234567) != HashUnder(other, 0x1234567) ? 1 : 0;
  }
  EXPECT_GE(bits_that_count, 126u);

  const conntrack::FlowTableOptions options{.capacity = 64};
  const conntrack::FlowTable one(options), two(options);
  size_t equal = 0;
  for (uint16_t port = 1; port <= 64; ++port) {
    const FlowKey key = Key(kProtocolTcp, 1, port, 2, 80);
    equal += one.HashOf(key) == two.HashOf(key) ? 1 : 0;
  }
  EXPECT_LE(equal, 1u);
}

// A process that another one made has not its parent's.
TEST(BoundsAttack, A121AChildHasASecretOfItsOwn) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const conntrack::Secret secret = conntrack::NewSecret();
    const bool written = write(ends[1], secret.data(), sizeof secret) == sizeof secret;
    _exit(written ? 0 : 1);
  }
  const conntrack::Secret own = conntrack::NewSecret();
  conntrack::Secret other{};
  EXPECT_EQ(read(ends[0], other.data(), sizeof other), static_cast<ssize_t>(sizeof other));
  int status = 1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(own[0], other[0]);
  EXPECT_NE(own[1], other[1]);
  close(ends[0]);
  close(ends[1]);
}

// A block of every length under one address, and others beside them: what makes a search by tuples
// look into a table for each length. Rule i is for port 1 + i.
std::vector<IpPrefix> EveryMask(size_t rules, int bits) {
  Random random(7);
  std::vector<IpPrefix> blocks;
  for (size_t i = 0; i < rules; ++i) {
    IpPrefix block{.address = bits == 32 ? IpAddress::V4(0x14000000) : *ParseIpAddress("2a00::")};
    if (i >= static_cast<size_t>(bits)) {
      for (size_t k = 0; k < static_cast<size_t>(bits) / 8; ++k) {
        block.address.bytes[k] ^= static_cast<uint8_t>(random.Below(16));
      }
    }
    block.length = static_cast<uint8_t>(1 + i % static_cast<size_t>(bits));
    blocks.push_back(Masked(block));
  }
  return blocks;
}

Program ProgramOfBlocks(const std::vector<IpPrefix>& blocks, const std::string& pod) {
  SnapshotBuilder builder;
  NetworkPolicy policy{.ns = "x", .name = "p", .policy_types = {"Ingress"}};
  for (size_t i = 0; i < blocks.size(); ++i) {
    PolicyRule rule;
    rule.peers = {{.ip_block = IpBlock{.cidr = ToString(blocks[i])}}};
    rule.ports = {{.port = IntOrString(static_cast<int64_t>(1 + i))}};
    policy.ingress.push_back(std::move(rule));
  }
  builder.Add(std::move(policy));
  builder.Add(Pod{.ns = "x", .name = "s", .ips = {pod}});
  Diagnostics diagnostics;
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (!snapshot.ok()) std::abort();
  absl::StatusOr<Program> program = Compile(*snapshot);
  if (!program.ok()) std::abort();
  return *std::move(program);
}

// Steps of the search among IPv6 intervals, which alone has more for more of them: by upper halves,
// then by lower ones.
size_t SearchSteps(const ProgramView& view) {
  const auto steps = [](size_t count) { return static_cast<size_t>(std::bit_width(count)); };
  const auto segments = view.Section<uint32_t>(layout::kV6Segments);
  size_t longest = 0;
  for (size_t i = 1; i < segments.size(); ++i) {
    longest = std::max<size_t>(longest, segments[i] - segments[i - 1]);
  }
  return steps(view.Section<uint64_t>(layout::kV6Highs).size()) + steps(longest);
}

// ns for each of `keys`, in the best of many rounds.
double BestTime(const Program& program, const std::vector<FlowKey>& keys) {
  std::vector<Verdict> verdicts(keys.size());
  double best = 1e9;
  for (int round = 0; round < 40; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    Classify(program, {}, keys, verdicts);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / static_cast<double>(keys.size()));
  }
  return best;
}

// A packet for each rule, so that each mask is touched.
void ExpectWorkDoesNotFollowRules() {
  constexpr size_t kFew = 40, kMany = 4000;
  for (const int bits : {32, 128}) {
    const IpAddress pod = *ParseIpAddress(bits == 32 ? "10.0.0.2" : "fd00::2");
    double took[2];
    for (const size_t rules : {kFew, kMany}) {
      const std::vector<IpPrefix> blocks = EveryMask(rules, bits);
      const Program program = ProgramOfBlocks(blocks, ToString(pod));
      std::vector<FlowKey> keys;
      for (size_t i = 0; i < kMany; ++i) {
        const size_t rule = i % rules;
        keys.push_back(MakeFlowKey(FirstAddress(blocks[rule]), pod, kProtocolTcp,
                                   static_cast<uint16_t>(1 + rule)));
      }
      std::vector<Verdict> verdicts(keys.size());
      Classify(program, {}, keys, verdicts);
      for (const Verdict& verdict : verdicts) ASSERT_EQ(Text(verdict), "allow policy");
      EXPECT_LE(SearchSteps(program.view()), 2 * std::bit_width(2 * kMany + 1));
      took[rules == kFew ? 0 : 1] = BestTime(program, keys);
    }
    // A hundred times the rules: caches are missed, and no rule is looked at.
    EXPECT_LE(took[1], 15 * took[0]) << took[1] << " ns after " << took[0] << ", IPv" << bits;
  }
}

TEST(BoundsAttack, A122WorkForAPacketDoesNotFollowTheNumberOfRules) {
  for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
    if (!SelectKernel(kernel)) continue;
    SCOPED_TRACE(Name(kernel));
    ExpectWorkDoesNotFollowRules();
  }
  SelectKernel(Kernel::kAuto);
}

}  // namespace
}  // namespace npf::testing
