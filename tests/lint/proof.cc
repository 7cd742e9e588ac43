#include "lint/proof.h"

#include <algorithm>
#include <set>

#include "npf/address.h"
#include "testing/question_generator.h"

namespace npf::testing {
namespace {

// Before a rule goes: R7 would take its absence for something else.
void KeepIsolation(NetworkPolicy& policy) {
  if (!policy.policy_types.empty()) return;
  policy.policy_types.push_back("Ingress");
  if (!policy.egress.empty()) policy.policy_types.push_back("Egress");
}

template <typename Items>
bool EraseAt(Items& items, size_t index) {
  items.erase(items.begin() + static_cast<ptrdiff_t>(index));
  return items.empty();
}

void EraseFrom(PolicyRule& rule, const lint::PolicyPart& part, bool& rule_goes) {
  if (part.except) {
    EraseAt(rule.peers[*part.peer].ip_block->except, *part.except);
  } else if (part.peer) {
    rule_goes = EraseAt(rule.peers, *part.peer);
  } else if (part.port) {
    rule_goes = EraseAt(rule.ports, *part.port);
  } else {
    rule_goes = true;
  }
}

void EraseFrom(ClusterRule& rule, const lint::PolicyPart& part, bool& rule_goes) {
  if (part.peer) {
    rule_goes = EraseAt(rule.peers, *part.peer);
  } else if (part.port) {
    rule_goes = EraseAt(*rule.ports, *part.port);
  } else {
    rule_goes = true;
  }
}

template <typename Policies>
void EraseFrom(Policies& policies, const lint::PolicyPart& part) {
  if (!part.direction) {
    EraseAt(policies, part.policy);
    return;
  }
  auto& policy = policies[part.policy];
  auto& rules = *part.direction == Direction::kIngress ? policy.ingress : policy.egress;
  if (!part.rule) {
    rules.clear();
    return;
  }
  bool rule_goes = false;
  EraseFrom(rules[*part.rule], part, rule_goes);
  if (rule_goes) EraseAt(rules, *part.rule);
}

// Labels that a selector matches, or nearly.
Labels LabelsFor(const LabelSelector& selector, Random& random) {
  Labels labels = selector.match_labels;
  for (const LabelRequirement& requirement : selector.match_expressions) {
    if (requirement.op == "In") labels.Set(requirement.key, random.Pick(requirement.values));
    if (requirement.op == "Exists") labels.Set(requirement.key, "x");
  }
  return labels;
}

class Peopling {
 public:
  Peopling(const Cluster& cluster, uint64_t seed) : out_(cluster), random_(seed) {}

  Cluster Run() {
    for (const NetworkPolicy& policy : std::vector<NetworkPolicy>(out_.policies)) Add(policy);
    for (const ClusterPolicy& policy : std::vector<ClusterPolicy>(out_.cluster_policies)) {
      if (policy.subject) Add(*policy.subject);
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const ClusterRule& rule : *rules) {
          for (const ClusterPeer& peer : rule.peers) {
            if (peer.pods) Add(*peer.pods);
          }
        }
      }
    }
    AddPod("elsewhere", {});
    return std::move(out_);
  }

 private:
  void Add(const NetworkPolicy& policy) {
    AddPod(policy.ns, LabelsFor(policy.pod_selector, random_));
    AddPod(policy.ns, {});
    for (const auto* rules : {&policy.ingress, &policy.egress}) {
      for (const PolicyRule& rule : *rules) {
        for (const PolicyPeer& peer : rule.peers) {
          if (peer.ip_block) continue;
          const LabelSelector pods = peer.pod_selector.value_or(LabelSelector{});
          AddPod(peer.namespace_selector ? NamespaceFor(*peer.namespace_selector) : policy.ns,
                 LabelsFor(pods, random_));
        }
      }
    }
  }

  void Add(const ClusterPods& pods) {
    AddPod(NamespaceFor(pods.namespace_selector),
           LabelsFor(pods.pod_selector.value_or(LabelSelector{}), random_));
  }

  std::string NamespaceFor(const LabelSelector& selector) {
    Labels labels = LabelsFor(selector, random_);
    const std::string* name = labels.Find("kubernetes.io/metadata.name");
    if (name != nullptr) return *name;
    Namespace ns;
    ns.name = "made-" + std::to_string(++namespaces_);
    ns.labels = std::move(labels);
    out_.namespaces.push_back(ns);
    return ns.name;
  }

  void AddPod(const std::string& ns, Labels labels) {
    constexpr size_t kPodsMax = 200;
    if (++pods_ > kPodsMax) return;
    Pod pod;
    pod.ns = ns;
    pod.name = "made-" + std::to_string(pods_);
    pod.labels = std::move(labels);
    pod.phase = PodPhase::kRunning;
    pod.ips = {"10.255." + std::to_string(pods_ / 200) + "." + std::to_string(pods_ % 200 + 1),
               "fd00:255::" + std::to_string(pods_)};
    if (random_.Chance(50)) {
      pod.ports = {{.name = "http", .port = 8080, .protocol = "TCP"},
                   {.name = "dns", .port = 53, .protocol = "UDP"}};
    }
    out_.pods.push_back(std::move(pod));
  }

