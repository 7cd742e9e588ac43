#include "npf/why.h"

#include <algorithm>
#include <cstring>

#include "npf/output.h"

namespace npf::tools {
namespace {

std::string JsonBool(bool value) { return value ? "true" : "false"; }

std::string JsonPlace(const Place& place) {
  if (place.file.empty()) return "";
  return ",\"file\":" + JsonString(place.file) + ",\"line\":" + std::to_string(place.line);
}

// Without the closing brace.
std::string OpenJsonRule(const RuleRef& rule, const Places& places) {
  return "{\"policy\":" + JsonString(rule.policy) + ",\"rule\":" + std::to_string(rule.rule) +
         ",\"path\":" + JsonString(rule.FieldPath()) + JsonPlace(places.Of(rule));
}

std::string JsonRule(const RuleRef& rule, const Places& places) {
  return OpenJsonRule(rule, places) + "}";
}

std::string JsonTierMatch(const TierMatch& match, const Places& places) {
  std::string out = OpenJsonRule(match.rule, places) +
                    ",\"kind\":" + JsonString(Name(match.rule.kind)) +
                    ",\"tier\":" + JsonString(Name(match.tier)) +
                    ",\"action\":" + JsonString(Name(match.action, match.rule.kind));
  if (!match.rule_name.empty()) out += ",\"rule_name\":" + JsonString(match.rule_name);
  return out + "}";
}

std::string JsonDirection(const DirectionExplanation& direction, const Places& places) {
  std::string out = "{\"judged\":" + JsonBool(direction.judged) +
                    ",\"isolated\":" + JsonBool(direction.isolated) +
                    ",\"local_node\":" + JsonBool(direction.local_node);
  if (direction.decided_by) out += ",\"tier\":" + JsonString(Name(*direction.decided_by));
  if (!direction.tiers.empty()) out += ",\"tiers\":[";
  for (size_t i = 0; i < direction.tiers.size(); ++i) {
    out += (i == 0 ? "" : ",") + JsonTierMatch(direction.tiers[i], places);
  }
  if (!direction.tiers.empty()) out += "]";
  out += ",\"isolating\":[";
  for (size_t i = 0; i < direction.isolating.size(); ++i) {
    out += std::string(i == 0 ? "" : ",") + "{\"policy\":" + JsonString(direction.isolating[i]) +
           JsonPlace(places.Of(direction.isolating[i])) + "}";
  }
  out += "],\"allowing\":[";
  for (size_t i = 0; i < direction.allowing.size(); ++i) {
    out += (i == 0 ? "" : ",") + JsonRule(direction.allowing[i], places);
  }
  out += "]";
  if (direction.nearest) {
    out += ",\"nearest\":" + JsonRule(direction.nearest->rule, places) +
           ",\"missed\":" + JsonString(direction.nearest->detail);
  }
  return out + "}";
}

void AppendDenial(std::string_view name, const Party& subject,
                  const DirectionExplanation& direction, std::string& out) {
  constexpr size_t kNamesMax = 5;
  if (!direction.judged || direction.allowed) return;
  if (!out.empty()) out += "; ";
  out +=
      std::string(name) + " of " + (subject.name.empty() ? subject.address : subject.name) + ": ";
  if (!direction.tiers.empty()) out += direction.Path();
  if (!direction.isolated) return;
  out += direction.tiers.empty() ? "isolated by " : ", isolated by ";
  const size_t shown = std::min(direction.isolating.size(), kNamesMax);
  for (size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + direction.isolating[i];
  if (shown < direction.isolating.size()) {
    out += " and " + std::to_string(direction.isolating.size() - shown) + " more";
  }
  if (direction.nearest) {
    out += ", nearest miss " + direction.nearest->rule.policy + " " +
           direction.nearest->rule.FieldPath() + ": " + direction.nearest->detail;
  }
}

}  // namespace

Place Places::Of(std::string_view policy) const {
  const NetworkPolicy* object = Find(policy);
  return object == nullptr ? Place{} : At(object->position);
}

Place Places::Of(const RuleRef& ref) const {
  if (ref.kind != PolicyKind::kNetworkPolicy) return OfClusterRule(ref);
  const NetworkPolicy* object = Find(ref.policy);
  if (object == nullptr) return {};
  const auto& rules = ref.direction == Direction::kIngress ? object->ingress : object->egress;
  if (ref.rule >= rules.size()) return At(object->position);
  const PolicyRule& rule = rules[ref.rule];
  if (ref.port && *ref.port < rule.ports.size()) return At(rule.ports[*ref.port].position);
  if (ref.peer && *ref.peer < rule.peers.size()) return At(rule.peers[*ref.peer].position);
  return At(rule.position);
}

Place Places::OfClusterRule(const RuleRef& ref) const {
  for (const ClusterPolicy& object : snapshot_.cluster_policies()) {
    if (object.name != ref.policy || Name(object.kind) != Name(ref.kind)) continue;
    const auto& rules = ref.direction == Direction::kIngress ? object.ingress : object.egress;
    if (ref.rule >= rules.size()) return At(object.position);
    const ClusterRule& rule = rules[ref.rule];
    if (ref.port && rule.ports && *ref.port < rule.ports->size()) {
      return At((*rule.ports)[*ref.port].position);
    }
    if (ref.peer && *ref.peer < rule.peers.size()) return At(rule.peers[*ref.peer].position);
    return At(rule.position);
  }
  return {};
}

// Policies are sorted by namespace and name.
const NetworkPolicy* Places::Find(std::string_view policy) const {
  const size_t slash = policy.find('/');
  if (slash == std::string_view::npos) return nullptr;
  const std::pair<std::string_view, std::string_view> wanted(policy.substr(0, slash),
                                                             policy.substr(slash + 1));
  const auto name_of = [](const NetworkPolicy& object) {
    return std::pair<std::string_view, std::string_view>(object.ns, object.name);
  };
  const auto& all = snapshot_.policies();
  const auto found = std::lower_bound(
      all.begin(), all.end(), wanted,
      [&](const NetworkPolicy& object, const auto& name) { return name_of(object) < name; });
  return found != all.end() && name_of(*found) == wanted ? &*found : nullptr;
}

Place Places::At(const Position& position) const {
  if (position.file == 0 || position.file >= snapshot_.files().size()) return {};
  return {.file = snapshot_.files()[position.file], .line = position.line};
}

std::string JsonWhy(const Explanation& explanation, const Places& places) {
  return "{\"egress\":" + JsonDirection(explanation.egress, places) +
         ",\"ingress\":" + JsonDirection(explanation.ingress, places) + "}";
}

std::string DenialText(const Explanation& explanation) {
  std::string out;
  AppendDenial("egress", explanation.src, explanation.egress, out);
  AppendDenial("ingress", explanation.dst, explanation.ingress, out);
  return out;
}

const Explainer::Why& Explainer::Of(const FlowKey& key) {
  FlowKey tuple = key;
  tuple.src_port = 0;
  std::string name(sizeof(tuple), '\0');
  std::memcpy(name.data(), &tuple, sizeof(tuple));
  const auto found = known_.find(name);
  if (found != known_.end()) return found->second;
  if (known_.size() == kMax) known_.clear();
  const Explanation explanation = Explain(program_, options_, tuple);
  return known_
      .emplace(std::move(name), Why{JsonWhy(explanation, places_), DenialText(explanation)})
      .first->second;
}

}  // namespace npf::tools
