// The cluster-wide tiers: an order that is not defined, rules that are never reached, Pass rules
// that pass nothing by, Baseline policies that are never asked.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lint/checks.h"
#include "lint/structure.h"

namespace npf::lint {
namespace {

using resolve::BitsetTable;

// A rule of a tier in the order in which it is asked.
struct TierRule {
  uint32_t policy = 0;  // of resolved().policies
  uint32_t rule = 0;    // of its rules
  auto operator<=>(const TierRule&) const = default;
};

// What became of it, over all subjects and peers.
struct Fate {
  bool matches = false;               // something, if it were alone
  bool reached = false;               // something was left for it
  bool useful = false;                // of a Pass: a later rule would have decided what it takes
  std::optional<TierRule> before;     // a rule that took what it matches
  std::optional<TierRule> kept_from;  // of a useful Pass
};

class TierChecks {
 public:
  TierChecks(const Facts& facts, const Effects* effects, Reporter& reporter)
      : facts_(facts), effects_(effects), reporter_(reporter) {}

  void Run() {
    CheckPriorities();
    for (size_t p = 0; p < Policies().size(); ++p) CheckStructure(p);
    if (effects_ == nullptr) return;
    for (const resolve::Tier tier : {resolve::Tier::kAdmin, resolve::Tier::kBaseline}) {
      for (const Direction direction : kDirections) FollowTier(tier, direction);
    }
    for (const auto& [rule, fate] : fates_) Report(rule, fate);
    for (size_t p = 0; p < Policies().size(); ++p) CheckBaseline(p);
  }

 private:
  const std::vector<ClusterPolicy>& Policies() const {
    return facts_.snapshot().cluster_policies();
  }

  void CheckPriorities() {
    for (size_t p = 1; p < Policies().size(); ++p) {
      const ClusterPolicy& before = Policies()[p - 1];
      const ClusterPolicy& policy = Policies()[p];
      if (before.tier != policy.tier ||
          before.priority.value_or(0) != policy.priority.value_or(0)) {
        continue;
      }
      Finding& finding =
          reporter_.Add(Id::kEqualPriority, policy, "spec.priority",
                        "is " + std::to_string(policy.priority.value_or(0)) + " as that of " +
                            NameOf(before) + ", and the API leaves open which comes first");
      finding.related.push_back({PositionOf(before, "spec.priority"), NameOf(before),
                                 "spec.priority", "the same priority"});
      finding.suggestion = "give each policy of a tier a priority of its own; here " + before.name +
                           " is evaluated first";
    }
  }

  // Within one policy, an earlier rule that takes in all of a later one, whatever pods there are.
  void CheckStructure(size_t p) {
    const ClusterPolicy& policy = Policies()[p];
    for (const Direction direction : kDirections) {
      const auto& rules = RulesOf(policy, direction);
      for (size_t i = 1; i < rules.size(); ++i) {
        for (size_t before = 0; before < i; ++before) {
          if (!CoversRule(rules[before], rules[i])) continue;
          ReportUnreached(p, direction, i, p, before, "matches all of this before");
          break;
        }
      }
    }
  }

  // R89: of a rule with a part that is not known, something else becomes.
  static bool IsUnderstood(const ClusterRule& rule) {
    const auto& ports = rule.ports;
    return std::all_of(rule.peers.begin(), rule.peers.end(),
                       [](const ClusterPeer& peer) {
                         return peer.pods || peer.nodes || peer.networks || peer.domain_names;
                       }) &&
           (!ports || std::none_of(ports->begin(), ports->end(), [](const ClusterPort& port) {
             return port.form == ClusterPort::Form::kNothing;
           }));
  }

