// A Worker and its model, fed with the same packets and held against each other.
#ifndef NPF_TESTS_SIMULATOR_CONTEST_H_
#define NPF_TESTS_SIMULATOR_CONTEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "npf/worker.h"
#include "simulator/model.h"
#include "simulator/policies.h"
#include "simulator/wire.h"

namespace npf::simulator {

// What a sequence begins with.
struct Setup {
  WorkerOptions options;
  size_t program = 0;
};

// Packets that a Worker gets in one call.
struct Batch {
  uint64_t now_ns = 0;
  std::optional<size_t> program;  // replaces the one before, ahead of the packets
  std::vector<Wire> wires;
};
using Sequence = std::vector<Batch>;

class Contest {
 public:
  Contest(Policies& policies, const Setup& setup);
  Contest(const Contest&) = delete;

  void Begin(uint64_t now_ns, std::optional<size_t> program);
  // The model's answer; the Worker is asked at the end of the batch.
  const Answer& Add(const Wire& wire);
  // What differs, or nothing.
  std::string End();

  const Model& model() const { return *model_; }
  const Batch& batch() const { return batch_; }

 private:
  std::string Compare(size_t number, const Judgement& judgement) const;
  std::string CompareCounts() const;

  Policies& policies_;
  Setup setup_;
  std::vector<size_t> program_of_;  // by generation; none has the number 0
  std::unique_ptr<Model> model_;
  Worker worker_;
  Batch batch_;
  std::vector<Answer> answers_;
  std::vector<BuiltFrame> frames_;
};

// What differs first in a sequence, or nothing.
std::string Replay(Policies& policies, const Setup& setup, const Sequence& sequence);

// Takes out whatever packets, batches and swaps can go while something differs.
Sequence Shrink(Policies& policies, const Setup& setup, Sequence sequence);

std::string ToString(const Setup& setup);
std::string ToString(const Sequence& sequence);

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_CONTEST_H_