  Cluster out_;
  Random random_;
  size_t pods_ = 0;
  size_t namespaces_ = 0;
};

Snapshot FreezeOrStop(const Cluster& cluster) {
  absl::StatusOr<Snapshot> snapshot = Freeze(cluster);
  if (!snapshot.ok()) {
    throw std::runtime_error(std::string(snapshot.status().message()));
  }
  return *std::move(snapshot);
}

}  // namespace

Cluster Without(const Cluster& cluster, const lint::PolicyPart& part) {
  Cluster out = cluster;
  for (NetworkPolicy& policy : out.policies) KeepIsolation(policy);
  if (part.cluster) {
    EraseFrom(out.cluster_policies, part);
  } else if (part.direction) {
    EraseFrom(out.policies, part);
  } else {
    EraseAt(out.policies, part.policy);
  }
  return out;
}

Cluster Peopled(const Cluster& cluster, uint64_t seed) { return Peopling(cluster, seed).Run(); }

ProofJudge::ProofJudge(const Cluster& cluster, size_t questions)
    : cluster_(cluster),
      snapshot_(FreezeOrStop(cluster)),
      evaluator_(snapshot_),
      questions_(questions) {}

std::string ProofJudge::Judge(const lint::Finding& finding, uint64_t seed) const {
  if (!lint::KindOf(finding.id).is_proof) return "";
  for (const lint::Probe& probe : finding.probes) {
    if (std::string fault = JudgeProbe(probe); !fault.empty()) return fault;
  }
  if (finding.without_effect) {
    // Where one end allows what the other denies, only both together stay as they were.
    const bool each_direction = finding.id != lint::Id::kOtherHalfDenied;
    return JudgePart(*finding.without_effect, each_direction, seed);
  }
  if (!finding.probes.empty()) return "";
  if (finding.id == lint::Id::kEgressWithoutDns) return JudgeDns(finding);
  return "it claims proof, and bears none";
}

std::string ProofJudge::JudgeProbe(const lint::Probe& probe) const {
  const reference::Answer answer =
      evaluator_.Evaluate({probe.src, probe.dst, probe.protocol, probe.port});
  bool allowed = answer.allowed;
  if (probe.direction) {
    allowed =
        *probe.direction == Direction::kIngress ? answer.ingress.allowed : answer.egress.allowed;
  }
  return allowed == probe.allowed ? "" : lint::ToString(probe) + ", and the evaluator disagrees";
}

std::string ProofJudge::JudgePart(const lint::PolicyPart& part, bool each_direction,
                                  uint64_t seed) const {
  const Snapshot changed = FreezeOrStop(Without(cluster_, part));
  const reference::Evaluator other(changed);
  QuestionGenerator generator(cluster_, seed);
  for (size_t i = 0; i < questions_; ++i) {
    const reference::Question question = generator.Next().question;
    const reference::Answer before = evaluator_.Evaluate(question);
    const reference::Answer after = other.Evaluate(question);
    const bool same = before.allowed == after.allowed &&
                      (!each_direction || (before.ingress.allowed == after.ingress.allowed &&
                                           before.egress.allowed == after.egress.allowed));
    if (!same) return "without it, another answer to " + ToString(question);
  }
  return "";
}

std::string ProofJudge::JudgeDns(const lint::Finding& finding) const {
  std::set<IpAddress> everybody = {Address("192.0.2.1"), Address("2001:db8::1")};
  for (const Pod& pod : snapshot_.pods()) {
    for (const std::string& ip : pod.ips) everybody.insert(Address(ip));
  }
  for (size_t p = 0; p < snapshot_.policies().size(); ++p) {
    const NetworkPolicy& policy = snapshot_.policies()[p];
    if ("NetworkPolicy " + policy.ns + "/" + policy.name != finding.object) continue;
    for (const IpAddress& src : everybody) {
      for (const IpAddress& dst : everybody) {
        if (src == dst) continue;
        for (const uint8_t protocol : {kProtocolUdp, kProtocolTcp}) {
          const reference::Answer answer = evaluator_.Evaluate({src, dst, protocol, 53});
          const auto& isolating = answer.egress.isolating;
          const bool is_subject =
              std::find(isolating.begin(), isolating.end(), p) != isolating.end();
          if (is_subject && answer.egress.allowed) {
            return "DNS is allowed from " + npf::ToString(src) + " to " + npf::ToString(dst);
          }
        }
      }
    }
  }
  return "";
}

}  // namespace npf::testing
