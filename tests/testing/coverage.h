// Counts what random tests reached: which fields and operators stood in policies that judged a
// packet or allowed one, what tiers decided, and which edges the packets stood on. A test prints
// the table, and fails where something was never reached.
#ifndef NPF_TESTS_TESTING_COVERAGE_H_
#define NPF_TESTS_TESTING_COVERAGE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/evaluator.h"
#include "testing/question_generator.h"
#include "testing/tier_coverage.h"

namespace npf::testing {

enum class Feature : uint8_t {
  kMatchLabels,
  kIn,
  kNotIn,
  kExists,
  kDoesNotExist,
  kEmptyValue,
  kEmptySelector,
  kNamespaceNameLabel,
  kPodSelectorPeer,
  kNamespaceSelectorPeer,
  kBothSelectorsPeer,
  kBlockIpv4,
  kBlockIpv6,
  kExcept,
  kNestedExcept,
  kWholeFamily,
  kPeersAbsent,
  kPortsAbsent,
  kProtocolAbsent,
  kPortAbsent,
  kNumericPort,
  kEndPort,
  kNamedPort,
  kSctp,
  kTypesDefaultIngress,
  kTypesDefaultBoth,
  kTypesIngress,
  kTypesEgress,
  kTypesBoth,
  kDenyAll,
  kAllowAll,
  kPodSelectorAbsent,
  kCount,
};
inline constexpr size_t kFeatureCount = static_cast<size_t>(Feature::kCount);

using FeatureSet = uint64_t;
FeatureSet FeaturesOf(const NetworkPolicy& policy);  // subject, types, and the lists of rules
FeatureSet FeaturesOf(const PolicyRule& rule);

// Prints a table so that tools/test finds it in the log and shows it at its end.
void PrintReport(const std::string& title, const std::string& table);

class Coverage {
 public:
  // Counts for one cluster; Fold() them into the whole.
  void StartCluster(const Snapshot& snapshot);
  void Count(const AskedQuestion& asked, const reference::Answer& answer);
  void FinishCluster();

  uint64_t questions() const { return questions_; }
  uint64_t boundary_questions() const { return boundary_questions_; }
  // Features that no judging policy had, edges that no question stood on, reasons never given.
  std::vector<std::string> NeverReached() const;
  std::string Table() const;

 private:
  struct PolicyCounts {
    uint64_t judged = 0;
    std::array<std::vector<uint64_t>, 2> allowed_by_rule;
  };
  void CountDirection(Direction direction, const reference::DirectionAnswer& answer);

  uint64_t clusters_ = 0;
  uint64_t questions_ = 0;
  uint64_t boundary_questions_ = 0;
  uint64_t allowed_ = 0;
  std::array<uint64_t, kFeatureCount> written_{};
  std::array<uint64_t, kFeatureCount> judged_{};
  std::array<uint64_t, kFeatureCount> allowing_{};
  std::array<uint64_t, kEdgeCount> edges_{};
  std::array<uint64_t, 8> reasons_{};
  const Snapshot* snapshot_ = nullptr;
  std::vector<PolicyCounts> policies_;
  TierCoverage tiers_;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_COVERAGE_H_
