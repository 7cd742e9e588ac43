// Pods that nobody isolates, and pods that are isolated so that they cannot even ask DNS.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lint/checks.h"
#include "lint/structure.h"
#include "model/pod_addresses.h"
#include "model/validate.h"

namespace npf::lint {
namespace {

using resolve::BitsetTable;

constexpr int64_t kDnsPort = 53;

bool HoldsPort(const PolicyPort& port, const std::string& protocol, int64_t number) {
  if (port.protocol.value_or("TCP") != protocol) return false;
  if (!port.port) return true;
  if (std::holds_alternative<std::string>(*port.port)) return true;  // who knows
  const int64_t first = std::get<int64_t>(*port.port);
  return first <= number && number <= port.end_port.value_or(first);
}

bool MayAskDns(const PolicyRule& rule, const std::string& protocol) {
  return rule.ports.empty() ||
         std::any_of(rule.ports.begin(), rule.ports.end(),
                     [&](const PolicyPort& port) { return HoldsPort(port, protocol, kDnsPort); });
}

class DnsChecks {
 public:
  DnsChecks(const Facts& facts, Reporter& reporter) : facts_(facts), reporter_(reporter) {}

  void ByClasses(const Effects& effects) {
    std::map<size_t, std::vector<uint32_t>> silent;  // classes, by the policy that is told
    std::set<size_t> without_tcp;
    for (const Effects::Scope& scope : effects.scopes()) {
      if (scope.direction != Direction::kEgress) continue;
      const uint32_t subject = scope.subjects.front();
      const uint32_t allowed = Allowed(effects, subject);
      const bool udp = effects.Has(allowed, effects.PortClassOf(kProtocolUdp, kDnsPort));
      const bool tcp = effects.Has(allowed, effects.PortClassOf(kProtocolTcp, kDnsPort));
      const std::optional<size_t> policy = WithRules(effects, subject);
      if (allowed == BitsetTable::kNothing || !policy) continue;
      if (!udp && !tcp) {
        auto& classes = silent[*policy];
        classes.insert(classes.end(), scope.subjects.begin(), scope.subjects.end());
      }
      if (udp && !tcp) {
        for (const size_t p : effects.Isolating(Direction::kEgress, subject)) {
          without_tcp.insert(p);
        }
      }
    }
    for (const auto& [policy, classes] : silent) ReportSilent(effects, policy, classes);
    for (const size_t policy : without_tcp) ReportWithoutTcp(policy);
  }

  // Without pods: no policy of the namespace allows it to anybody.
  void ByStructure() {
    for (const ClusterPolicy& policy : facts_.snapshot().cluster_policies()) {
      if (!policy.egress.empty()) return;  // it may allow DNS
    }
    std::set<std::string> fine;
    for (const NetworkPolicy& policy : facts_.snapshot().policies()) {
      if (!Governs(policy, Direction::kEgress)) continue;
      for (const PolicyRule& rule : policy.egress) {
        if (MayAskDns(rule, "UDP") || MayAskDns(rule, "TCP")) fine.insert(policy.ns);
      }
    }
    for (const NetworkPolicy& policy : facts_.snapshot().policies()) {
      if (!Governs(policy, Direction::kEgress) || policy.egress.empty()) continue;
      if (fine.contains(policy.ns)) continue;
      Finding& finding = reporter_.Add(Id::kEgressWithoutDns, policy, "spec.egress",
                                       "its pods may send something, but no policy of namespace " +
                                           policy.ns + " allows port 53 to anybody");
      finding.level = Level::kNote;
      finding.suggestion = kAllowDns;
    }
  }

 private:
  static uint32_t Allowed(const Effects& effects, uint32_t subject) {
    uint32_t allowed = BitsetTable::kNothing;
    for (uint32_t c = 0; c < effects.resolved().classes.size(); ++c) {
      allowed = effects.bits().Union(
          allowed, effects.DecisionOf(Direction::kEgress, subject, c).allow_bitset);
    }
    return allowed;
  }

  // Of those that isolate the subject, the first that has egress rules.
  std::optional<size_t> WithRules(const Effects& effects, uint32_t subject) const {
    for (const size_t p : effects.Isolating(Direction::kEgress, subject)) {
      if (!facts_.snapshot().policies()[p].egress.empty()) return p;
    }
    return std::nullopt;
  }

  void ReportSilent(const Effects& effects, size_t p, const std::vector<uint32_t>& classes) {
    const NetworkPolicy& policy = facts_.snapshot().policies()[p];
    Finding& finding =
        reporter_.Add(Id::kEgressWithoutDns, policy, "spec.egress",
                      Pods(effects, classes) + " may send something, but port 53 to nobody");
    bool blocks_only = true;
    for (const PolicyRule& rule : policy.egress) {
      blocks_only = blocks_only && !rule.peers.empty() &&
                    std::all_of(rule.peers.begin(), rule.peers.end(),
                                [](const PolicyPeer& peer) { return peer.ip_block.has_value(); });
    }
    if (blocks_only) finding.level = Level::kNote;  // perhaps they know addresses
    finding.suggestion = kAllowDns;
    AddProbes(effects, classes.front(), finding);
  }

