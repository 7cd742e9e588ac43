// The part of Coverage that counts cluster-wide tiers: which kinds, actions, peers and ports stood
// in rules that decided, and by which path through the tiers a direction was decided.
#ifndef NPF_TESTS_TESTING_TIER_COVERAGE_H_
#define NPF_TESTS_TESTING_TIER_COVERAGE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/evaluator.h"

namespace npf::testing {

enum class TierFeature : uint8_t {
  kClusterNetworkPolicy,
  kAdminNetworkPolicy,
  kBaselineAdminNetworkPolicy,
  kAdmin,
  kBaseline,
  kEqualPriority,
  kSubjectNamespaces,
  kSubjectPods,
  kAccept,
  kDeny,
  kPass,
  kLaterRule,
  kNamespacesPeer,
  kPodsPeer,
  kNodesPeer,
  kNetworksIpv4Peer,
  kNetworksIpv6Peer,
  kDomainNamesPeer,
  kWildcardNamesPeer,
  kUnknownPeer,
  kPortsAbsent,
  kPortsEmpty,
  kAllPorts,
  kPortNumber,
  kPortRange,
  kNamedPort,
  kUnknownPort,
  kCount,
};
inline constexpr size_t kTierFeatureCount = static_cast<size_t>(TierFeature::kCount);

class TierCoverage {
 public:
  void StartCluster(const Snapshot& snapshot);
  void Count(Direction direction, const reference::DirectionAnswer& answer);
  void FinishCluster();

  // Features of no rule that decided, paths that no packet took.
  std::vector<std::string> NeverReached() const;
  std::string Table() const;

 private:
  // Who decided, how, and past which Pass.
  static constexpr size_t kPathCount = 32;
  static std::string PathName(size_t path);  // empty where there is no such path
  size_t PathOf(const reference::DirectionAnswer& answer) const;

  const Snapshot* snapshot_ = nullptr;
  // By policy, by direction, by rule: how often it decided, or passed.
  std::vector<std::array<std::vector<uint64_t>, 2>> decided_by_rule_;
  std::array<uint64_t, kTierFeatureCount> written_{};
  std::array<uint64_t, kTierFeatureCount> decided_{};
  std::array<uint64_t, kPathCount> paths_{};
};

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_TIER_COVERAGE_H_
