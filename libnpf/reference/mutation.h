// Wrong readings of NetworkPolicy that are easy to make, each a switch in a test copy of the
// evaluator. A test suite that does not notice one of them does not test that rule.
//
// The switches exist only where evaluator.cc is compiled with NPF_MUTATIONS; elsewhere they do
// nothing and cost nothing.
#ifndef NPF_REFERENCE_MUTATION_H_
#define NPF_REFERENCE_MUTATION_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace npf::reference {

enum class Mutation : uint8_t {
  kNone,
  kNotInNeedsKey,
  kDoesNotExistIgnoresEmptyValue,
  kIpBlockIgnoresPods,
  kExceptIgnored,
  kEndPortIgnored,
  kEndPortExclusive,
  kProtocolDefaultAny,
  kProtocolIgnored,
  kNamedPortIgnoresProtocol,
  kNamedPortAnyNumber,
  kNamedPortNeverMatches,
  kNamedPortOnSource,
  kSelectorsOred,
  kPodSelectorAllNamespaces,
  kEmptyNamespaceSelectorExcludesOwn,
  kEmptyPeersNobody,
  kEmptyPortsNothing,
  kPolicyTypesNeverAddEgress,
  kPolicyTypesAlwaysBoth,
  kPolicyTypesIgnored,
  kEmptyRulesAllow,
  kIsolatesBothDirections,
  kIngressUnchecked,
  kEgressUnchecked,
  kNoMetadataNameLabel,
  kCompletedPodsMatch,
  kHostNetworkPodsMatch,
  kNoLocalNodeExemption,
  kLoopbackJudged,
  // Beyond the best known ones.
  kExceptCutsWholeRule,
  kFamiliesMixed,
  kPortZeroMatchesNamed,
  kOlderDuplicateWins,
  kTerminatingDuplicateWins,
  kFirstOfEqualNamesOnly,
  kOtherProtocolsMatchPorts,
  kEveryNodeExempt,
};

inline constexpr auto kMutations = std::to_array<std::pair<Mutation, std::string_view>>({
    {Mutation::kNotInNeedsKey, "NotIn: absent key does not match"},
    {Mutation::kDoesNotExistIgnoresEmptyValue, "DoesNotExist: a key with an empty value is absent"},
    {Mutation::kIpBlockIgnoresPods, "ipBlock ignores pods"},
    {Mutation::kExceptIgnored, "except ignored"},
    {Mutation::kEndPortIgnored, "endPort ignored"},
    {Mutation::kEndPortExclusive, "endPort exclusive"},
    {Mutation::kProtocolDefaultAny, "protocol default = any"},
    {Mutation::kProtocolIgnored, "protocol ignored"},
    {Mutation::kNamedPortIgnoresProtocol, "named port ignores container protocol"},
    {Mutation::kNamedPortAnyNumber, "named port matches by name only (any port)"},
    {Mutation::kNamedPortNeverMatches, "named port never matches"},
    {Mutation::kNamedPortOnSource, "egress named port resolved on source pod"},
    {Mutation::kSelectorsOred, "ns+pod selectors ORed"},
    {Mutation::kPodSelectorAllNamespaces, "podSelector-only peer matches all namespaces"},
    {Mutation::kEmptyNamespaceSelectorExcludesOwn, "namespaceSelector {} excludes own namespace"},
    {Mutation::kEmptyPeersNobody, "empty from list = nobody"},
    {Mutation::kEmptyPortsNothing, "empty ports list = nothing"},
    {Mutation::kPolicyTypesNeverAddEgress, "policyTypes default never adds Egress"},
    {Mutation::kPolicyTypesAlwaysBoth, "policyTypes default always both"},
    {Mutation::kPolicyTypesIgnored, "policyTypes ignored (derived from rules)"},
    {Mutation::kEmptyRulesAllow, "empty rule list = allow"},
    {Mutation::kIsolatesBothDirections, "any selecting policy isolates both directions"},
    {Mutation::kIngressUnchecked, "destination ingress not checked"},
    {Mutation::kEgressUnchecked, "source egress not checked"},
    {Mutation::kNoMetadataNameLabel, "metadata.name label not injected"},
    {Mutation::kCompletedPodsMatch, "completed pods still matched"},
    {Mutation::kHostNetworkPodsMatch, "hostNetwork pods matched"},
    {Mutation::kNoLocalNodeExemption, "local-node ingress exemption missing"},
    {Mutation::kLoopbackJudged, "loopback not exempt"},
    {Mutation::kExceptCutsWholeRule, "except cuts the other peers of its rule"},
    {Mutation::kFamiliesMixed, "0.0.0.0/0 matches IPv6"},
    {Mutation::kPortZeroMatchesNamed, "an unresolved named port matches port 0"},
    {Mutation::kOlderDuplicateWins, "of two pods with one address the older wins"},
    {Mutation::kTerminatingDuplicateWins, "of two pods with one address the terminating wins"},
    {Mutation::kFirstOfEqualNamesOnly, "only a pod's first port of a name counts"},
    {Mutation::kOtherProtocolsMatchPorts, "ICMP matches rules that have ports"},
    {Mutation::kEveryNodeExempt, "every node is exempt, not only the pod's own"},
});

}  // namespace npf::reference

#endif  // NPF_REFERENCE_MUTATION_H_
