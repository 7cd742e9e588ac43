// Rules that have no effect, by how they are written or by what they come to; rules of which only
// one half is allowed; directions that are isolated and have no rule.
#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lint/checks.h"
#include "lint/structure.h"

namespace npf::lint {
namespace {

using resolve::BitsetTable;

PolicyPart PartOf(const RuleKey& key) {
  return {.cluster = false, .policy = key.policy, .direction = key.direction, .rule = key.rule};
}

class RuleChecks {
 public:
  RuleChecks(const Facts& facts, const Effects* effects, Reporter& reporter)
      : facts_(facts), effects_(effects), reporter_(reporter) {}

  void Run() {
    const auto& policies = facts_.snapshot().policies();
    for (size_t begin = 0; begin < policies.size();) {
      size_t end = begin;
      while (end < policies.size() && policies[end].ns == policies[begin].ns) ++end;
      CheckNamespace(begin, end);
      begin = end;
    }
    if (effects_ == nullptr) return;
    CheckEffects();
    CheckOtherHalves();
  }

 private:
  const NetworkPolicy& PolicyAt(size_t index) const { return facts_.snapshot().policies()[index]; }
  const PolicyRule& RuleAt(const RuleKey& key) const {
    return RulesOf(PolicyAt(key.policy), key.direction)[key.rule];
  }

  void CheckNamespace(size_t begin, size_t end) {
    std::vector<RuleKey> rules[2];
    for (size_t p = begin; p < end; ++p) {
      for (const Direction direction : kDirections) {
        const size_t count = RulesOf(PolicyAt(p), direction).size();
        if (!Governs(PolicyAt(p), direction)) {
          if (count > 0) ReportOtherDirection(p, direction);
          continue;
        }
        for (size_t i = 0; i < count; ++i) {
          rules[static_cast<size_t>(direction)].push_back({p, direction, i});
        }
      }
      CheckForgottenEgress(p);
    }
    for (const std::vector<RuleKey>& all : rules) {
      for (const RuleKey& rule : all) CheckCovered(rule, all);
    }
  }

  void ReportOtherDirection(size_t p, Direction direction) {
    const NetworkPolicy& policy = PolicyAt(p);
    Finding& finding = reporter_.Add(
        Id::kRuleOtherDirection, policy, std::string(FieldOf(direction)),
        "these rules have no effect: policyTypes does not contain \"" +
            std::string(direction == Direction::kIngress ? "Ingress" : "Egress") + "\"");
    finding.related.push_back(RelatedTo(policy, "spec.policyTypes", "policyTypes"));
    finding.suggestion =
        "add it to policyTypes, which also denies what no rule of this direction "
        "allows, or take the rules out";
    finding.without_effect = PolicyPart{.cluster = false, .policy = p, .direction = direction};
  }

  // A policy that only denies egress is often one of its own; beside ingress rules it is a slip.
  void CheckForgottenEgress(size_t p) {
    const NetworkPolicy& policy = PolicyAt(p);
    if (!policy.egress.empty() || !Governs(policy, Direction::kEgress)) return;
    if (policy.ingress.empty()) return;
    Finding& finding = reporter_.Add(
        Id::kEgressForgotten, policy, "spec.policyTypes",
        "the policy has ingress rules, and Egress without any: from it alone, its pods may send "
        "nothing, not even a DNS question");
    finding.suggestion = "add egress rules, or take Egress out of policyTypes";
  }

  // Whether one rule's peers, or several rules' together, take in all of `rule`.
  void CheckCovered(const RuleKey& key, const std::vector<RuleKey>& all) {
    const NetworkPolicy& policy = PolicyAt(key.policy);
    const PolicyRule& rule = RuleAt(key);
    std::vector<RuleKey> covering;
    if (rule.peers.empty()) {
      if (const auto other = FindCovering(key, nullptr, all)) covering.push_back(*other);
    }
    for (const PolicyPeer& peer : rule.peers) {
      const auto other = FindCovering(key, &peer, all);
      if (!other) return;
      if (std::find(covering.begin(), covering.end(), *other) == covering.end()) {
        covering.push_back(*other);
      }
    }
    if (covering.empty()) return;
    covered_.insert(key);
    std::vector<std::string> names;
    names.reserve(covering.size());
    for (const RuleKey& other : covering) {
      names.push_back(PolicyAt(other.policy).name + " " + RuleField(other.direction, other.rule));
    }
    Finding& finding =
        reporter_.Add(Id::kRuleCovered, policy, RuleField(key.direction, key.rule),
                      Listed(names) + " allow" + (names.size() == 1 ? "s" : "") + " all of this");
    for (const RuleKey& other : covering) {
      finding.related.push_back(RelatedTo(
          PolicyAt(other.policy), RuleField(other.direction, other.rule), "allows it as well"));
    }
    finding.suggestion = "take this rule out, or narrow the wider one";
    finding.without_effect = PartOf(key);
  }

