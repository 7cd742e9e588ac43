// Ports that the pods concerned do not have: by name, which resolves to nothing, and by number,
// which the containers do not declare.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lint/checks.h"
#include "model/nearest.h"
#include "model/validate.h"

namespace npf::lint {
namespace {

// The ports that pods declare, by their groups.
class DeclaredPorts {
 public:
  DeclaredPorts(const Facts& facts, const Groups& groups) {
    for (const uint32_t group : groups) {
      const PodGroup& pods = facts.groups()[group];
      if (!pods.has_addresses()) continue;
      ++pods_;
      for (const ContainerPort& port : pods.first().ports) all_.push_back(&port);
      silent_ = silent_ || pods.first().ports.empty();
    }
  }

  bool any_pod() const { return pods_ > 0; }
  bool every_pod_declares() const { return any_pod() && !silent_; }
  const std::vector<const ContainerPort*>& all() const { return all_; }

  bool HasName(const std::string& name, const std::string& protocol) const {
    return std::any_of(all_.begin(), all_.end(), [&](const ContainerPort* port) {
      return port->name == name && (protocol.empty() || port->protocol == protocol);
    });
  }

  // "http (TCP 8080), metrics (TCP 9090)".
  std::string Text() const {
    std::set<std::string> texts;
    for (const ContainerPort* port : all_) {
      const std::string number = port->protocol + " " + std::to_string(port->port);
      texts.insert(port->name.empty() ? number : port->name + " (" + number + ")");
    }
    return Listed({texts.begin(), texts.end()});
  }

 private:
  size_t pods_ = 0;
  bool silent_ = false;
  std::vector<const ContainerPort*> all_;
};

std::string NameAdvice(const DeclaredPorts& declared, const std::string& name) {
  if (declared.all().empty()) return "they declare no port at all; write the number";
  for (const ContainerPort* port : declared.all()) {
    if (port->name == name) return "they have it with protocol " + port->protocol;
  }
  std::vector<std::string_view> names;
  for (const ContainerPort* port : declared.all()) names.push_back(port->name);
  const std::string_view nearest = model::NearestWord(name, names);
  if (!nearest.empty()) return "did you mean " + std::string(nearest) + "?";
  return "they have " + declared.Text();
}

// One digit more, less or other, or the neighbour.
bool IsSlip(int64_t written, int64_t declared) {
  return std::abs(written - declared) == 1 ||
         model::EditDistance(std::to_string(written), std::to_string(declared)) == 1;
}

class PortChecks {
 public:
  PortChecks(const Facts& facts, Reporter& reporter) : facts_(facts), reporter_(reporter) {
    for (uint32_t group = 0; group < facts.groups().size(); ++group) everybody_.push_back(group);
  }

  void Check(const NetworkPolicy& policy, PolicyPart part) {
    for (const Direction direction : kDirections) {
      const auto& rules = RulesOf(policy, direction);
      part.direction = direction;
      for (size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].ports.empty()) continue;
        part.rule = i;
        const DeclaredPorts declared(facts_, Destinations(policy, rules[i], direction));
        for (size_t j = 0; declared.any_pod() && j < rules[i].ports.size(); ++j) {
          part.port = j;
          CheckPort(policy, rules[i].ports[j], model::Item(RuleField(direction, i) + ".ports", j),
                    declared, part);
        }
        part.port.reset();
      }
    }
  }

  void Check(const ClusterPolicy& policy, PolicyPart part) {
    const bool v1alpha2 = policy.kind == ClusterPolicyKind::kClusterNetworkPolicy;
    for (const Direction direction : kDirections) {
      const auto& rules = RulesOf(policy, direction);
      part.direction = direction;
      for (size_t i = 0; i < rules.size(); ++i) {
        if (!rules[i].ports) continue;
        part.rule = i;
        const DeclaredPorts declared(facts_, Destinations(policy, rules[i], direction));
        for (size_t j = 0; declared.any_pod() && j < rules[i].ports->size(); ++j) {
          const ClusterPort& port = (*rules[i].ports)[j];
          if (port.form != ClusterPort::Form::kNamed || declared.HasName(port.name, "")) continue;
          part.port = j;
          Finding& finding = reporter_.Add(
              Id::kNamedPortMissing, policy,
              model::Item(RuleField(direction, i) + (v1alpha2 ? ".protocols" : ".ports"), j),
              "no pod that it concerns has a port named \"" + port.name + "\"");
          finding.suggestion = NameAdvice(declared, port.name);
          finding.without_effect = part;
        }
        part.port.reset();
      }
    }
  }