  static void AddProbes(const Effects& effects, uint32_t subject, Finding& finding) {
    constexpr size_t kProbesMax = 8;
    for (uint32_t c = 0; c < effects.resolved().classes.size(); ++c) {
      const auto pair = effects.PairOf(subject, c);
      if (!pair || finding.probes.size() == kProbesMax) continue;
      finding.probes.push_back({.src = pair->first,
                                .dst = pair->second,
                                .protocol = kProtocolUdp,
                                .port = kDnsPort,
                                .direction = Direction::kEgress,
                                .allowed = false});
    }
  }

  std::string Pods(const Effects& effects, const std::vector<uint32_t>& classes) const {
    const std::set<uint32_t> wanted(classes.begin(), classes.end());
    std::vector<std::string> names;
    for (const Pod& pod : facts_.snapshot().pods()) {
      const auto c = effects.ClassOf(pod);
      if (c && wanted.contains(*c)) names.push_back(pod.ns + "/" + pod.name);
    }
    return Listed(names);
  }

  void ReportWithoutTcp(size_t p) {
    const NetworkPolicy& policy = facts_.snapshot().policies()[p];
    for (size_t i = 0; i < policy.egress.size(); ++i) {
      for (size_t j = 0; j < policy.egress[i].ports.size(); ++j) {
        const PolicyPort& port = policy.egress[i].ports[j];
        if (!port.port || !HoldsPort(port, "UDP", kDnsPort)) continue;
        Finding& finding = reporter_.Add(
            Id::kDnsWithoutTcp, policy, model::Item(RuleField(Direction::kEgress, i) + ".ports", j),
            "answers that are too long for UDP are asked for again over TCP, which is denied");
        finding.suggestion = "add TCP 53";
        return;
      }
    }
  }

  static constexpr char kAllowDns[] =
      "allow UDP and TCP 53 to the cluster's DNS, as to k8s-app=kube-dns in namespace kube-system, "
      "unless these pods use no names";

  const Facts& facts_;
  Reporter& reporter_;
};

class OpenChecks {
 public:
  OpenChecks(const Facts& facts, const Effects& effects, Reporter& reporter)
      : facts_(facts), effects_(effects), reporter_(reporter) {}

  void Run() {
    const auto& pods = facts_.snapshot().pods();
    for (size_t begin = 0; begin < pods.size();) {
      size_t end = begin;
      while (end < pods.size() && pods[end].ns == pods[begin].ns) ++end;
      CheckNamespace(begin, end);
      begin = end;
    }
  }

 private:
  void CheckNamespace(size_t begin, size_t end) {
    std::vector<const Pod*> open[2];
    bool any_governed[2] = {false, false};
    size_t count = 0;
    for (size_t i = begin; i < end; ++i) {
      const Pod& pod = facts_.snapshot().pods()[i];
      const auto c = effects_.ClassOf(pod);
      if (!c) continue;
      ++count;
      for (const Direction direction : kDirections) {
        const auto d = static_cast<size_t>(direction);
        if (effects_.IsGoverned(direction, *c)) {
          any_governed[d] = true;
        } else {
          open[d].push_back(&pod);
        }
      }
    }
    if (count == 0) return;
    if (!any_governed[0] && !any_governed[1]) {
      Report(Id::kNamespaceOpen, Direction::kIngress, open[0],
             "no policy isolates any of its " + std::to_string(count) +
                 (count == 1 ? " pod" : " pods") + ": everybody may reach them");
      return;
    }
    for (const Direction direction : kDirections) {
      const auto d = static_cast<size_t>(direction);
      if (!any_governed[d] || open[d].empty()) continue;
      std::vector<std::string> names;
      for (const Pod* pod : open[d]) names.push_back(pod->name);
      Report(Id::kWorkloadOpen, direction, open[d],
             std::string(Name(direction)) + " of " + Listed(names) +
                 " is not isolated, and that of others is");
    }
  }

  void Report(Id id, Direction direction, const std::vector<const Pod*>& pods,
              std::string message) {
    const Pod& pod = *pods.front();
    const auto& namespaces = facts_.snapshot().namespaces();
    const auto ns = std::lower_bound(
        namespaces.begin(), namespaces.end(), pod.ns,
        [](const Namespace& entry, const std::string& wanted) { return entry.name < wanted; });
    Finding& finding =
        reporter_.Add(id, ns->synthesised ? pod.position : ns->position,
                      model::ObjectName("Namespace", "", pod.ns), std::move(message));
    finding.suggestion = "a policy with podSelector {} and no rules denies by default";
    for (size_t i = 0; i < pods.size() && i < 4; ++i) {
      finding.related.push_back({pods[i]->position, NameOf(*pods[i]), "", "is not isolated"});
    }
    const IpAddress own = model::AddressesOf(pod).front();
    const IpAddress outside =
        *ParseIpAddress(own.family == Family::kIpv4 ? "192.0.2.1" : "2001:db8::1");
    const bool ingress = direction == Direction::kIngress;
    finding.probes.push_back({.src = ingress ? outside : own,
                              .dst = ingress ? own : outside,
                              .protocol = kProtocolTcp,
                              .port = 1,
                              .direction = direction,
                              .allowed = true});
  }

  const Facts& facts_;
  const Effects& effects_;
  Reporter& reporter_;
};

}  // namespace

void CheckIsolation(const Facts& facts, const Effects* effects, Reporter& reporter) {
  DnsChecks dns(facts, reporter);
  if (effects != nullptr) {
    dns.ByClasses(*effects);
    OpenChecks(facts, *effects, reporter).Run();
  } else if (!facts.knows_pods()) {
    dns.ByStructure();
  }
}

}  // namespace npf::lint