  // `peer` nullptr: of a rule without peers. Of rules that cover each other the first stays.
  std::optional<RuleKey> FindCovering(const RuleKey& key, const PolicyPeer* peer,
                                      const std::vector<RuleKey>& all) const {
    const NetworkPolicy& policy = PolicyAt(key.policy);
    const PolicyRule& rule = RuleAt(key);
    for (const RuleKey& other : all) {
      if (other == key || covered_.contains(other)) continue;
      const PolicyRule& wide = RuleAt(other);
      if (!Covers(wide.ports, rule.ports)) continue;
      if (!PeersCover(wide, peer, policy.ns)) continue;
      if (other.policy != key.policy &&
          !Covers(PolicyAt(other.policy).pod_selector, policy.pod_selector)) {
        continue;
      }
      return other;
    }
    return std::nullopt;
  }

  static bool PeersCover(const PolicyRule& wide, const PolicyPeer* peer, const std::string& ns) {
    if (wide.peers.empty()) return true;
    return peer != nullptr &&
           std::any_of(wide.peers.begin(), wide.peers.end(),
                       [&](const PolicyPeer& other) { return Covers(other, *peer, ns); });
  }

  // Narrow rules first, so that the wide one of two that need only one stays. What is found may go
  // all together.
  void CheckEffects() {
    const size_t count = effects_->rules().size();
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(effects_->SitesOf(a).size(), b) < std::pair(effects_->SitesOf(b).size(), a);
    });
    gone_.assign(count, false);
    for (const RuleKey& key : covered_) {
      if (const auto rule = effects_->Find(key)) gone_[*rule] = true;
    }
    for (const uint32_t rule : order) {
      if (gone_[rule] || effects_->SitesOf(rule).empty()) continue;
      std::set<uint32_t> others;
      bool by_tier = false;
      if (!IsWithoutEffect(rule, others, by_tier)) continue;
      gone_[rule] = true;
      ReportNoEffect(effects_->rules()[rule], others, by_tier);
    }
  }

  // `others` get the rules that allow the same, `by_tier` whether Admin decides some of it.
  bool IsWithoutEffect(uint32_t rule, std::set<uint32_t>& others, bool& by_tier) const {
    BitsetTable& bits = effects_->bits();
    for (const Effects::Site& site : effects_->SitesOf(rule)) {
      const Effects::Scope& scope = effects_->scopes()[site.scope];
      const auto& [peer_class, shares] = scope.peers[site.peer];
      uint32_t mine = BitsetTable::kNothing;
      for (const Effects::Share& share : shares) {
        if (share.rule == rule) mine = bits.Union(mine, share.bits);
      }
      const uint32_t decided =
          effects_->DecisionOf(scope.direction, scope.subjects.front(), peer_class).tier_bitset;
      const uint32_t left = bits.Difference(mine, decided);
      by_tier = by_tier || left != mine;
      uint32_t open = left;
      for (const Effects::Share& share : shares) {
        if (share.rule == rule || gone_[share.rule]) continue;
        const uint32_t rest = bits.Difference(open, share.bits);
        if (rest != open && others.size() < 8) others.insert(share.rule);
        open = rest;
      }
      if (open != BitsetTable::kNothing) return false;
    }
    return true;
  }

  void ReportNoEffect(const RuleKey& key, const std::set<uint32_t>& others, bool by_tier) {
    const NetworkPolicy& policy = PolicyAt(key.policy);
    std::vector<std::string> causes;
    std::vector<Related> related;
    for (const uint32_t other : others) {
      const RuleKey& by = effects_->rules()[other];
      causes.push_back(PolicyAt(by.policy).name + " " + RuleField(by.direction, by.rule));
      related.push_back(RelatedTo(PolicyAt(by.policy), RuleField(by.direction, by.rule),
                                  "allows some of it as well"));
    }
    if (by_tier) causes.push_back("the Admin tier, which decides before");
    Finding& finding =
        reporter_.Add(Id::kRuleNoEffect, policy, RuleField(key.direction, key.rule),
                      "among these objects no verdict depends on it, because of " + Listed(causes));
    finding.related = std::move(related);
    finding.without_effect = PartOf(key);
  }

