#include "simulator/contest.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace npf::simulator {
namespace {

// Process() sweeps so much of the index that nothing which has expired is left in it.
constexpr size_t kSweptWhole = 12;

Answer AnswerOf(const Judgement& judgement) {
  return {.allowed = judgement.verdict.allowed != 0,
          .reason = static_cast<Reason>(judgement.verdict.reason),
          .reply = judgement.reply,
          .generation = judgement.verdict.generation,
          .flow_reason = judgement.flow_reason};
}

bool IsSame(const Answer& a, Answer b) {
  const bool of_flow = a.reason == Reason::kEstablished || a.reason == Reason::kRelated;
  if (!of_flow) b.flow_reason = a.flow_reason;
  return a == b;
}

using Differs = std::function<bool(const Sequence&)>;

// Erases runs of a list in `sequence`, from all of it to single ones, while it still differs.
template <typename ListOf>
void ShrinkList(Sequence& sequence, const Differs& differs, ListOf list_of) {
  for (size_t step = list_of(sequence).size(); step > 0; step /= 2) {
    for (size_t at = 0; at < list_of(sequence).size();) {
      Sequence tried = sequence;
      auto& list = list_of(tried);
      const auto from = list.begin() + static_cast<ptrdiff_t>(at);
      list.erase(from, from + static_cast<ptrdiff_t>(std::min(step, list.size() - at)));
      if (differs(tried)) {
        sequence = std::move(tried);
      } else {
        at += step;
      }
    }
  }
}

bool IsBetween(size_t value, size_t least, size_t most) { return least <= value && value <= most; }

}  // namespace

Contest::Contest(Policies& policies, const Setup& setup)
    : policies_(policies),
      setup_(setup),
      program_of_{0, setup.program},
      model_(std::make_unique<Model>(setup.options,
                                     [this](uint32_t generation, const Key& key) {
                                       return policies_.Ask(program_of_.at(generation), key);
                                     })),
      worker_(policies.program(setup.program), setup.options) {}

void Contest::Begin(uint64_t now_ns, std::optional<size_t> program) {
  batch_ = {.now_ns = now_ns, .program = program, .wires = {}};
  answers_.clear();
  if (program.has_value()) {
    program_of_.push_back(*program);
    model_->Replace();
    worker_.Replace(policies_.program(*program));
  }
}

const Answer& Contest::Add(const Wire& wire) {
  if (batch_.wires.empty()) model_->Advance(batch_.now_ns);
  batch_.wires.push_back(wire);
  answers_.push_back(model_->Judge(wire));
  return answers_.back();
}

std::string Contest::End() {
  const size_t count = batch_.wires.size();
  if (frames_.size() < count) frames_.resize(count);
  std::vector<Frame> frames(count);
  for (size_t i = 0; i < count; ++i) {
    Build(batch_.wires[i], frames_[i]);
    frames[i] = frames_[i].view();
  }
  std::vector<Judgement> judgements(count);
  for (Judgement& judgement : judgements) judgement.verdict.generation = ~uint32_t{0};
  worker_.Process(frames, batch_.now_ns, judgements);
  for (size_t i = 0; i < count; ++i) {
    std::string difference = Compare(i, judgements[i]);
    if (!difference.empty()) return difference;
  }
  return CompareCounts();
}

std::string Contest::Compare(size_t number, const Judgement& judgement) const {
  const Wire& wire = batch_.wires[number];
  const Answer engine = AnswerOf(judgement);
  const bool same_packet = wire.key.protocol != kProtocolTcp || wire.IsLaterFragment() ||
                           (judgement.packet.tcp_sequence == wire.sequence &&
                            judgement.packet.key.src_port == wire.key.src_port);
  if (same_packet && IsSame(answers_[number], engine)) return "";
  return absl::StrCat("packet ", number, " of the batch at ", batch_.now_ns, ": ", ToString(wire),
                      "\n  model:  ", ToString(answers_[number]), "\n  worker: ", ToString(engine),
                      same_packet ? "" : " (of another packet)", "\n");
}

std::string Contest::CompareCounts() const {
  const ModelCounts model = model_->counts();
  const WorkerCounts worker = worker_.counts();
  const size_t expired = setup_.options.flows_max <= kSweptWhole ? 0 : model.expired;
  if (worker_.generation() == model_->generation() && worker.table_full == model.table_full &&
      worker.source_full == model.source_full &&
      IsBetween(worker.flows, model.flows, model.flows + expired) &&
      IsBetween(worker.openings, model.openings, model.openings + expired)) {
    return "";
  }
  return absl::StrCat("counts after the batch at ", batch_.now_ns, ": model ", model.flows,
                      " flows, ", model.openings, " openings, full ", model.table_full, " ",
                      model.source_full, "; worker ", worker.flows, ", ", worker.openings,
                      ", full ", worker.table_full, " ", worker.source_full, "\n");
}

std::string Replay(Policies& policies, const Setup& setup, const Sequence& sequence) {
  Contest contest(policies, setup);
  for (const Batch& batch : sequence) {
    contest.Begin(batch.now_ns, batch.program);
    for (const Wire& wire : batch.wires) contest.Add(wire);
    std::string difference = contest.End();
    if (!difference.empty()) return difference;
  }
  return "";
}

Sequence Shrink(Policies& policies, const Setup& setup, Sequence sequence) {
  // A Worker's hashes are its own, so that what depends on them may need some trials.
  const Differs differs = [&](const Sequence& tried) {
    constexpr int kTrials = 3;
    for (int i = 0; i < kTrials; ++i) {
      if (!Replay(policies, setup, tried).empty()) return true;
    }
    return false;
  };
  ShrinkList(sequence, differs, [](Sequence& tried) -> Sequence& { return tried; });
  for (size_t at = 0; at < sequence.size(); ++at) {
    ShrinkList(
        sequence, differs, [at](Sequence & tried) -> auto& { return tried[at].wires; });
    Sequence tried = sequence;
    tried[at].program.reset();
    if (differs(tried)) sequence = std::move(tried);
  }
  return sequence;
}

std::string ToString(const Setup& setup) {
  const WorkerOptions& options = setup.options;
  return absl::StrCat("program ", setup.program, options.midstream_allow ? ", midstream" : "",
                      options.established_keep ? ", keep" : "", ", flows ", options.flows_max,
                      ", openings ", options.openings_max, ", per source ",
                      options.flows_per_source_max, ", datagrams ", options.datagrams_max, "\n");
}

std::string ToString(const Sequence& sequence) {
  std::string text;
  for (const Batch& batch : sequence) {
    absl::StrAppend(&text, "at ", batch.now_ns, " ns");
    if (batch.program.has_value()) absl::StrAppend(&text, ", program ", *batch.program);
    text += ":\n";
    for (const Wire& wire : batch.wires) absl::StrAppend(&text, "  ", ToString(wire), "\n");
  }
  return text;
}

}  // namespace npf::simulator
