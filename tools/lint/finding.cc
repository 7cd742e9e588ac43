#include "lint/finding.h"

#include <array>

#include "npf/protocol.h"

namespace npf::lint {
namespace {

constexpr std::array<Kind, static_cast<size_t>(Id::kCount)> kCatalogue = {{
    {Id::kSubjectNoMatch, "subject-no-match", Level::kWarning, true, "A policy selects no pod"},
    {Id::kNamespaceNoMatch, "namespace-no-match", Level::kWarning, true,
     "A namespaceSelector matches no namespace"},
    {Id::kPeerNoMatch, "peer-no-match", Level::kWarning, true, "A peer matches no pod"},
    {Id::kPeersOr, "peers-or", Level::kNote, false, "Two peers in a list are either, not both"},
    {Id::kHostNetworkSubject, "host-network-subject", Level::kWarning, true,
     "A policy selects only pods on their nodes' network, which policies do not govern"},
    {Id::kHostNetworkPeer, "host-network-peer", Level::kWarning, true,
     "A peer matches only pods on their nodes' network, whose packets bear a node's address"},
    {Id::kNamespaceWithoutPods, "namespace-without-pods", Level::kNote, true,
     "A policy stands in a namespace without pods"},
    {Id::kNamedPortMissing, "named-port-missing", Level::kError, true,
     "No pod that is concerned has a port of this name"},
    {Id::kPortNotDeclared, "port-not-declared", Level::kNote, false,
     "No pod that is concerned declares this port"},
    {Id::kRuleOtherDirection, "rule-other-direction", Level::kError, true,
     "Rules stand under a direction that policyTypes leaves out"},
    {Id::kRuleCovered, "rule-covered", Level::kWarning, true,
     "Another rule allows all that this one allows, whatever pods there are"},
    {Id::kRuleNoEffect, "rule-no-effect", Level::kNote, true,
     "Without this rule every verdict among these objects is the same"},
    {Id::kOtherHalfDenied, "other-half-denied", Level::kWarning, true,
     "What a rule allows, the other end's policies deny"},
    {Id::kEgressForgotten, "egress-forgotten", Level::kNote, false,
     "policyTypes has Egress, and nothing may leave"},
    {Id::kEgressWithoutDns, "egress-without-dns", Level::kWarning, true,
     "Pods may send something, but no DNS question"},
    {Id::kDnsWithoutTcp, "dns-without-tcp", Level::kNote, false,
     "DNS is allowed over UDP, but not over TCP"},
    {Id::kNamespaceOpen, "namespace-open", Level::kNote, true,
     "No policy isolates any pod of a namespace"},
    {Id::kWorkloadOpen, "workload-open", Level::kNote, true,
     "Pods are not isolated, though others of their namespace are"},
    {Id::kBlockOverPods, "block-over-pods", Level::kWarning, false,
     "An ipBlock holds addresses of pods"},
    {Id::kBlockOverNodes, "block-over-nodes", Level::kNote, false,
     "An ipBlock holds addresses of nodes"},
    {Id::kBlockOverServices, "block-over-services", Level::kWarning, false,
     "An ipBlock holds addresses of Services, to which no pod's traffic is judged"},
    {Id::kExceptNoEffect, "except-no-effect", Level::kWarning, true,
     "An excepted block is allowed all the same"},
    {Id::kOneFamily, "one-family", Level::kWarning, true,
     "Blocks of one address family, and pods that have both"},
    {Id::kMetadataReachable, "metadata-reachable", Level::kNote, false,
     "An ipBlock holds the address of the cloud's metadata service"},
    {Id::kEqualPriority, "equal-priority", Level::kError, false,
     "Policies of one tier have equal priorities, so that their order is not defined"},
    {Id::kTierRuleUnreached, "tier-rule-unreached", Level::kError, true,
     "Rules before it match all that this rule of a tier matches"},
    {Id::kPassNoEffect, "pass-no-effect", Level::kWarning, true,
     "A Pass that keeps nothing from any later rule"},
    {Id::kBaselineUnreached, "baseline-unreached", Level::kNote, true,
     "A Baseline policy is never asked: NetworkPolicies isolate all its pods"},
    {Id::kMeshTunnelCut, "mesh-tunnel-cut", Level::kWarning, false,
     "Rules with ports leave out the port that a service mesh tunnels through"},
    {Id::kMeshInnerPort, "mesh-inner-port", Level::kNote, false,
     "A rule names a port that a mesh's proxy uses inside its pod only"},
    {Id::kSharedAddress, "shared-address", Level::kWarning, false, "Two pods have one address"},
    {Id::kForeignPolicy, "foreign-policy", Level::kWarning, false,
     "A policy of another vendor's kind is not enforced"},
    {Id::kInputWarning, "input-warning", Level::kWarning, false,
     "Reading the input gave a warning"},
    {Id::kSilenceWithoutReason, "silence-without-reason", Level::kWarning, false,
     "A finding is to be silenced without a reason, or one that there is not"},
    {Id::kSilenceUnused, "silence-unused", Level::kNote, false,
     "An annotation silences a finding that is not there"},
}};

constexpr bool IsInOrder() {
  for (size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<size_t>(kCatalogue[i].id) != i) return false;
  }
  return true;
}
static_assert(IsInOrder());

}  // namespace

std::string_view Name(Level level) {
  switch (level) {
    case Level::kNote:
      return "note";
    case Level::kWarning:
      return "warning";
    default:
      return "error";
  }
}

std::optional<Level> ParseLevel(std::string_view text) {
  for (const Level level : {Level::kNote, Level::kWarning, Level::kError}) {
    if (text == Name(level)) return level;
  }
  return std::nullopt;
}

std::span<const Kind> Catalogue() { return kCatalogue; }
const Kind& KindOf(Id id) { return kCatalogue[static_cast<size_t>(id)]; }

std::string ToString(const Probe& probe) {
  std::string out = tools::ProtocolName(probe.protocol) + " from " + npf::ToString(probe.src) +
                    " to " + npf::ToString(probe.dst);
  if (HasPorts(probe.protocol)) out += " port " + std::to_string(probe.port);
  if (probe.direction) {
    out += *probe.direction == Direction::kIngress ? ", ingress" : ", egress";
  }
  return out + (probe.allowed ? ": allowed" : ": denied");
}

}  // namespace npf::lint
