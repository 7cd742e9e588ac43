#include "traffic.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "npf/classify.h"
#include "policy_sampler.h"
#include "zipf.h"

namespace npf::bench {
namespace {

constexpr size_t kZipfFlows = 64 * 1024;
constexpr double kZipfExponent = 1.1;
constexpr std::string_view kNames[] = {"uniform", "zipf", "scan", "deny", "pods"};

// How much of the traffic is to be allowed, and from where it comes, in percent.
struct Recipe {
  std::optional<double> allowed_share;  // absent: as it falls
  uint32_t from_policies;
  uint32_t pod_pairs;
};

Recipe RecipeOf(TrafficKind kind) {
  switch (kind) {
    case TrafficKind::kScan:
      return {std::nullopt, 0, 0};
    case TrafficKind::kDeny:
      return {0.1, 60, 20};
    case TrafficKind::kPods:
      return {std::nullopt, 60, 40};
    default:
      return {0.8, 60, 20};
  }
}

// What is the same for all: an ephemeral source port, and ICMP of the right family.
void Finish(FlowKey& key, Random& random) {
  key.src_port = static_cast<uint16_t>(32768 + random.Below(28232));
  if (key.family == 6 && key.protocol == kProtocolIcmp) key.protocol = kProtocolIcmpv6;
}

class TrafficMaker {
 public:
  TrafficMaker(const Snapshot& snapshot, const Program& program, const TrafficOptions& options)
      : sampler_(snapshot),
        program_(program),
        options_(options),
        recipe_(RecipeOf(options.kind)),
        random_(options.seed) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const IpFamilies only = family == Family::kIpv4 ? IpFamilies::kV4 : IpFamilies::kV6;
      const bool asked = options.families == IpFamilies::kDual || options.families == only;
      if (asked && sampler_.HasPods(family)) families_.push_back(family);
    }
  }

  Traffic Make() {
    Traffic traffic;
    if (families_.empty()) return traffic;
    if (options_.kind == TrafficKind::kZipf) return MakeZipf();
    for (size_t i = 0; i < options_.packets; ++i) {
      const Packet packet = DrawSteered(1);
      traffic.keys.push_back(packet.key);
      ++traffic.by_origin[static_cast<size_t>(packet.origin)];
    }
    return traffic;
  }

 private:
  struct Packet {
    FlowKey key;
    Origin origin;
  };

  // Flows by rank, and packets of them by the inverse of the cumulated weights.
  Traffic MakeZipf() {
    const ZipfRanks ranks(kZipfFlows, kZipfExponent);
    std::vector<Packet> flows;
    for (size_t rank = 0; rank < kZipfFlows; ++rank) {
      flows.push_back(DrawSteered(std::pow(static_cast<double>(rank + 1), -kZipfExponent)));
    }
    Traffic traffic;
    for (size_t i = 0; i < options_.packets; ++i) {
      const size_t rank = ranks.Draw(random_);
      traffic.keys.push_back(flows[rank].key);
      ++traffic.by_origin[static_cast<size_t>(flows[rank].origin)];
    }
    return traffic;
  }

  // A packet whose verdict brings the share of allowed ones, by weight, nearer to the recipe's,
  // where one of its origin is found. The origins keep their shares.
  Packet DrawSteered(double weight) {
    constexpr int kAttempts = 16;
    const Origin origin = DrawOrigin();
    Packet packet = Draw(origin);
    if (!recipe_.allowed_share.has_value()) return packet;
    const bool wanted = allowed_weight_ <= *recipe_.allowed_share * total_weight_;
    bool allowed = IsAllowed(packet.key);
    for (int attempt = 1; attempt < kAttempts && allowed != wanted; ++attempt) {
      packet = Draw(origin);
      allowed = IsAllowed(packet.key);
    }
    total_weight_ += weight;
    if (allowed) allowed_weight_ += weight;
    return packet;
  }

  bool IsAllowed(const FlowKey& key) const {
    Verdict verdict;
    Classify(program_, {.placement = Placement::kNodeWire}, {&key, 1}, {&verdict, 1});
    return verdict.allowed != 0;
  }

