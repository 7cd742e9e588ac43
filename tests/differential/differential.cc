#include "differential/differential.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "testing/judge.h"
#include "testing/shrink.h"

namespace npf::testing {
namespace {

bool Differs(const Verdict& verdict, const reference::Answer& answer,
             const ClassifyOptions& options) {
  return FromVerdict(verdict) != FromAnswer(answer) || verdict.generation != options.generation ||
         verdict.flags != 0;
}

absl::StatusOr<Program> CompileAs(const Snapshot& snapshot, PairKind kind) {
  CompileOptions options;
  options.pair_kind = kind;
  return Compile(snapshot, options);
}

std::string Describe(const ClassifyOptions& options) {
  return absl::StrCat("placement ", static_cast<int>(options.placement), ", directions ",
                      static_cast<int>(options.directions), ", unknown pods ",
                      options.deny_unknown_pod ? "denied" : "external");
}

}  // namespace

size_t CountFromEnvironment(const char* name, size_t default_count) {
  const char* text = std::getenv(name);
  if (text == nullptr) return default_count;
  return static_cast<size_t>(std::strtoull(text, nullptr, 10));
}

Contest::Contest(const Snapshot& snapshot, std::span<const PairKind> kinds,
                 reference::Mutation mutation)
    : snapshot_(snapshot), mutation_(mutation) {
  for (const PairKind kind : kinds) {
    absl::StatusOr<Program> program = CompileAs(snapshot, kind);
    if (program.ok()) {
      programs_.emplace(kind, *std::move(program));
      continue;
    }
    ADD_FAILURE() << "pair table " << static_cast<int>(kind) << ": " << program.status();
    ok_ = false;
  }
}

const reference::Evaluator& Contest::EvaluatorFor(const ClassifyOptions& options) {
  auto& evaluator = evaluators_[{options.placement, options.deny_unknown_pod}];
  if (evaluator == nullptr) {
    evaluator = std::make_unique<reference::Evaluator>(
        snapshot_,
        reference::EvaluatorOptions{options.placement, options.deny_unknown_pod, mutation_});
  }
  return *evaluator;
}

std::optional<size_t> Contest::FirstDifference(PairKind kind, const ClassifyOptions& options,
                                               std::span<const AskedQuestion> questions,
                                               std::vector<reference::Answer>& answers) {
  keys_.clear();
  for (const AskedQuestion& asked : questions) keys_.push_back(ToFlowKey(asked.question));
  const reference::Evaluator& evaluator = EvaluatorFor(options);
  answers.clear();
  for (const AskedQuestion& asked : questions) {
    answers.push_back(evaluator.Evaluate(asked.question, options.directions));
  }
  std::optional<size_t> first;
  for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
    if (!SelectKernel(kernel)) continue;
    verdicts_.assign(keys_.size(), Verdict{});
    Classify(programs_.at(kind), options, keys_, verdicts_);
    for (size_t i = 0; i < first.value_or(keys_.size()); ++i) {
      if (Differs(verdicts_[i], answers[i], options)) first = i;
    }
  }
  return first;
}

ClassifyOptions RandomOptions(Random& random) {
  ClassifyOptions options;
  options.directions = static_cast<DirectionMask>(random.Between(1, 3));
  options.placement = static_cast<Placement>(random.Below(4));
  options.deny_unknown_pod = random.Chance(25);
  options.generation = static_cast<uint32_t>(random.Next());
  return options;
}

std::string DescribeDifference(const Cluster& cluster, PairKind kind,
                               const ClassifyOptions& options, const AskedQuestion& asked) {
  const auto answers =
      [&](const Cluster& candidate) -> std::optional<std::pair<Verdict, reference::Answer>> {
    const absl::StatusOr<Snapshot> snapshot = Freeze(candidate);
    if (!snapshot.ok()) return std::nullopt;
    const absl::StatusOr<Program> program = CompileAs(*snapshot, kind);
    if (!program.ok()) return std::nullopt;
    const FlowKey key = ToFlowKey(asked.question);
    Verdict verdict;
    Classify(*program, options, {&key, 1}, {&verdict, 1});
    const reference::Evaluator evaluator(*snapshot, {options.placement, options.deny_unknown_pod});
    return std::pair(verdict, evaluator.Evaluate(asked.question, options.directions));
  };
  const auto fails = [&](const Cluster& candidate) {
    const auto both = answers(candidate);
    return both && Differs(both->first, both->second, options);
  };
  const std::string question = absl::StrCat(ToString(asked.question), ", ", Describe(options),
                                            ", pair table ", static_cast<int>(kind));
  if (!fails(cluster)) {
    return absl::StrCat("differs only within its batch: ", question, "\n", ToYaml(cluster));
  }
  const Cluster small = Shrink(cluster, fails);
  const auto both = *answers(small);
  return absl::StrCat(question, "\n  engine:    ", ToString(FromVerdict(both.first)),
                      "\n  reference: ", ToString(FromAnswer(both.second)), "\n", ToYaml(small));
}

}  // namespace npf::testing
