#include "rivals.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dpdk/dpdk_rivals.h"
#include "dpdk/expansion.h"
#include "dpdk/linear_matcher.h"

namespace npf::bench {
namespace {

std::string SizeText(size_t rules) {
  return rules % 1000 == 0 ? absl::StrCat(rules / 1000, "k") : absl::StrCat(rules);
}

// The last set may be smaller than was asked for, and is then named by what it is.
std::vector<NamedRules> MakeRuleSets(const Snapshot& snapshot, std::vector<size_t> sizes,
                                     std::vector<std::string>& missing) {
  std::vector<NamedRules> sets;
  if (!snapshot.cluster_policies().empty()) {
    missing.push_back("rte_acl: cluster-wide tiers are not expanded to rules");
    return sets;
  }
  std::sort(sizes.begin(), sizes.end());
  for (const size_t size : sizes) {
    if (!sets.empty() && sets.back().set->whole) {
      missing.push_back(absl::StrCat("rte_acl ", SizeText(size), ": the policies are no more than ",
                                     sets.back().set->rules.size(), " rules"));
      continue;
    }
    std::shared_ptr<const RuleSet> set = ExpandIngress(snapshot, size);
    if (set->rules.empty() && set->whole) {
      missing.push_back(
          "rte_acl: no policy isolates the ingress of a pod that has an IPv4 address");
      return sets;
    }
    if (set->rules.empty()) {
      missing.push_back(
          absl::StrCat("rte_acl ", SizeText(size), ": no destination has so few ingress rules"));
      continue;
    }
    sets.push_back({SizeText(set->whole ? set->rules.size() : size), std::move(set)});
  }
  return sets;
}

// Of the smallest set, as long as it is small: each of its rules costs a nanosecond a packet.
void AddLinearMatcher(const std::vector<NamedRules>& sets, Rivals& rivals) {
  constexpr size_t kRulesMax = 2'000;
  if (sets.empty() || sets[0].set->rules.size() > kRulesMax) {
    rivals.missing.push_back("linear: there is no small set of rules");
    return;
  }
  rivals.contenders.push_back(
      MakeLinearMatcher(absl::StrCat("linear ", sets[0].size), sets[0].set));
}

Expansion DescribeRules(const RuleSet& set) {
  Expansion expansion{.rules = set.rules.size()};
  for (const uint32_t address : set.destinations) {
    expansion.destinations.push_back(IpAddress::V4(address));
  }
  std::sort(expansion.destinations.begin(), expansion.destinations.end());
  return expansion;
}

}  // namespace

void NameMissing(const std::string& why, Rivals& rivals) {
  for (const char* name : {"rte_acl", "rte_fib x2", "rte_fib + rte_hash"}) {
    rivals.missing.push_back(absl::StrCat(name, ": ", why));
  }
}

absl::StatusOr<Rivals> MakeRivals(const Snapshot& snapshot, const Program& program,
                                  const RivalOptions& options) {
  Rivals rivals;
  const std::vector<NamedRules> sets = MakeRuleSets(snapshot, options.acl_rules, rivals.missing);
  for (const NamedRules& rules : sets) rivals.expansions.push_back(DescribeRules(*rules.set));
  AddLinearMatcher(sets, rivals);
  const absl::Status status = AddDpdkRivals(snapshot, program, sets, rivals);
  if (!status.ok()) return status;
  return rivals;
}

}  // namespace npf::bench