  Origin DrawOrigin() {
    const uint32_t share = random_.Below(100);
    if (share < recipe_.from_policies) return Origin::kPolicy;
    return share < recipe_.from_policies + recipe_.pod_pairs ? Origin::kPodPair : Origin::kExternal;
  }

  Packet Draw(Origin origin) {
    const Family family = families_[random_.Below(static_cast<uint32_t>(families_.size()))];
    Packet packet{.key = DrawKey(origin, family), .origin = origin};
    Finish(packet.key, random_);
    return packet;
  }

  FlowKey DrawKey(Origin origin, Family family) {
    constexpr int kAttempts = 32;
    for (int i = 0; origin == Origin::kPolicy && i < kAttempts; ++i) {
      const std::optional<PolicySampler::Drawn> drawn = sampler_.FromPolicy(family, random_);
      if (!drawn.has_value() || SourceOf(drawn->key) == DestinationOf(drawn->key)) continue;
      if (drawn->between_pods || options_.kind != TrafficKind::kPods) return drawn->key;
    }
    if (origin == Origin::kExternal) return DrawExternal(family);
    const Port port = sampler_.AnyPort(random_);
    const IpAddress src = sampler_.AnyPod(family, random_);
    IpAddress dst = sampler_.AnyPod(family, random_);
    for (int i = 0; dst == src && i < kAttempts; ++i) dst = sampler_.AnyPod(family, random_);
    return MakeFlowKey(src, dst, port.protocol, port.number);
  }

  FlowKey DrawExternal(Family family) {
    const IpAddress pod = sampler_.AnyPod(family, random_);
    const Port port = sampler_.AnyPort(random_);
    if (options_.kind == TrafficKind::kScan) {
      const IpAddress scanner = PolicySampler::Anywhere(family, random_);
      return MakeFlowKey(scanner, pod, port.protocol, port.number);
    }
    const IpAddress other = sampler_.AnyExternal(family, random_);
    const bool outwards = random_.Percent(50);
    return MakeFlowKey(outwards ? pod : other, outwards ? other : pod, port.protocol, port.number);
  }

  PolicySampler sampler_;
  const Program& program_;
  TrafficOptions options_;
  Recipe recipe_;
  Random random_;
  std::vector<Family> families_;
  double allowed_weight_ = 0;
  double total_weight_ = 0;
};

}  // namespace

std::string_view Name(TrafficKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<TrafficKind> ParseTrafficKind(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<TrafficKind>(found - std::begin(kNames));
}

Traffic MakeTraffic(const Snapshot& snapshot, const Program& program,
                    const TrafficOptions& options) {
  return TrafficMaker(snapshot, program, options).Make();
}

Traffic MakeTrafficTo(std::span<const IpAddress> destinations, const Snapshot& snapshot,
                      const TrafficOptions& options) {
  constexpr uint32_t kHitPercent = 70;
  const PolicySampler sampler(snapshot);
  const std::vector<PolicySampler::Target> targets = sampler.TargetsOf(destinations);
  Random random(options.seed);
  Traffic traffic;
  while (!targets.empty() && traffic.keys.size() < options.packets) {
    const auto& target = targets[random.Below(static_cast<uint32_t>(targets.size()))];
    const Origin origin = random.Percent(kHitPercent) ? Origin::kPolicy
                          : random.Percent(50)        ? Origin::kPodPair
                                                      : Origin::kExternal;
    std::optional<FlowKey> key;
    if (origin == Origin::kPolicy) {
      const std::optional<PolicySampler::Drawn> drawn = sampler.Towards(target, random);
      if (drawn.has_value()) key = drawn->key;
    } else {
      const Port port = sampler.AnyPort(random);
      const IpAddress src = origin == Origin::kPodPair
                                ? sampler.AnyPod(target.family, random)
                                : PolicySampler::Anywhere(target.family, random);
      key = MakeFlowKey(src, sampler.AddressOf(target), port.protocol, port.number);
    }
    if (!key.has_value() || SourceOf(*key) == DestinationOf(*key)) continue;
    Finish(*key, random);
    traffic.keys.push_back(*key);
    ++traffic.by_origin[static_cast<size_t>(origin)];
  }
  return traffic;
}

}  // namespace npf::bench
