// Service meshes carry connections through ports of their own, which rules that list an
// application's ports leave out. Meshes are recognised by labels and annotations.
//
//   Istio ambient   HBONE: between nodes' ztunnels and pods all of it goes to TCP 15008
//   Linkerd         proxies that know each other use TCP 4143 for opaque and multicluster traffic
//   Istio sidecars  keep the application's port; 15001 and 15006 are seen inside the pod only
//
// WireGuard and IPsec between nodes are no matter of policies of pods: the nodes send those.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lint/checks.h"
#include "lint/structure.h"
#include "model/validate.h"

namespace npf::lint {
namespace {

bool Is(const Labels& labels, std::string_view key, std::string_view value) {
  const std::string* found = labels.Find(key);
  return found != nullptr && *found == value;
}
bool HasKey(const Labels& labels, std::string_view key) { return labels.Find(key) != nullptr; }

bool IsAmbient(const PodGroup& group) {
  const Pod& pod = group.first();
  constexpr std::string_view kMode = "istio.io/dataplane-mode";
  if (const std::string* mode = pod.labels.Find(kMode)) return *mode == "ambient";
  return Is(pod.annotations, "ambient.istio.io/redirection", "enabled") ||
         Is(group.ns->labels, kMode, "ambient");
}

bool IsLinkerd(const PodGroup& group) {
  const Pod& pod = group.first();
  constexpr std::string_view kInject = "linkerd.io/inject";
  if (const std::string* inject = pod.annotations.Find(kInject)) return *inject == "enabled";
  return HasKey(pod.labels, "linkerd.io/control-plane-ns") ||
         Is(group.ns->annotations, kInject, "enabled");
}

bool IsIstioSidecar(const PodGroup& group) {
  const Pod& pod = group.first();
  constexpr std::string_view kInject = "sidecar.istio.io/inject";
  for (const Labels* said : {&pod.labels, &pod.annotations}) {
    if (const std::string* inject = said->Find(kInject)) return *inject == "true";
  }
  return HasKey(pod.annotations, "sidecar.istio.io/status") ||
         HasKey(pod.labels, "security.istio.io/tlsMode") ||
         Is(group.ns->labels, "istio-injection", "enabled");
}

struct Tunnel {
  bool (*is_in)(const PodGroup& group);
  std::string_view mesh;
  int64_t port;
  Level level;
};
constexpr std::array<Tunnel, 2> kTunnels = {{
    {IsAmbient, "Istio's ambient mode", 15008, Level::kWarning},
    {IsLinkerd, "Linkerd", 4143, Level::kNote},
}};
constexpr std::array<int64_t, 2> kInnerPorts = {15001, 15006};

PolicyPort TcpPort(int64_t number) {
  return {.protocol = "TCP", .port = number, .end_port = std::nullopt, .position = {}};
}

class MeshChecks {
 public:
  MeshChecks(const Facts& facts, Reporter& reporter) : facts_(facts), reporter_(reporter) {}

  void Check(const NetworkPolicy& policy) {
    for (const Direction direction : kDirections) {
      if (!Governs(policy, direction)) continue;
      for (const Tunnel& tunnel : kTunnels) CheckTunnel(policy, direction, tunnel);
    }
    if (Any(facts_.SubjectsOf(policy), IsIstioSidecar)) CheckInnerPorts(policy);
  }

 private:
  bool Any(const Groups& groups, bool (*is_in)(const PodGroup&)) const {
    return std::any_of(groups.begin(), groups.end(),
                       [&](uint32_t group) { return is_in(facts_.groups()[group]); });
  }

  // One finding a policy and direction, at the first rule that is cut.
  void CheckTunnel(const NetworkPolicy& policy, Direction direction, const Tunnel& tunnel) {
    if (!Any(facts_.SubjectsOf(policy), tunnel.is_in)) return;
    const auto& rules = RulesOf(policy, direction);
    const std::vector<PolicyPort> wanted = {TcpPort(tunnel.port)};
    for (size_t i = 0; i < rules.size(); ++i) {
      if (Covers(rules[i].ports, wanted) || !ConcernsMesh(policy, rules[i], tunnel)) continue;
      if (IsAllowedElsewhere(policy, direction, wanted)) return;
      Finding& finding =
          reporter_.Add(Id::kMeshTunnelCut, policy, RuleField(direction, i) + ".ports",
                        "pods of " + std::string(tunnel.mesh) + " are reached through TCP " +
                            std::to_string(tunnel.port) + ", which this rule leaves out");
      finding.level = tunnel.level;
      finding.suggestion = "add TCP " + std::to_string(tunnel.port) +
                           " here; which ports are meant inside is the mesh's own policy then";
      return;
    }
  }

  // Traffic to and from those outside the mesh goes as it is.
  bool ConcernsMesh(const NetworkPolicy& policy, const PolicyRule& rule,
                    const Tunnel& tunnel) const {
    return rule.peers.empty() ||
           std::any_of(rule.peers.begin(), rule.peers.end(), [&](const PolicyPeer& peer) {
             return !peer.ip_block && Any(facts_.PodsOf(policy, peer), tunnel.is_in);
           });
  }

  bool IsAllowedElsewhere(const NetworkPolicy& policy, Direction direction,
                          const std::vector<PolicyPort>& wanted) const {
    for (const NetworkPolicy& other : facts_.snapshot().policies()) {
      if (other.ns != policy.ns || !Governs(other, direction)) continue;
      if (!Covers(other.pod_selector, policy.pod_selector)) continue;
      for (const PolicyRule& rule : RulesOf(other, direction)) {
        if (Covers(rule.ports, wanted)) return true;
      }
    }
    return false;
  }

  void CheckInnerPorts(const NetworkPolicy& policy) {
    for (const Direction direction : kDirections) {
      const auto& rules = RulesOf(policy, direction);
      for (size_t i = 0; i < rules.size(); ++i) {
        for (size_t j = 0; j < rules[i].ports.size(); ++j) {
          const auto& port = rules[i].ports[j].port;
          const auto* number = port ? std::get_if<int64_t>(&*port) : nullptr;
          if (number == nullptr ||
              std::find(kInnerPorts.begin(), kInnerPorts.end(), *number) == kInnerPorts.end()) {
            continue;
          }
          Finding& finding = reporter_.Add(
              Id::kMeshInnerPort, policy, model::Item(RuleField(direction, i) + ".ports", j),
              std::to_string(*number) +
                  " is where Istio's proxy takes connections over inside the pod; on the network "
                  "they have the application's port");
          finding.suggestion = "name the application's port";
        }
      }
    }
  }

  const Facts& facts_;
  Reporter& reporter_;
};

}  // namespace

void CheckMeshes(const Facts& facts, Reporter& reporter) {
  MeshChecks checks(facts, reporter);
  for (const NetworkPolicy& policy : facts.snapshot().policies()) checks.Check(policy);
}

}  // namespace npf::lint
