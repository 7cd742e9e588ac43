#include "npf/explain.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "classify/address_lookup.h"
#include "explain/near_miss.h"
#include "npf/classify.h"
#include "program/view.h"

namespace npf {
namespace {

absl::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

constexpr std::string_view kKindNames[] = {"pod", "node", "service", "unknown_pod", "external"};

Party PartyOf(const ProgramView& view, const FlowKey& key, const uint8_t* bytes,
              const IpAddress& address) {
  Party party;
  party.address = ToString(address);
  const uint32_t address_class = ClassOf(view, key.family, bytes);
  party.kind = kKindNames[view.Section<layout::ClassRecord>(layout::kClasses)[address_class].kind];
  if (const layout::Endpoint* endpoint = view.FindEndpoint(key.family, bytes)) {
    party.name = view.String(endpoint->name);
    party.node = view.String(endpoint->node);
    party.labels = view.String(endpoint->labels);
  }
  return party;
}

static_assert(static_cast<int>(PolicyKind::kBaselineAdminNetworkPolicy) ==
              static_cast<int>(layout::PolicyKind::kBaselineAdminNetworkPolicy));
static_assert(static_cast<int>(RuleAction::kPass) == static_cast<int>(layout::Action::kPass));
static_assert(static_cast<int>(PolicyTier::kBaseline) == static_cast<int>(layout::Tier::kBaseline));

// Follows the policies in the order in which they are evaluated, as the Program has them.
class DirectionExplainer {
 public:
  DirectionExplainer(const ProgramView& view, const RuleQuestion& question)
      : view_(view), question_(question) {}

  void Run(DirectionExplanation& out) {
    RunOrdered(PolicyTier::kAdmin, out);
    if (out.decided_by) return;
    RunPolicies(out);
    if (out.isolated) {
      out.decided_by = PolicyTier::kNetworkPolicy;
      return;
    }
    RunOrdered(PolicyTier::kBaseline, out);
  }

 private:
  // R81, R82: the first rule that matches ends the tier.
  void RunOrdered(PolicyTier tier, DirectionExplanation& out) {
    for (const layout::PolicyRecord& policy :
         view_.Section<layout::PolicyRecord>(layout::kPolicies)) {
      if (!Applies(policy, tier)) continue;
      for (const layout::RuleRecord& rule : RulesOf(policy)) {
        const RuleJudgement judgement = JudgeRule(view_, question_, rule);
        if (!judgement.matches) continue;
        out.tiers.push_back({.tier = tier,
                             .action = static_cast<RuleAction>(rule.action),
                             .rule = RefOf(policy, rule, judgement),
                             .rule_name = std::string(view_.String(rule.name))});
        if (out.tiers.back().action != RuleAction::kPass) out.decided_by = tier;
        return;
      }
    }
  }

  void RunPolicies(DirectionExplanation& out) {
    for (const layout::PolicyRecord& policy :
         view_.Section<layout::PolicyRecord>(layout::kPolicies)) {
      if (!Applies(policy, PolicyTier::kNetworkPolicy)) continue;
      out.isolated = true;
      out.isolating.emplace_back(view_.String(policy.name));
      for (const layout::RuleRecord& rule : RulesOf(policy)) {
        RuleJudgement judgement = JudgeRule(view_, question_, rule);
        RuleRef ref = RefOf(policy, rule, judgement);
        if (judgement.matches) {
          out.allowing.push_back(std::move(ref));
        } else if (judgement.distance < nearest_distance_) {
          nearest_distance_ = judgement.distance;
          out.nearest = NearMiss{std::move(ref), judgement.field, std::move(judgement.detail)};
        }
      }
    }
    if (!out.allowing.empty()) out.nearest.reset();
  }

  bool Applies(const layout::PolicyRecord& policy, PolicyTier tier) const {
    const auto subject_atoms = view_.AtomsOf(question_.subject_class);
    return policy.tier == static_cast<uint8_t>(tier) &&
           (policy.governs >> static_cast<uint8_t>(question_.direction) & 1) != 0 &&
           std::binary_search(subject_atoms.begin(), subject_atoms.end(), policy.subject_atom);
  }

