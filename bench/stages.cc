#include "stages.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "classify/address_lookup.h"
#include "frame_judge.h"
#include "machine.h"
#include "measure.h"

namespace npf::bench {
namespace {

constexpr size_t kBatch = 64;
constexpr ClassifyOptions kOptions{.placement = Placement::kNodeWire};

class Stage : public Contender {
 public:
  Stage(const StageProgram& compiled, std::string name)
      : program_(compiled.program),
        table_bytes_(compiled.table_bytes),
        build_ns_(compiled.build_ns),
        name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  size_t table_bytes() const override { return table_bytes_; }
  uint64_t build_ns() const override { return build_ns_; }
  Scope scope() const override { return Scope::kAll; }
  bool Covers(const FlowKey&) const override { return true; }

 protected:
  const Program& program() const { return program_; }

 private:
  const Program& program_;
  size_t table_bytes_;
  uint64_t build_ns_;
  std::string name_;
};

std::string NameOf(const char* stage, Kernel kernel) {
  return absl::StrCat("npf ", stage, " ", std::string(Name(kernel)));
}

// Selecting asks the processor what it is, which takes a virtual machine long.
void UseKernel(Kernel kernel) {
  if (ActiveKernel() != kernel) SelectKernel(kernel);
}

class AddressStage : public Stage {
 public:
  explicit AddressStage(const StageProgram& compiled) : Stage(compiled, "npf addr") {}

  Scope scope() const override { return Scope::kNone; }

  void Run(std::span<const FlowKey> keys, std::span<uint8_t>) override {
    const ProgramView& view = program().view();
    if (view.header().v4_entry_bytes == 8) return LookUp<V4Trie<uint64_t, uint32_t>>(keys);
    if (view.header().leaf_bytes == 4) return LookUp<V4Trie<uint32_t, uint32_t>>(keys);
    LookUp<V4Trie<uint32_t, uint16_t>>(keys);
  }

 private:
  template <typename Trie>
  void LookUp(std::span<const FlowKey> keys) const {
    const ProgramView& view = program().view();
    const Trie trie(view);
    const V6Tables v6(view);
    uint64_t sum = 0;
    for (const FlowKey& key : keys) {
      if (key.family == 6) {
        sum += uint64_t{v6.ClassOf(key.src)} + v6.ClassOf(key.dst);
      } else {
        sum += uint64_t{trie.ClassOf(key.src)} + trie.ClassOf(key.dst);
      }
    }
    volatile uint64_t used = sum;
    static_cast<void>(used);
  }
};

void CopyAllowed(std::span<const Verdict> verdicts, uint8_t* allowed) {
  for (size_t i = 0; i < verdicts.size(); ++i) allowed[i] = verdicts[i].allowed;
}

class DecideStage : public Stage {
 public:
  DecideStage(const StageProgram& compiled, Kernel kernel)
      : Stage(compiled, NameOf("decide", kernel)), kernel_(kernel) {}

  void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) override {
    Decide(keys, [&](size_t first, std::span<const Verdict> verdicts) {
      CopyAllowed(verdicts, allowed.data() + first);
    });
  }
  void RunForTime(std::span<const FlowKey> keys, std::span<uint8_t>) override {
    Decide(keys, [](size_t, std::span<const Verdict>) {});
  }

 private:
  template <typename Use>
  void Decide(std::span<const FlowKey> keys, Use use) const {
    UseKernel(kernel_);
    std::array<Verdict, kBatch> verdicts;
    for (size_t done = 0; done < keys.size(); done += kBatch) {
      const size_t count = std::min(kBatch, keys.size() - done);
      Classify(program(), kOptions, keys.subspan(done, count), verdicts);
      use(done, {verdicts.data(), count});
    }
  }

  Kernel kernel_;
};

class ParseDecideStage : public Stage {
 public:
  ParseDecideStage(const StageProgram& compiled, Kernel kernel, const FrameSet& frames,
                   Checksums checksums)
      : Stage(compiled, NameOf("parse+decide", kernel)),
        kernel_(kernel),
        judge_(compiled.program, kOptions, checksums),
        frames_(frames) {}

  bool ReadsKeys() const override { return false; }
  void Receive(size_t first, size_t count) override {
    if (buffers_.count() < count) buffers_ = FrameBuffers(count);
    judge_.Clear();
    for (size_t i = 0; i < count; ++i) {
      const size_t frame = (first + i) % frames_.size();
      judge_.Add(frames_.Receive(frame, buffers_.At(i)), frames_.link(frame));
    }
  }
  void Run(std::span<const FlowKey>, std::span<uint8_t> allowed) override {
    Decide([&](size_t first, std::span<const Verdict> verdicts) {
      CopyAllowed(verdicts, allowed.data() + first);
    });
  }
  void RunForTime(std::span<const FlowKey>, std::span<uint8_t>) override {
    Decide([](size_t, std::span<const Verdict>) {});
  }

 private:
  template <typename Use>
  void Decide(Use use) {
    UseKernel(kernel_);
    judge_.Judge(use);
  }

  Kernel kernel_;
  FrameJudge judge_;
  const FrameSet& frames_;
  FrameBuffers buffers_{1};
};

// What reading the ticks costs between two readings.
uint64_t TickCost() {
  uint64_t least = ~uint64_t{0};
  for (int i = 0; i < 1000; ++i) {
    const uint64_t start = SettledTicks();
    least = std::min(least, SettledTicks() - start);
  }
  return least;
}

}  // namespace

std::unique_ptr<Contender> MakeAddressStage(const StageProgram& compiled) {
  return std::make_unique<AddressStage>(compiled);
}

std::unique_ptr<Contender> MakeDecideStage(const StageProgram& compiled, Kernel kernel) {
  return std::make_unique<DecideStage>(compiled, kernel);
}

std::unique_ptr<Contender> MakeParseDecideStage(const StageProgram& compiled, Kernel kernel,
                                                const FrameSet& frames, Checksums checksums) {
  return std::make_unique<ParseDecideStage>(compiled, kernel, frames, checksums);
}

std::vector<double> MeasureBatchLatency(const Program& program, Kernel kernel,
                                        std::span<const FlowKey> keys, size_t rounds) {
  SelectKernel(kernel);
  const double ticks_a_ns = ProbeTscGhz();
  const double ns_a_tick = ticks_a_ns == 0 ? 1 : 1 / ticks_a_ns;
  const uint64_t cost = TickCost();
  const size_t batches = keys.size() / kBatch;
  // Keys are written some batches before they are judged, as by a parser or a network card.
  constexpr size_t kAhead = 8;
  std::vector<std::array<FlowKey, kBatch>> ring(2 * kAhead);
  const auto write = [&](size_t i) {
    std::ranges::copy(keys.subspan(i % batches * kBatch, kBatch), ring[i % ring.size()].begin());
  };
  for (size_t i = 0; i < kAhead; ++i) write(i);
  std::array<Verdict, kBatch> verdicts;
  std::vector<double> ns;
  ns.reserve(rounds * batches);  // growing would clear the caches now and then
  for (size_t i = 0; i < rounds * batches; ++i) {
    write(i + kAhead);
    const uint64_t start = SettledTicks();
    Classify(program, kOptions, ring[i % ring.size()], verdicts);
    const uint64_t spent = SettledTicks() - start;
    ns.push_back(static_cast<double>(spent - std::min(spent, cost)) * ns_a_tick);
  }
  return ns;
}

}  // namespace npf::bench
