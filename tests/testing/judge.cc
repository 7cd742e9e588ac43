#include "testing/judge.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "npf/classify.h"
#include "npf/compiler.h"

namespace npf::testing {
namespace {

class ReferenceJudge : public Judge {
 public:
  explicit ReferenceJudge(const Snapshot& snapshot) : evaluator_(snapshot) {}
  std::string name() const override { return "reference"; }
  std::vector<Judgement> Ask(std::span<const reference::Question> questions) const override {
    std::vector<Judgement> judgements;
    judgements.reserve(questions.size());
    for (const reference::Question& question : questions) {
      judgements.push_back(FromAnswer(evaluator_.Evaluate(question)));
    }
    return judgements;
  }

 private:
  reference::Evaluator evaluator_;
};

class EngineJudge : public Judge {
 public:
  EngineJudge(std::string name, Program program)
      : name_(std::move(name)), program_(std::move(program)) {}
  std::string name() const override { return name_; }
  std::vector<Judgement> Ask(std::span<const reference::Question> questions) const override {
    std::vector<FlowKey> keys;
    keys.reserve(questions.size());
    for (const reference::Question& question : questions) keys.push_back(ToFlowKey(question));
    std::vector<Verdict> verdicts(keys.size());
    Classify(program_, {}, keys, verdicts);
    std::vector<Judgement> judgements;
    judgements.reserve(verdicts.size());
    for (const Verdict& verdict : verdicts) judgements.push_back(FromVerdict(verdict));
    return judgements;
  }

 private:
  std::string name_;
  Program program_;
};

}  // namespace

Judgement FromAnswer(const reference::Answer& answer) {
  return {answer.allowed, answer.ingress.allowed, answer.egress.allowed, answer.reason};
}

Judgement FromVerdict(const Verdict& verdict) {
  return {verdict.allowed != 0, (verdict.directions & kIngressAllowed) != 0,
          (verdict.directions & kEgressAllowed) != 0, static_cast<Reason>(verdict.reason)};
}

FlowKey ToFlowKey(const reference::Question& question) {
  return MakeFlowKey(question.src, question.dst, question.protocol, question.dst_port);
}

std::string ToString(const Judgement& judgement) {
  const auto word = [](bool allowed) { return allowed ? "allow" : "deny"; };
  const std::string_view reason = Name(judgement.reason);
  return absl::StrCat(word(judgement.allowed), " (ingress ", word(judgement.ingress), ", egress ",
                      word(judgement.egress), ", ", absl::string_view(reason.data(), reason.size()),
                      ")");
}

std::vector<std::unique_ptr<Judge>> AllJudges(const Snapshot& snapshot) {
  std::vector<std::unique_ptr<Judge>> judges;
  judges.push_back(std::make_unique<ReferenceJudge>(snapshot));
  const std::pair<const char*, PairKind> kinds[] = {{"engine, default", PairKind::kAuto},
                                                    {"engine, dense", PairKind::kDense},
                                                    {"engine, tiled", PairKind::kTiled},
                                                    {"engine, hash", PairKind::kHash}};
  for (const auto& [name, kind] : kinds) {
    CompileOptions options;
    options.pair_kind = kind;
    absl::StatusOr<Program> program = Compile(snapshot, options);
    if (program.ok()) {
      judges.push_back(std::make_unique<EngineJudge>(name, *std::move(program)));
    } else if (kind == PairKind::kAuto || !absl::IsResourceExhausted(program.status())) {
      ADD_FAILURE() << name << ": " << program.status();
    }
  }
  return judges;
}

}  // namespace npf::testing
