// Runs a kernel over batches, and sees to what it leaves. Each of these passes is entered only
// where an option or a key asks for it.
#include "npf/classify.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "classify/address_lookup.h"
#include "classify/kernel.h"
#include "program/layout.h"
#include "program/view.h"

namespace npf {
namespace {

void SetOutcome(Verdict& verdict, uint8_t directions, Reason reason) {
  verdict.directions = directions;
  verdict.allowed = directions == (kIngressAllowed | kEgressAllowed);
  verdict.reason = static_cast<uint8_t>(reason);
  verdict.flags = 0;
}

// What is asked of one batch.
struct Batch {
  const ProgramView& view;
  const ClassifyOptions& options;
  std::span<const FlowKey> keys;
  std::span<Verdict> verdicts;

  uint8_t not_asked() const {
    return static_cast<uint8_t>(~static_cast<uint8_t>(options.directions) & 3);
  }
};

// R36: a pod is never kept from itself. A key of no known family is malformed.
void JudgeReserved(const Batch& batch) {
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    const FlowKey& key = batch.keys[i];
    Verdict& verdict = batch.verdicts[i];
    if (key.family != 4 && key.family != 6) {
      verdict.cell = layout::kMalformedCell;
      SetOutcome(verdict, 0, Reason::kMalformed);
      continue;
    }
    const size_t bytes = key.family == 4 ? 4 : 16;
    if (std::memcmp(key.src, key.dst, bytes) != 0) continue;
    if (ClassOf(batch.view, key.family, key.src) >= batch.view.header().pod_class_count) continue;
    verdict.cell = layout::kLoopbackCell;
    SetOutcome(verdict, kIngressAllowed | kEgressAllowed, Reason::kLoopback);
  }
}

// One direction is asked: the other one counts as allowed, and what decides only there is no
// reason.
void JudgeOneDirection(const Batch& batch) {
  const auto decisions = batch.view.Section<layout::Decision>(layout::kDecisions);
  const size_t direction = batch.options.directions == DirectionMask::kIngress ? 0 : 1;
  for (Verdict& verdict : batch.verdicts) {
    const layout::Cell& cell = batch.view.Section<layout::Cell>(layout::kCells)[verdict.cell];
    const uint8_t flags = verdict.flags;
    auto reason = static_cast<Reason>(verdict.reason);
    const uint32_t decision = cell.decision[direction];
    if (reason == Reason::kPolicy || reason == Reason::kTier) {
      const bool unknown_pod = (cell.flags & layout::kCellUnknownPod) != 0;
      reason = unknown_pod ? Reason::kUnknownPod : Reason::kNoPolicy;
      if (decisions[decision].isolated != 0) reason = Reason::kPolicy;
      if (TestBit(batch.view.TierBits(decision), verdict.port_class)) reason = Reason::kTier;
    }
    SetOutcome(verdict, verdict.directions | batch.not_asked(), reason);
    verdict.flags = flags;
  }
}

// An address in a pod CIDR that no pod has, where the caller denies those.
void DenyUnknownPods(const Batch& batch) {
  for (Verdict& verdict : batch.verdicts) {
    const layout::Cell& cell = batch.view.Section<layout::Cell>(layout::kCells)[verdict.cell];
    if ((cell.flags & layout::kCellUnknownPod) == 0) continue;
    SetOutcome(verdict, batch.not_asked(), Reason::kUnknownPod);
  }
}

bool OnSameNode(const ProgramView& view, const FlowKey& key) {
  const layout::Endpoint* src = view.FindEndpoint(key.family, key.src);
  const layout::Endpoint* dst = view.FindEndpoint(key.family, key.dst);
  return src != nullptr && dst != nullptr && src->node != layout::kNone && src->node == dst->node;
}

// R37: a pod's own node reaches it whatever NetworkPolicies say, where the packet can come from it.
void ExemptOwnNode(const Batch& batch) {
  const Placement placement = batch.options.placement;
  const bool exempting = placement == Placement::kOffline || placement == Placement::kPodPort;
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    Verdict& verdict = batch.verdicts[i];
    if ((verdict.flags & layout::kLookAtNode) == 0) continue;
    verdict.flags = 0;
    if (!exempting || (verdict.directions & kIngressAllowed) != 0) continue;
    if (!OnSameNode(batch.view, batch.keys[i])) continue;
    SetOutcome(verdict, verdict.directions | kIngressAllowed, Reason::kLocalNode);
  }
}

using JudgeBatch = uint32_t (*)(const ProgramView&, const FlowKey*, size_t, uint32_t, Verdict*);

void ClassifyBatch(JudgeBatch kernel, const Batch& batch) {
  const uint32_t left = kernel(batch.view, batch.keys.data(), batch.keys.size(),
                               batch.options.generation, batch.verdicts.data());
  if ((left & kLeftReserved) != 0) JudgeReserved(batch);
  if (batch.options.directions != DirectionMask::kBoth) JudgeOneDirection(batch);
  if (batch.options.deny_unknown_pod) DenyUnknownPods(batch);
  if ((left & kLeftNode) != 0) ExemptOwnNode(batch);
}

// What was chosen; kAuto until then.
std::atomic<Kernel> active_kernel{Kernel::kAuto};

Kernel Requested() {
  const char* const name = std::getenv("NPF_KERNEL");
  for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
    if (name != nullptr && Name(kernel) == name) return kernel;
  }
  return Kernel::kAuto;
}

// What works here of what was asked for. Where the processor's gathers are no faster than single
// loads, as on those of AMD so far, the scalar kernel is.
Kernel Resolved(Kernel kernel) {
  if (kernel == Kernel::kScalar || !Avx512Works()) return Kernel::kScalar;
  return kernel == Kernel::kAvx512 || GathersAreFast() ? Kernel::kAvx512 : Kernel::kScalar;
}

}  // namespace

Kernel ActiveKernel() noexcept {
  Kernel kernel = active_kernel.load(std::memory_order_relaxed);
  if (kernel == Kernel::kAuto) {
    kernel = Resolved(Requested());
    active_kernel.store(kernel, std::memory_order_relaxed);
  }
  return kernel;
}

bool SelectKernel(Kernel kernel) noexcept {
  if (kernel == Kernel::kAvx512 && !Avx512Works()) return false;
  active_kernel.store(Resolved(kernel), std::memory_order_relaxed);
  return true;
}

std::string_view Name(Kernel kernel) noexcept {
  switch (kernel) {
    case Kernel::kScalar:
      return "scalar";
    case Kernel::kAvx512:
      return "avx512";
    default:
      return "auto";
  }
}

void Classify(const Program& program, const ClassifyOptions& options, std::span<const FlowKey> keys,
              std::span<Verdict> verdicts) noexcept {
  const JudgeBatch kernel = ActiveKernel() == Kernel::kAvx512 ? JudgeAvx512 : JudgeScalar;
  for (size_t done = 0; done < keys.size(); done += kBatch) {
    const size_t count = std::min(kBatch, keys.size() - done);
    ClassifyBatch(kernel, {program.view(), options, keys.subspan(done, count),
                           verdicts.subspan(done, count)});
  }
}

}  // namespace npf