  // A rule's peer, and whom it helps: one pair of classes as an example where it helps nobody.
  struct Half {
    bool helps = false;
    std::optional<std::pair<uint32_t, uint32_t>> example;  // subject and peer
    uint32_t ports = 0;                                    // that it allows there
  };

  // R4: both ends have to allow. For each peer of a rule: is there anybody it helps?
  void CheckOtherHalves() {
    std::vector<std::map<uint32_t, Half>> halves(effects_->rules().size());  // by peer
    for (const Effects::Scope& scope : effects_->scopes()) {
      for (const auto& [peer, shares] : scope.peers) {
        for (const Effects::Share& share : shares) {
          Half& half = halves[share.rule][share.peer];
          if (!half.helps) TryHalf(scope, peer, share.bits, half);
        }
      }
    }
    for (size_t rule = 0; rule < halves.size(); ++rule) {
      for (const auto& [peer, half] : halves[rule]) {
        if (half.helps || !half.example) continue;
        ReportOtherHalf(effects_->rules()[rule], peer, *half.example, half.ports);
      }
    }
  }

  void TryHalf(const Effects::Scope& scope, uint32_t peer, uint32_t bits, Half& half) const {
    const Direction opposite =
        scope.direction == Direction::kIngress ? Direction::kEgress : Direction::kIngress;
    if (!effects_->IsPod(peer)) {
      half.helps = true;  // nobody judges there
      return;
    }
    for (const uint32_t subject : scope.subjects) {
      if (half.helps || !effects_->PairOf(subject, peer)) continue;
      half.helps = !IsDeniedThere(opposite, peer, subject, bits);
      if (half.example) continue;
      half.example = {subject, peer};
      half.ports = bits;
    }
  }

  bool IsDeniedThere(Direction direction, uint32_t subject, uint32_t peer, uint32_t bits) const {
    const uint32_t allowed = effects_->DecisionOf(direction, subject, peer).allow_bitset;
    return effects_->bits().Intersection(allowed, bits) == BitsetTable::kNothing;
  }

  void ReportOtherHalf(const RuleKey& key, uint32_t peer, std::pair<uint32_t, uint32_t> classes,
                       uint32_t bits) {
    const bool ingress = key.direction == Direction::kIngress;
    const Direction opposite = ingress ? Direction::kEgress : Direction::kIngress;
    const NetworkPolicy& policy = PolicyAt(key.policy);
    const auto [subject, other] = classes;
    const auto pair = *effects_->PairOf(subject, other);
    const auto [protocol, port] = effects_->ExampleOf(bits);
    std::vector<std::string> names;
    std::vector<Related> related;
    for (const size_t p : effects_->Isolating(opposite, other)) {
      names.push_back(PolicyAt(p).ns + "/" + PolicyAt(p).name);
      related.push_back(RelatedTo(PolicyAt(p), "spec.policyTypes", "isolates the other end"));
    }
    const bool has_peer = peer != kNone;
    Finding& finding = reporter_.Add(
        Id::kOtherHalfDenied, policy,
        has_peer ? PeerField(key.direction, key.rule, peer) : RuleField(key.direction, key.rule),
        "allows nothing in the end: " + std::string(Name(opposite)) +
            " at the other end is denied" +
            (names.empty() ? " by a cluster-wide tier"
                           : " for want of a rule in " + Listed(names)));
    finding.suggestion = "allow " + std::string(Name(opposite)) + (ingress ? " to" : " from") +
                         " these pods there, or take this out";
    finding.related = std::move(related);
    finding.probes.push_back({.src = ingress ? pair.second : pair.first,
                              .dst = ingress ? pair.first : pair.second,
                              .protocol = protocol,
                              .port = port,
                              .direction = opposite,
                              .allowed = false});
    finding.without_effect = PartOf(key);
    if (has_peer) finding.without_effect->peer = peer;
  }

  const Facts& facts_;
  const Effects* effects_;
  Reporter& reporter_;
  std::set<RuleKey> covered_;  // found so by structure
  std::vector<bool> gone_;     // by Effects' number
};

}  // namespace

void CheckRules(const Facts& facts, const Effects* effects, Reporter& reporter) {
  RuleChecks(facts, effects, reporter).Run();
}

}  // namespace npf::lint