  static bool CoversRule(const ClusterRule& wide, const ClusterRule& narrow) {
    return IsUnderstood(wide) && IsUnderstood(narrow) && CoversPorts(wide, narrow) &&
           !narrow.peers.empty() &&
           std::all_of(narrow.peers.begin(), narrow.peers.end(), [&](const ClusterPeer& peer) {
             return std::any_of(wide.peers.begin(), wide.peers.end(),
                                [&](const ClusterPeer& other) { return Covers(other, peer); });
           });
  }

  void ReportUnreached(size_t p, Direction direction, size_t rule, size_t by_policy, size_t by_rule,
                       const std::string& how) {
    const std::pair key(std::pair(p, direction), rule);
    if (std::find(unreached_.begin(), unreached_.end(), key) != unreached_.end()) return;
    unreached_.push_back(key);
    const ClusterPolicy& policy = Policies()[p];
    const ClusterPolicy& other = Policies()[by_policy];
    const std::string by_field = RuleField(direction, by_rule);
    const std::string action = RulesOf(other, direction)[by_rule].action;
    Finding& finding = reporter_.Add(
        Id::kTierRuleUnreached, policy, RuleField(direction, rule),
        "is never reached: " + (p == by_policy ? std::string() : NameOf(other) + " ") + by_field +
            " (" + action + ") " + how);
    finding.related.push_back(
        {PositionOf(other, by_field), NameOf(other), by_field, action + " comes first"});
    finding.suggestion = "move it before that one, or narrow that one";
    finding.without_effect =
        PolicyPart{.cluster = true, .policy = p, .direction = direction, .rule = rule};
  }

  // Subjects that the same policies of the tier select, with the same named ports, fare alike.
  void FollowTier(resolve::Tier tier, Direction direction) {
    std::map<std::pair<std::vector<uint32_t>, uint32_t>, uint32_t> subjects;
    const auto& resolved = effects_->resolved();
    for (uint32_t c = 0; c < resolved.pod_class_count; ++c) {
      std::vector<uint32_t> of_tier;
      for (const uint32_t p : effects_->PoliciesOf(c)) {
        if (resolved.policies[p].tier == tier) of_tier.push_back(p);
      }
      if (of_tier.empty()) continue;
      subjects.try_emplace({std::move(of_tier), resolved.classes[c].port_signature}, c);
    }
    for (const auto& [key, subject] : subjects) Follow(key.first, direction, subject);
  }

  struct Passed {
    TierRule by;
    uint32_t ports = 0;
  };
  struct PeerState {
    uint32_t left = BitsetTable::kAll;
    std::vector<std::pair<TierRule, uint32_t>> taken;
    std::vector<Passed> passed;
  };

  void Follow(const std::vector<uint32_t>& policies, Direction direction, uint32_t subject) {
    const auto& resolved = effects_->resolved();
    std::vector<PeerState> states(resolved.classes.size());
    const size_t d = direction == Direction::kIngress ? resolve::kIngress : resolve::kEgress;
    for (const uint32_t p : policies) {
      const resolve::Policy& policy = resolved.policies[p];
      for (uint32_t r = 0; r < policy.rules.size(); ++r) {
        const resolve::Rule& rule = policy.rules[r];
        if (rule.direction != d) continue;
        const TierRule at{p, r};
        Fate& fate = fates_[at];
        const auto meet = [&](uint32_t c) {
          const uint32_t on = direction == Direction::kIngress ? subject : c;
          const uint32_t ports = effects_->PortsOf(rule, resolved.classes[on].port_signature);
          if (ports != BitsetTable::kNothing) Meet(at, rule.action, ports, states[c], fate);
        };
        if (rule.peers.empty()) {
          for (uint32_t c = 0; c < states.size(); ++c) meet(c);
        }
        for (const resolve::RulePeer& peer : rule.peers) {
          for (const uint32_t c : effects_->ClassesOf(peer.atom)) meet(c);
        }
      }
    }
  }