 private:
  // The pods on which a rule's ports are (R26, R27). A block may hold any pod's address.
  Groups Destinations(const NetworkPolicy& policy, const PolicyRule& rule,
                      Direction direction) const {
    if (direction == Direction::kIngress) return facts_.SubjectsOf(policy);
    Groups out;
    for (const PolicyPeer& peer : rule.peers) {
      if (peer.ip_block) return everybody_;
      const Groups& pods = facts_.PodsOf(policy, peer);
      out.insert(out.end(), pods.begin(), pods.end());
    }
    return rule.peers.empty() ? everybody_ : out;
  }
  Groups Destinations(const ClusterPolicy& policy, const ClusterRule& rule,
                      Direction direction) const {
    if (direction == Direction::kIngress) return facts_.SubjectsOf(policy);
    Groups out;
    for (const ClusterPeer& peer : rule.peers) {
      if (!peer.pods) return everybody_;
      const Groups& pods = facts_.PodsOf(*peer.pods);
      out.insert(out.end(), pods.begin(), pods.end());
    }
    return out;
  }

  void CheckPort(const NetworkPolicy& policy, const PolicyPort& port, const std::string& field,
                 const DeclaredPorts& declared, const PolicyPart& part) {
    if (!port.port) return;
    const std::string protocol = port.protocol.value_or("TCP");
    if (const auto* name = std::get_if<std::string>(&*port.port)) {
      if (declared.HasName(*name, protocol)) return;
      Finding& finding = reporter_.Add(Id::kNamedPortMissing, policy, field + ".port",
                                       "no pod that it concerns has a " + protocol +
                                           " port named \"" + *name + "\", so it allows nothing");
      finding.suggestion = NameAdvice(declared, *name);
      finding.without_effect = part;
    } else if (!port.end_port) {
      CheckNumber(policy, std::get<int64_t>(*port.port), protocol, field, declared);
    }
  }

  void CheckNumber(const NetworkPolicy& policy, int64_t number, const std::string& protocol,
                   const std::string& field, const DeclaredPorts& declared) {
    if (!declared.every_pod_declares()) return;
    const ContainerPort* slip = nullptr;
    bool has_protocol = false;
    for (const ContainerPort* port : declared.all()) {
      if (port->protocol != protocol) continue;
      has_protocol = true;
      if (port->port == number) return;
      if (IsSlip(number, port->port)) slip = port;
    }
    if (!has_protocol) return;
    Finding& finding = reporter_.Add(
        Id::kPortNotDeclared, policy, field + ".port",
        "no pod that it concerns declares " + protocol + " " + std::to_string(number));
    finding.suggestion = slip != nullptr ? "did you mean " + std::to_string(slip->port) + "?"
                                         : "they declare " + declared.Text();
    if (slip != nullptr) finding.level = Level::kWarning;
  }

  const Facts& facts_;
  Reporter& reporter_;
  Groups everybody_;
};

}  // namespace

void CheckPorts(const Facts& facts, Reporter& reporter) {
  const Snapshot& snapshot = facts.snapshot();
  PortChecks checks(facts, reporter);
  for (size_t p = 0; p < snapshot.policies().size(); ++p) {
    checks.Check(snapshot.policies()[p], {.cluster = false, .policy = p});
  }
  for (size_t p = 0; p < snapshot.cluster_policies().size(); ++p) {
    checks.Check(snapshot.cluster_policies()[p], {.cluster = true, .policy = p});
  }
}

}  // namespace npf::lint
