// What the tests of numbered attacks share: verdicts as text, of keys and of frames.
#ifndef NPF_TESTS_ATTACKS_ATTACK_BENCH_H_
#define NPF_TESTS_ATTACKS_ATTACK_BENCH_H_

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "npf/classify.h"
#include "npf/worker.h"
#include "unit/packet_builder.h"

namespace npf::testing {

inline constexpr uint64_t kSecondNs = 1'000'000'000;
enum TcpFlag : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16 };

// "allow policy", "deny no_state", ...
inline std::string Text(const Verdict& verdict) {
  return (verdict.allowed != 0 ? "allow " : "deny ") +
         std::string(Name(static_cast<Reason>(verdict.reason)));
}

struct Question {
  std::string src;
  std::string dst;
  uint16_t port = 80;
  uint8_t protocol = kProtocolTcp;
};

inline std::string Ask(const Program& program, const Question& question,
                       const ClassifyOptions& options = {}) {
  const FlowKey key = MakeFlowKey(*ParseIpAddress(question.src), *ParseIpAddress(question.dst),
                                  question.protocol, question.port, 40000);
  Verdict verdict{};
  Classify(program, options, {&key, 1}, {&verdict, 1});
  return Text(verdict);
}

// A worker and its clock. Checksums are not looked at: frames are made without.
class AttackBench {
 public:
  explicit AttackBench(Program program, WorkerOptions options = {})
      : worker(std::move(program), WithoutChecksums(options)) {}

  static Frame FrameOf(const Bytes& bytes, LinkLayer link = LinkLayer::kEthernet) {
    const auto length = static_cast<uint32_t>(bytes.size());
    return {.packet = {.data = bytes.data(), .length = length, .wire_length = length},
            .link = link};
  }
  Judgement Judge(const Frame& frame) {
    Judgement judgement;
    worker.Process({&frame, 1}, now_ns, {&judgement, 1});
    return judgement;
  }
  std::string Outcome(const Frame& frame) { return Text(Judge(frame).verdict); }
  std::string Outcome(const Bytes& ethernet) { return Outcome(FrameOf(ethernet)); }
  // All in one call.
  std::vector<std::string> Outcomes(const std::vector<Bytes>& ethernet) {
    std::vector<Frame> frames;
    frames.reserve(ethernet.size());
    for (const Bytes& bytes : ethernet) frames.push_back(FrameOf(bytes));
    std::vector<Judgement> judgements(frames.size());
    worker.Process(frames, now_ns, judgements);
    std::vector<std::string> outcomes;
    outcomes.reserve(judgements.size());
    for (const Judgement& judgement : judgements) outcomes.push_back(Text(judgement.verdict));
    return outcomes;
  }

  Worker worker;
  uint64_t now_ns = kSecondNs;

 private:
  static WorkerOptions WithoutChecksums(WorkerOptions options) {
    options.checksums = Checksums::kIgnore;
    options.flows_max = 4096;
    return options;
  }
};

}  // namespace npf::testing

#endif  // NPF_TESTS_ATTACKS_ATTACK_BENCH_H_