  void Meet(const TierRule& at, resolve::Action action, uint32_t ports, PeerState& state,
            Fate& fate) {
    BitsetTable& bits = effects_->bits();
    fate.matches = true;
    for (Passed& passed : state.passed) {
      const uint32_t both = bits.Intersection(passed.ports, ports);
      if (both == BitsetTable::kNothing || passed.by == at) continue;
      passed.ports = bits.Difference(passed.ports, both);
      if (action == resolve::Action::kPass) continue;
      fates_[passed.by].useful = true;
      fates_[passed.by].kept_from = at;
    }
    const uint32_t mine = bits.Intersection(state.left, ports);
    if (mine != BitsetTable::kNothing) {
      fate.reached = true;
      state.left = bits.Difference(state.left, mine);
      state.taken.emplace_back(at, mine);
      if (action == resolve::Action::kPass) state.passed.push_back({at, mine});
    } else if (!fate.before) {
      for (const auto& [by, taken] : state.taken) {
        if (by != at && bits.Intersection(taken, ports) != BitsetTable::kNothing) fate.before = by;
        if (fate.before) break;
      }
    }
  }

  size_t ClusterIndex(uint32_t resolved_policy) const {
    return resolved_policy < effects_->admin_count()
               ? resolved_policy
               : resolved_policy - facts_.snapshot().policies().size();
  }

  void Report(const TierRule& at, const Fate& fate) {
    const resolve::Rule& rule = effects_->resolved().policies[at.policy].rules[at.rule];
    const Direction direction =
        rule.direction == resolve::kIngress ? Direction::kIngress : Direction::kEgress;
    const size_t p = ClusterIndex(at.policy);
    if (fate.matches && !fate.reached && fate.before) {
      const resolve::Rule& by =
          effects_->resolved().policies[fate.before->policy].rules[fate.before->rule];
      ReportUnreached(p, direction, rule.index, ClusterIndex(fate.before->policy), by.index,
                      "and others before match all that it matches among these objects");
    }
    if (rule.action != resolve::Action::kPass || !fate.reached || fate.useful) return;
    Finding& finding = reporter_.Add(
        Id::kPassNoEffect, Policies()[p], RuleField(direction, rule.index),
        "no later rule of the tier decides about what it passes, among these objects");
    finding.suggestion = "a Pass has to come before the rule that it makes an exception to";
    finding.without_effect =
        PolicyPart{.cluster = true, .policy = p, .direction = direction, .rule = rule.index};
  }

  // R84: Baseline is asked only where no NetworkPolicy isolates.
  void CheckBaseline(size_t p) {
    const ClusterPolicy& policy = Policies()[p];
    if (policy.tier != "Baseline") return;
    const auto& resolved = effects_->resolved();
    const resolve::Policy& object = resolved.policies[effects_->ResolvedIndex(true, p)];
    for (const Direction direction : kDirections) {
      if (RulesOf(policy, direction).empty()) continue;
      bool any = false;
      bool all_isolated = true;
      for (const uint32_t c : effects_->ClassesOf(object.subject_atom)) {
        if (!effects_->IsPod(c)) continue;
        any = true;
        all_isolated = all_isolated && !effects_->Isolating(direction, c).empty();
      }
      if (!any || !all_isolated) continue;
      Finding& finding =
          reporter_.Add(Id::kBaselineUnreached, policy, std::string(FieldOf(direction)),
                        "NetworkPolicies isolate every pod that it is about for " +
                            std::string(Name(direction)) + ", so it is never asked");
      finding.without_effect = PolicyPart{.cluster = true, .policy = p, .direction = direction};
    }
  }

  const Facts& facts_;
  const Effects* effects_;
  Reporter& reporter_;
  std::map<TierRule, Fate> fates_;
  std::vector<std::pair<std::pair<size_t, Direction>, size_t>> unreached_;
};

}  // namespace

void CheckTiers(const Facts& facts, const Effects* effects, Reporter& reporter) {
  TierChecks(facts, effects, reporter).Run();
}

}  // namespace npf::lint
