// The library's parser against the slow one (reference_parser.h) on mutated frames of every link
// layer and under every option, with the packets that ICMP errors quote; and ClassifyFrames, with
// each kernel, against what the slow parser finds and Classify says of it.
//
// NPF_PARSER_FRAMES is the number of frames of each of the two sources, NPF_PARSER_SEED the first
// batch's seed. A batch has a seed of its own, so that a failure comes back from its seed with
// NPF_PARSER_FRAMES=64.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "npf/compiler.h"
#include "npf/frames.h"
#include "packet/plain.h"
#include "packet/quoted.h"
#include "packet/tcp_flags.h"
#include "parser/frame_mutator.h"
#include "parser/parser_coverage.h"
#include "parser/reference_parser.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kDefaultFrames = 2'000'000;
// Everything that counts is seen once in so many frames.
constexpr uint64_t kRarest = 50'000;

// Around the addresses of packet_builder.h: verdicts that depend on every part of a key.
constexpr const char* kCluster = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.0.1.10}, {ip: "fd00:1::10"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: a, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.0.1.1}, {ip: "fd00:1::1"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: a}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from: [{ipBlock: {cidr: 198.51.100.0/24}}, {ipBlock: {cidr: "2001:db8::/32"}}]
    ports: [{port: 80}, {port: 53, protocol: UDP}, {port: 3868, endPort: 4000, protocol: SCTP}]
  - from: [{ipBlock: {cidr: 128.0.0.0/1, except: [198.51.100.0/24]}}, {podSelector: {}}]
)";

size_t FromEnvironment(const char* name, size_t otherwise) {
  const char* const given = std::getenv(name);
  return given == nullptr ? otherwise : std::stoull(given);
}

struct Batch {
  ParseOptions options;
  std::vector<MutatedFrame> frames;
};

Batch MakeBatch(const FrameMutator& mutator, uint64_t seed) {
  Random random(seed);
  Batch batch;
  batch.options.link =
      random.Chance(45) ? LinkLayer::kEthernet : kLinkLayers[random.Below(std::size(kLinkLayers))];
  batch.options.vlan = random.Chance(85);
  batch.options.checksums = static_cast<Checksums>(random.Below(3));
  batch.options.header_in_parts = random.Chance(20);
  for (size_t i = 0; i < kBatch; ++i) {
    batch.frames.push_back(mutator.Make(batch.options.link, random));
  }
  return batch;
}

class ParserContest {
 public:
  explicit ParserContest(Program program) : program_(std::move(program)) {}

  // False: something differs, and the test has failed.
  bool Run(const Batch& batch) {
    std::vector<ReferenceAnswer> answers;
    for (const MutatedFrame& frame : batch.frames) {
      if (!CheckFrame(frame.view(), batch.options, answers)) return false;
    }
    return CheckVerdicts(batch, answers, Kernel::kScalar) &&
           CheckVerdicts(batch, answers, Kernel::kAvx512);
  }
  const ParserCoverage& coverage() const { return coverage_; }
  uint64_t plain() const { return plain_; }

 private:
  bool CheckFrame(const PacketView& view, const ParseOptions& options,
                  std::vector<ReferenceAnswer>& answers) {
    const FrameCut cut(view, options);
    const ReferenceAnswer& answer = answers.emplace_back(ReferenceParse(cut, view));
    coverage_.Count(answer);
    const ParsedPacket parsed = ParsePacket(view, options);
    const std::string difference = Difference(parsed, answer.parsed);
    if (!difference.empty()) {
      ADD_FAILURE() << "parser:" << difference << "\n" << Describe(cut, view, answer);
      return false;
    }
    if (!CheckPlain(view, options, answer)) {
      ADD_FAILURE() << "plain: " << Describe(cut, view, answer);
      return false;
    }
    if (parsed.outcome == ParseOutcome::kDeny || parsed.quoted_bytes == 0) return true;
    const ReferenceAnswer quoted = ReferenceParseQuoted(view, parsed);
    coverage_.CountQuoted(quoted);
    const std::string quoted_difference =
        Difference(packet::ParseQuoted(view, parsed), quoted.parsed);
    if (quoted_difference.empty()) return true;
    ADD_FAILURE() << "quoted:" << quoted_difference << "\n" << Describe(cut, view, answer);
    return false;
  }

  // What is read in one straight line is read right (packet/plain.h).
  bool CheckPlain(const PacketView& view, const ParseOptions& options,
                  const ReferenceAnswer& answer) {
    if (options.link != LinkLayer::kEthernet) return true;
    ParsedPacket plain;
    if (!packet::PlainReader(options).Read(view, plain.key)) return true;
    packet::PlainReader::Describe(view, plain);
    if ((plain.tcp_flags & packet::kTcpSyn) != 0) packet::DescribeSyn(view, plain);
    ++plain_;
    return Difference(plain, answer.parsed).empty();
  }