  // Those of the direction.
  std::vector<layout::RuleRecord> RulesOf(const layout::PolicyRecord& policy) const {
    std::vector<layout::RuleRecord> rules;
    for (const layout::RuleRecord& rule : view_.Section<layout::RuleRecord>(layout::kRules)
                                              .subspan(policy.first_rule, policy.rule_count)) {
      if (rule.direction == static_cast<uint8_t>(question_.direction)) rules.push_back(rule);
    }
    return rules;
  }

  RuleRef RefOf(const layout::PolicyRecord& policy, const layout::RuleRecord& rule,
                const RuleJudgement& judgement) const {
    return {.kind = static_cast<PolicyKind>(policy.kind),
            .policy = std::string(view_.String(policy.name)),
            .direction = question_.direction,
            .rule = rule.index,
            .peer = judgement.peer,
            .item = judgement.item,
            .item_list = judgement.item_list,
            .port = judgement.port};
  }

  const ProgramView& view_;
  const RuleQuestion& question_;
  uint64_t nearest_distance_ = std::numeric_limits<uint64_t>::max();
};

void ExplainDirection(const ProgramView& view, const ClassifyOptions& options, const FlowKey& key,
                      const Explanation& context, Direction direction, DirectionExplanation& out) {
  const bool ingress = direction == Direction::kIngress;
  const uint8_t bit = ingress ? kIngressAllowed : kEgressAllowed;
  const uint8_t* subject = ingress ? key.dst : key.src;
  const uint8_t* peer = ingress ? key.src : key.dst;
  out.allowed = (context.verdict.directions & bit) != 0;
  const uint32_t subject_class = ClassOf(view, key.family, subject);
  if ((static_cast<uint8_t>(options.directions) & bit) == 0) return;
  if (subject_class >= view.header().pod_class_count) return;
  if (context.verdict.cell == layout::kLoopbackCell) return;
  out.judged = true;
  const RuleQuestion question{.direction = direction,
                              .subject_class = subject_class,
                              .peer_class = ClassOf(view, key.family, peer),
                              .peer = ingress ? context.src : context.dst,
                              .peer_address = ingress ? SourceOf(key) : DestinationOf(key),
                              .protocol = key.protocol,
                              .port = key.dst_port};
  DirectionExplainer(view, question).Run(out);
  out.local_node = ingress && out.allowed && out.isolated && out.allowing.empty();
  if (out.allowed) out.nearest.reset();
}

void AppendParty(const char* role, const Party& party, std::string& text) {
  absl::StrAppend(&text, role, " ", party.address, " is ");
  if (party.name.empty()) {
    absl::StrAppend(&text, std::string(party.kind));
  } else {
    absl::StrAppend(&text, std::string(party.kind), " ", party.name);
  }
  if (!party.labels.empty()) absl::StrAppend(&text, " (", party.labels, ")");
  text += '\n';
}

void AppendDirection(const char* name, const DirectionExplanation& direction, std::string& text) {
  absl::StrAppend(&text, name, ": ", direction.allowed ? "allow" : "deny");
  if (!direction.judged) {
    text += ", not judged: no policy applies to this side\n";
    return;
  }
  if (!direction.tiers.empty()) absl::StrAppend(&text, ": ", direction.Path());
  if (direction.isolated) {
    absl::StrAppend(&text, ", isolated by ", absl::StrJoin(direction.isolating, ", "));
  } else if (!direction.decided_by) {
    text += ", no policy isolates the pod in this direction";
  }
  text += '\n';
  for (const TierMatch& match : direction.tiers) {
    absl::StrAppend(&text, "  ", match.ToString(), " ", match.rule.FieldPath(), "\n");
  }
  if (direction.local_node) text += "  from the pod's own node: exempt\n";
  for (const RuleRef& rule : direction.allowing) {
    absl::StrAppend(&text, "  allowed by ", rule.policy, " ", rule.FieldPath(), "\n");
  }
  if (direction.nearest) {
    absl::StrAppend(&text, "  nearest rule ", direction.nearest->rule.policy, " ",
                    direction.nearest->rule.FieldPath(), ": ", direction.nearest->detail, "\n");
  } else if (direction.isolated && !direction.allowed) {
    text += "  none of these policies has a rule for this direction\n";
  }
}

}  // namespace

std::string_view Name(PolicyKind kind) {
  constexpr std::string_view kNames[] = {"NetworkPolicy", "ClusterNetworkPolicy",
                                         "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view Name(PolicyTier tier) {
  constexpr std::string_view kNames[] = {"Admin", "NetworkPolicy", "Baseline"};
  return kNames[static_cast<size_t>(tier)];
}

std::string_view Name(RuleAction action, PolicyKind kind) {
  if (action == RuleAction::kDeny) return "Deny";
  if (action == RuleAction::kPass) return "Pass";
  return kind == PolicyKind::kClusterNetworkPolicy ? "Accept" : "Allow";
}

std::string RuleRef::FieldPath() const {
  const bool ingress = direction == Direction::kIngress;
  std::string path = absl::StrCat("spec.", ingress ? "ingress" : "egress", "[", rule, "]");
  if (peer) absl::StrAppend(&path, ingress ? ".from[" : ".to[", *peer, "]");
  if (item) absl::StrAppend(&path, ".", Text(item_list), "[", *item, "]");
  if (port) {
    absl::StrAppend(&path, kind == PolicyKind::kClusterNetworkPolicy ? ".protocols[" : ".ports[",
                    *port, "]");
  }
  return path;
}

std::string TierMatch::ToString() const {
  const std::string rule_text =
      rule_name.empty() ? absl::StrCat(rule.rule) : absl::StrCat("\"", rule_name, "\"");
  return absl::StrCat(Text(Name(tier)), " \"", rule.policy, "\" rule ", rule_text, " ",
                      Text(Name(action, rule.kind)));
}

std::string DirectionExplanation::Path() const {
  std::vector<std::string> steps;
  const auto append_tier = [&](PolicyTier tier) {
    for (const TierMatch& match : tiers) {
      if (match.tier == tier) steps.push_back(match.ToString());
    }
  };
  append_tier(PolicyTier::kAdmin);
  if (isolated) {
    const std::string& policy = allowing.empty() ? isolating.front() : allowing.front().policy;
    const char* outcome =
        allowing.empty() ? (local_node ? " exempt: own node" : " denied") : " allowed";
    steps.push_back(absl::StrCat("NetworkPolicy ", policy, outcome));
  }
  append_tier(PolicyTier::kBaseline);
  if (!steps.empty() && !decided_by) steps.emplace_back("allowed by default");
  return absl::StrJoin(steps, " \u2192 ");
}

Explanation Explain(const Program& program, const ClassifyOptions& options, const FlowKey& key) {
  const ProgramView& view = program.view();
  Explanation explanation;
  Classify(program, options, {&key, 1}, {&explanation.verdict, 1});
  if (key.family != 4 && key.family != 6) return explanation;
  explanation.src = PartyOf(view, key, key.src, SourceOf(key));
  explanation.dst = PartyOf(view, key, key.dst, DestinationOf(key));
  ExplainDirection(view, options, key, explanation, Direction::kEgress, explanation.egress);
  ExplainDirection(view, options, key, explanation, Direction::kIngress, explanation.ingress);
  return explanation;
}

std::string Format(const Explanation& explanation) {
  const Reason reason = static_cast<Reason>(explanation.verdict.reason);
  const std::string_view name = Name(reason);
  std::string text = absl::StrCat(explanation.verdict.allowed != 0 ? "allow" : "deny", " (",
                                  absl::string_view(name.data(), name.size()), ")\n");
  AppendParty("source", explanation.src, text);
  AppendParty("destination", explanation.dst, text);
  AppendDirection("egress", explanation.egress, text);
  AppendDirection("ingress", explanation.ingress, text);
  return text;
}

}  // namespace npf
