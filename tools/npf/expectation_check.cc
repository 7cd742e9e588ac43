#include "npf/expectation_check.h"

#include <array>
#include <chrono>
#include <map>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "npf/classify.h"
#include "npf/expectation_ends.h"
#include "npf/port_table.h"

namespace npf::tools {
namespace {

// The segments of one side that are in one class.
using ClassMembers = std::map<uint32_t, std::vector<analysis::Segment>>;
using SideClasses = std::array<ClassMembers, 2>;  // by family, IPv6 second

SideClasses ClassesOf(const analysis::AddressSpace& space, const analysis::AddressSet& set) {
  SideClasses classes;
  for (const analysis::Segment& segment : space.SegmentsOf(set)) {
    const bool v6 = segment.range.first.family == Family::kIpv6;
    classes[v6 ? 1 : 0][segment.address_class].push_back(segment);
  }
  return classes;
}

struct Pair {
  const std::vector<analysis::Segment>* src;
  const std::vector<analysis::Segment>* dst;
  IpAddress src_address;
  IpAddress dst_address;
  uint64_t count = 0;  // of members, without those that are one address on both sides
};

// How many segments are one and the same single address on both sides. Both are in order.
uint64_t SharedSingles(const std::vector<analysis::Segment>& a,
                       const std::vector<analysis::Segment>& b) {
  uint64_t shared = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].range == b[j].range) {
      shared += IsSingle(a[i].range) ? 1 : 0;
      ++i;
      ++j;
    } else if (a[i].range < b[j].range) {
      ++i;
    } else {
      ++j;
    }
  }
  return shared;
}

// Two different addresses, one of each side; false where there are none.
bool Choose(Pair& pair) {
  const std::vector<analysis::Segment>& src = *pair.src;
  const std::vector<analysis::Segment>& dst = *pair.dst;
  pair.src_address = src[0].range.first;
  pair.dst_address = dst[0].range.first;
  if (pair.src_address != pair.dst_address) return true;
  if (!IsSingle(dst[0].range)) {
    pair.dst_address = NextAddress(pair.dst_address);
  } else if (dst.size() > 1) {
    pair.dst_address = dst[1].range.first;
  } else if (!IsSingle(src[0].range)) {
    pair.src_address = NextAddress(pair.src_address);
  } else if (src.size() > 1) {
    pair.src_address = src[1].range.first;
  } else {
    return false;
  }
  return true;
}

Members Kept(const std::vector<analysis::Segment>& segments) {
  Members members;
  members.count = segments.size();
  for (const analysis::Segment& segment : segments) {
    if (members.ranges.size() == Members::kKept) break;
    members.ranges.push_back(segment.range);
  }
  return members;
}

// Judges pairs of classes in batches.
class Judging {
 public:
  Judging(const Program& program, const PortTable& ports, bool allow, Outcome& outcome)
      : program_(program), ports_(ports), allow_(allow), outcome_(outcome) {}

  void Judge(const SideClasses& from, const SideClasses& to,
             const std::vector<analysis::ProtocolRange>& spans) {
    spans_ = &spans;
    samples_ = ports_.SamplesOf(spans);
    for (const size_t family : {size_t{0}, size_t{1}}) {
      for (const auto& [src_class, src] : from[family]) {
        for (const auto& [dst_class, dst] : to[family]) {
          Pair pair{&src, &dst, {}, {}};
          if (!Choose(pair)) continue;
          pair.count = uint64_t{src.size()} * dst.size() - SharedSingles(src, dst);
          outcome_.pairs += pair.count;
          pairs_.push_back(pair);
          if (pairs_.size() * samples_.size() >= kBatch) Flush();
        }
      }
    }
    Flush();
  }

 private:
  static constexpr size_t kBatch = 16'384;

  FlowKey KeyOf(const Pair& pair, const PortSample& sample) const {
    uint8_t protocol = sample.protocol;
    if (protocol == analysis::ProtocolRange::kNoPorts) {
      const bool v6 = pair.src_address.family == Family::kIpv6;
      protocol = v6 ? kProtocolIcmpv6 : kProtocolIcmp;
    }
    return MakeFlowKey(pair.src_address, pair.dst_address, protocol, sample.port);
  }

  void Flush() {
    keys_.clear();
    for (const Pair& pair : pairs_) {
      for (const PortSample& sample : samples_) keys_.push_back(KeyOf(pair, sample));
    }
    verdicts_.resize(keys_.size());
    Classify(program_, ExpectationOptions(), keys_, verdicts_);
    size_t at = 0;
    for (const Pair& pair : pairs_) {
      absl::flat_hash_set<uint32_t> failing;
      const FlowKey* witness = nullptr;
      for (const PortSample& sample : samples_) {
        if ((verdicts_[at].allowed != 0) != allow_) {
          failing.insert(sample.port_class);
          if (witness == nullptr) witness = &keys_[at];
        }
        ++at;
      }
      if (witness != nullptr) AddFailure(pair, failing, *witness);
    }
    pairs_.clear();
  }

  void AddFailure(const Pair& pair, const absl::flat_hash_set<uint32_t>& failing,
                  const FlowKey& witness) {
    outcome_.failed_pairs += pair.count;
    ++outcome_.failed_classes;
    if (outcome_.failures.size() == Outcome::kFailuresKept) return;
    outcome_.failures.push_back(
        {Kept(*pair.src), Kept(*pair.dst), ports_.Within(*spans_, failing), witness});
  }

  const Program& program_;
  const PortTable& ports_;
  const bool allow_;
  Outcome& outcome_;
  const std::vector<analysis::ProtocolRange>* spans_ = nullptr;
  std::vector<PortSample> samples_;
  std::vector<Pair> pairs_;
  std::vector<FlowKey> keys_;
  std::vector<Verdict> verdicts_;
};

}  // namespace

ClassifyOptions ExpectationOptions() {
  ClassifyOptions options;
  options.placement = Placement::kFabric;
  return options;
}

std::vector<Outcome> CheckExpectations(const Snapshot& snapshot, const Program& program,
                                       const std::vector<Expectation>& expectations,
                                       Diagnostics& diagnostics) {
  const analysis::AddressSpace space(program);
  const PortTable ports(program);
  EndResolver resolver(snapshot, space, diagnostics);
  std::vector<Outcome> outcomes;
  for (const Expectation& expectation : expectations) {
    const size_t errors = diagnostics.error_count();
    const auto begin = std::chrono::steady_clock::now();
    const ResolvedExpectation resolved = resolver.Resolve(expectation);
    Outcome& outcome = outcomes.emplace_back();
    if (diagnostics.error_count() > errors) continue;
    const SideClasses from = ClassesOf(space, resolved.from);
    Judging judging(program, ports, expectation.allow, outcome);
    for (const auto& [spans, set] : resolved.to) judging.Judge(from, ClassesOf(space, set), spans);
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    outcome.elapsed_ns = static_cast<uint64_t>(std::chrono::nanoseconds(elapsed).count());
    if (outcome.pairs > 0) continue;
    diagnostics.AddError(expectation.position, "", expectation.field, "",
                         "concerns nothing: no address is left on one of its sides, the two have "
                         "no address family in common, or both are one pod");
  }
  return outcomes;
}

}  // namespace npf::tools