  // As npf/frames.h says.
  Verdict ExpectedVerdict(const ParsedPacket& parsed) const {
    Verdict verdict{};
    if (parsed.outcome == ParseOutcome::kJudge) {
      Classify(program_, {}, {&parsed.key, 1}, {&verdict, 1});
      if (parsed.later_fragment && verdict.allowed == 0) {
        verdict.reason = static_cast<uint8_t>(Reason::kFragmentNoFirst);
      }
      return verdict;
    }
    verdict.cell = kNoCell;
    verdict.allowed = parsed.outcome == ParseOutcome::kPass ? 1 : 0;
    verdict.reason = static_cast<uint8_t>(parsed.reason);
    verdict.directions = verdict.allowed != 0 ? kIngressAllowed | kEgressAllowed : 0;
    return verdict;
  }

  bool CheckVerdicts(const Batch& batch, const std::vector<ReferenceAnswer>& answers,
                     Kernel kernel) const {
    if (!SelectKernel(kernel)) return true;  // this processor lacks it
    std::vector<PacketView> views;
    for (const MutatedFrame& frame : batch.frames) views.push_back(frame.view());
    std::vector<Verdict> verdicts(views.size());
    ClassifyFrames(program_, {.parse = batch.options}, views, verdicts);
    for (size_t i = 0; i < views.size(); ++i) {
      const Verdict expected = ExpectedVerdict(answers[i].parsed);
      if (std::memcmp(&verdicts[i], &expected, sizeof expected) == 0) continue;
      ADD_FAILURE() << Name(kernel) << ": allowed " << int{verdicts[i].allowed} << " "
                    << Name(static_cast<Reason>(verdicts[i].reason)) << ", not "
                    << int{expected.allowed} << " " << Name(static_cast<Reason>(expected.reason))
                    << "\n"
                    << Describe(FrameCut(views[i], batch.options), views[i], answers[i]);
      return false;
    }
    return true;
  }

  Program program_;
  ParserCoverage coverage_;
  uint64_t plain_ = 0;  // frames that were read in one line
};

void RunFrames(const char* source, std::vector<FrameSeed> seeds,
               const absl::StatusOr<Snapshot>& snapshot, bool every_rule) {
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  absl::StatusOr<Program> program = Compile(*snapshot);
  ASSERT_TRUE(program.ok()) << program.status();
  const size_t frames = FromEnvironment("NPF_PARSER_FRAMES", kDefaultFrames);
  const size_t first_seed = FromEnvironment("NPF_PARSER_SEED", 1);
  std::printf("%zu %s frames to begin with, seeds from %zu on\n", seeds.size(), source, first_seed);
  const FrameMutator mutator(std::move(seeds));
  ParserContest contest(*std::move(program));
  const auto start = std::chrono::steady_clock::now();
  size_t failures = 0;
  for (size_t i = 0; i * kBatch < frames && failures < 3; ++i) {
    if (contest.Run(MakeBatch(mutator, first_seed + i))) continue;
    ADD_FAILURE() << "NPF_PARSER_SEED=" << first_seed + i;
    ++failures;
  }
  SelectKernel(Kernel::kAuto);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf(
      "== report: parser and slow parser on mutations of %s frames\n%s"
      "%zu mismatches, %.1f s\n== end of report\n",
      source, contest.coverage().Table().c_str(), failures, seconds.count());
  if (contest.coverage().frames() < 10 * kRarest) return;  // too few to say
  EXPECT_GT(contest.plain(), contest.coverage().frames() / kRarest);
  for (const std::string& rare : contest.coverage().SeenLessThanOnceIn(kRarest, every_rule)) {
    ADD_FAILURE() << "seen less than once in " << kRarest << " frames: " << rare;
  }
}

TEST(ParserTest, EqualsTheSlowOneOnBuiltFrames) {
  RunFrames("built", BuiltSeeds(), LoadSnapshotText(kCluster, "cluster.yaml"), true);
}

TEST(ParserTest, EqualsTheSlowOneOnCapturedFrames) {
  NPF_SHARED_OR_SKIP(shared);
  const auto adversarial = shared / "adversarial";
  RunFrames("captured", CapturedSeeds(shared),
            LoadSnapshot({adversarial / "cluster.yaml", adversarial / "policies.yaml"}), false);
}

}  // namespace
}  // namespace npf::testing
