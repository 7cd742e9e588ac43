#include "lint/structure.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "npf/address.h"

namespace npf::lint {
namespace {

constexpr char kNameLabel[] = "kubernetes.io/metadata.name";

bool IsAmong(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// The values that a selector allows a key, where it allows only some.
std::optional<std::vector<std::string>> AllowedValues(const LabelSelector& selector,
                                                      const std::string& key) {
  if (const std::string* value = selector.match_labels.Find(key)) return std::vector{*value};
  for (const LabelRequirement& requirement : selector.match_expressions) {
    if (requirement.key == key && requirement.op == "In") return requirement.values;
  }
  return std::nullopt;
}

bool Demands(const LabelSelector& selector, const std::string& key) {
  return AllowedValues(selector, key).has_value() ||
         std::any_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](const LabelRequirement& r) { return r.key == key && r.op == "Exists"; });
}

// Whether all labels that meet `narrow` meet the requirement.
bool Implies(const LabelSelector& narrow, const LabelRequirement& requirement) {
  const std::string& op = requirement.op;
  if (std::find(narrow.match_expressions.begin(), narrow.match_expressions.end(), requirement) !=
      narrow.match_expressions.end()) {
    return true;
  }
  if (op == "Exists") return Demands(narrow, requirement.key);
  const auto allowed = AllowedValues(narrow, requirement.key);
  if (!allowed) return false;
  const auto is_value = [&](const std::string& value) {
    return IsAmong(requirement.values, value);
  };
  if (op == "In") return std::all_of(allowed->begin(), allowed->end(), is_value);
  return op == "NotIn" && std::none_of(allowed->begin(), allowed->end(), is_value);
}

std::optional<IpPrefix> PrefixOf(const std::string& cidr) {
  const ParsedPrefix parsed = ParseIpPrefix(cidr);
  if (parsed.fault != PrefixFault::kNone) return std::nullopt;
  return parsed.prefix;
}

bool Overlap(const IpPrefix& a, const IpPrefix& b) { return a.Contains(b) || b.Contains(a); }

bool CoversPort(const PolicyPort& wide, const PolicyPort& narrow) {
  if (wide.protocol.value_or("TCP") != narrow.protocol.value_or("TCP")) return false;
  if (!wide.port) return true;
  if (!narrow.port || wide.port->index() != narrow.port->index()) return false;
  if (std::holds_alternative<std::string>(*wide.port)) return *wide.port == *narrow.port;
  const int64_t wide_first = std::get<int64_t>(*wide.port);
  const int64_t narrow_first = std::get<int64_t>(*narrow.port);
  return wide_first <= narrow_first &&
         narrow.end_port.value_or(narrow_first) <= wide.end_port.value_or(wide_first);
}

bool CoversPort(const ClusterPort& wide, const ClusterPort& narrow) {
  using Form = ClusterPort::Form;
  if (wide.form == Form::kNamed || narrow.form == Form::kNamed) {
    return wide.form == narrow.form && wide.name == narrow.name;
  }
  if (wide.protocol != narrow.protocol) return false;
  if (wide.form == Form::kAll) return true;
  const auto is_numeric = [](Form form) { return form == Form::kNumber || form == Form::kRange; };
  return is_numeric(wide.form) && is_numeric(narrow.form) && wide.first <= narrow.first &&
         narrow.last <= wide.last;
}

template <typename Port>
bool CoversAll(const std::vector<Port>& wide, const std::vector<Port>& narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const Port& port) {
    return std::any_of(wide.begin(), wide.end(),
                       [&](const Port& other) { return CoversPort(other, port); });
  });
}

const LabelSelector& PodsOf(const PolicyPeer& peer) {
  static const LabelSelector kAll;
  return peer.pod_selector ? *peer.pod_selector : kAll;
}

}  // namespace

bool Covers(const LabelSelector& wide, const LabelSelector& narrow) {
  for (const auto& [key, value] : wide.match_labels) {
    if (!Implies(narrow, {.key = key, .op = "In", .values = {value}})) return false;
  }
  return std::all_of(wide.match_expressions.begin(), wide.match_expressions.end(),
                     [&](const LabelRequirement& r) { return Implies(narrow, r); });
}

bool Covers(const IpBlock& wide, const IpBlock& narrow) {
  const auto outer = PrefixOf(wide.cidr);
  const auto inner = PrefixOf(narrow.cidr);
  if (!outer || !inner || !outer->Contains(*inner)) return false;
  return std::all_of(wide.except.begin(), wide.except.end(), [&](const std::string& text) {
    const auto except = PrefixOf(text);
    if (!except) return false;
    if (!Overlap(*except, *inner)) return true;
    return std::any_of(narrow.except.begin(), narrow.except.end(), [&](const std::string& other) {
      const auto excepted = PrefixOf(other);
      return excepted && excepted->Contains(*except);
    });
  });
}

bool Covers(const PolicyPeer& wide, const PolicyPeer& narrow, const std::string& ns) {
  if (wide.ip_block || narrow.ip_block) {
    return wide.ip_block && narrow.ip_block && Covers(*wide.ip_block, *narrow.ip_block);
  }
  if (!Covers(PodsOf(wide), PodsOf(narrow))) return false;
  if (!wide.namespace_selector) return !narrow.namespace_selector;
  // R12: a namespace has its name as a label, and that one for certain.
  LabelSelector own;
  own.match_labels.Set(kNameLabel, ns);
  return Covers(*wide.namespace_selector,
                narrow.namespace_selector ? *narrow.namespace_selector : own);
}

bool Covers(const std::vector<PolicyPort>& wide, const std::vector<PolicyPort>& narrow) {
  return wide.empty() || (!narrow.empty() && CoversAll(wide, narrow));
}

bool CoversPorts(const ClusterRule& wide, const ClusterRule& narrow) {
  return !wide.ports || (narrow.ports && CoversAll(*wide.ports, *narrow.ports));
}

bool Covers(const ClusterPeer& wide, const ClusterPeer& narrow) {
  if (!wide.pods || !narrow.pods) return false;
  static const LabelSelector kAll;
  return Covers(wide.pods->namespace_selector, narrow.pods->namespace_selector) &&
         Covers(wide.pods->pod_selector.value_or(kAll), narrow.pods->pod_selector.value_or(kAll));
}

bool Governs(const NetworkPolicy& policy, Direction direction) {
  if (policy.policy_types.empty()) {
    return direction == Direction::kIngress || !policy.egress.empty();
  }
  return IsAmong(policy.policy_types, direction == Direction::kIngress ? "Ingress" : "Egress");
}

}  // namespace npf::lint
