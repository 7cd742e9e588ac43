#include "analysis/difference.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "analysis/causes.h"
#include "analysis/listing.h"

namespace npf::analysis {
namespace {

// What is the same for all pairs of a row.
struct Change {
  ChangeKind kind = ChangeKind::kAllowed;
  ChangedBy by = ChangedBy::kIngress;
  uint8_t own_node = 0;  // as in ChangeRow
  PortSetId ports = PortSets::kNone;
  uint8_t families = kBothFamilies;
  auto operator<=>(const Change&) const = default;
};

// The sets of one pair in one family, by side.
struct Pair {
  std::array<PortSetId, 2> egress{};
  std::array<PortSetId, 2> ingress{};
  std::array<bool, 2> exists{};
};

std::string TextOf(const std::vector<CausePart>& causes) {
  std::string text;
  for (const CausePart& cause : causes) {
    text += Name(cause.role);
    text += cause.direction == Direction::kIngress ? " i " : " e ";
    text += cause.policy + " " + (cause.rule ? cause.rule->FieldPath() : "") + "\n";
  }
  return text;
}

class Comparer {
 public:
  Comparer(const Scene& scene, Connectivity& before, Connectivity& after, PortSets& ports,
           const DifferenceOptions& options)
      : scene_(scene), sides_{&before, &after}, ports_(ports), options_(options) {}

  Difference Run() {
    const auto count = static_cast<uint32_t>(scene_.groups().size());
    for (uint32_t from = 0; from < count; ++from) {
      if (!scene_.groups()[from].is_source) continue;
      if (options_.progress && from % 64 == 0) options_.progress(from, count);
      for (uint32_t to = 0; to < count; ++to) ComparePair(from, to);
    }
    for (const Local& local : scene_.locals()) CompareLocal(local);
    Difference difference;
    MakeRows(difference);
    FindWorkloads(difference);
    return difference;
  }

 private:
  using FamilyChanges = std::array<std::vector<Change>, kFamilies>;

  bool IsChosen(uint32_t from, uint32_t to) const {
    const Group& a = scene_.groups()[from];
    const Group& b = scene_.groups()[to];
    return a.is_source && b.is_destination && (IsPod(a.kind) || IsPod(b.kind));
  }

  void ComparePair(uint32_t from, uint32_t to) {
    if (!IsChosen(from, to)) return;
    const Group& a = scene_.groups()[from];
    const Group& b = scene_.groups()[to];
    FamilyChanges changes;
    std::array<bool, kFamilies> exists{};
    for (size_t family = 0; family < kFamilies; ++family) {
      Pair pair;
      for (const size_t side : {0, 1}) {
        const uint32_t src = a.classes[side][family];
        const uint32_t dst = b.classes[side][family];
        if (src == kAbsent || dst == kAbsent) continue;
        pair.exists[side] = from != to || a.HasPairOfItself(side, family);
        pair.egress[side] = sides_[side]->Egress(src, dst);
        pair.ingress[side] = sides_[side]->Ingress(src, dst);
      }
      if (a.kind == EndKind::kNode && scene_.PairsApart(from, to, family) == 0) continue;
      exists[family] = pair.exists[0] || pair.exists[1];
      Split(pair, changes[family]);
    }
    Note(from, to, changes, exists);
  }

  // On the sides where they are on one node, the exemption holds.
  void CompareLocal(const Local& local) {
    if (!IsChosen(local.node_group, local.pod_group)) return;
    const Group& a = scene_.groups()[local.node_group];
    const Group& b = scene_.groups()[local.pod_group];
    Pair pair;
    for (const size_t side : {0, 1}) {
      const uint32_t src = a.classes[side][local.family];
      const uint32_t dst = b.classes[side][local.family];
      if (src == kAbsent || dst == kAbsent) continue;
      pair.exists[side] = true;
      pair.egress[side] = sides_[side]->Egress(src, dst);
      pair.ingress[side] = (local.sides >> side & 1) != 0
                               ? sides_[side]->IngressFromOwnNode(src, dst)
                               : sides_[side]->Ingress(src, dst);
    }
    FamilyChanges changes;
    Split(pair, changes[local.family]);
    for (Change& change : changes[local.family]) change.own_node = local.sides;
    Note(local.node_group, local.pod_group, changes, {true, true});
  }

  // The difference of the two sides, by who makes it.
  void Split(const Pair& pair, std::vector<Change>& out) {
    if (pair.exists[0] && pair.exists[1] && pair.egress[0] == pair.egress[1] &&
        pair.ingress[0] == pair.ingress[1]) {
      return;
    }
    std::array<PortSetId, 2> both{};
    for (const size_t side : {0, 1}) {
      both[side] = pair.exists[side] ? ports_.Intersection(pair.egress[side], pair.ingress[side])
                                     : PortSets::kNone;
    }
    for (const ChangeKind kind : {ChangeKind::kAllowed, ChangeKind::kDenied}) {
      const size_t closed = kind == ChangeKind::kAllowed ? 0 : 1;  // the side that denies
      const PortSetId changed = ports_.Difference(both[1 - closed], both[closed]);
      if (changed == PortSets::kNone) continue;
      const auto add = [&](ChangedBy by, PortSetId ports) {
        if (ports != PortSets::kNone) out.push_back({kind, by, 0, ports, kBothFamilies});
      };
      if (!pair.exists[closed]) {
        add(ChangedBy::kPresence, changed);
        continue;
      }
      const PortSetId egress = pair.egress[closed];
      const PortSetId ingress = pair.ingress[closed];
      add(ChangedBy::kEgress, ports_.Intersection(changed, ingress));
      add(ChangedBy::kIngress, ports_.Intersection(changed, egress));
      add(ChangedBy::kBoth, ports_.Difference(changed, ports_.Union(egress, ingress)));
    }
  }

  // A change of both families is one, also where only one of them is there.
  void Note(uint32_t from, uint32_t to, FamilyChanges& changes,
            const std::array<bool, kFamilies>& exists) {
    for (size_t family = 0; family < kFamilies; ++family) {
      const std::vector<Change>& other = changes[1 - family];
      for (Change change : changes[family]) {
        const bool same = std::find(other.begin(), other.end(), change) != other.end();
        if (same && family == 1) continue;
        if (!same && exists[1 - family]) {
          change.families = family == 0 ? kIpv4Only : kIpv6Only;
        }
        const bool of_source = change.by == ChangedBy::kEgress || change.by == ChangedBy::kPresence;
        bundles_[{of_source ? from : to, of_source, change}].push_back(of_source ? to : from);
      }
    }
  }

  size_t FamilyOf(const Change& change, uint32_t from, uint32_t to) const {
    if (change.families == kIpv4Only) return 0;
    if (change.families == kIpv6Only) return 1;
    const Group& a = scene_.groups()[from];
    const Group& b = scene_.groups()[to];
    for (const size_t side : {0, 1}) {
      if (a.classes[side][0] != kAbsent && b.classes[side][0] != kAbsent) return 0;
    }
    return 1;
  }

  struct Explained {
    std::optional<ChangeWitness> witness;
    std::vector<CausePart> causes;
  };

  Explained ExplainPair(const Change& change, uint32_t from, uint32_t to) {
    ++explanations_;
    const uint32_t place = ports_.Get(change.ports).front().first;
    Explained explained;
    explained.witness = FindWitness(scene_, *sides_[0], *sides_[1], from, to, change.own_node,
                                    place, FamilyOf(change, from, to), change.kind);
    if (explained.witness) {
      explained.causes =
          CausesOf(*sides_[0], *sides_[1], *explained.witness, change.kind, change.by);
    }
    return explained;
  }

  // Peers of one subject whose change has the same cause; then subjects that have the same peers.
  void MakeRows(Difference& out) {
    using RowKey = std::tuple<Change, bool, std::vector<uint32_t>, std::string>;
    std::map<RowKey, ChangeRow> rows;
    for (auto& [key, peers] : bundles_) {
      const auto& [subject, of_source, change] = key;
      std::sort(peers.begin(), peers.end());
      peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
      std::map<std::string, std::pair<std::vector<uint32_t>, Explained>> by_cause;
      Explained last;
      for (const uint32_t peer : peers) {
        if (peer == peers.front() || explanations_ < options_.explanations_max) {
          last = ExplainPair(change, of_source ? subject : peer, of_source ? peer : subject);
        }
        auto& entry = by_cause[TextOf(last.causes)];
        if (entry.first.empty()) entry.second = last;
        entry.first.push_back(peer);
      }
      for (auto& [text, entry] : by_cause) {
        ChangeRow& row = rows[{change, of_source, entry.first, text}];
        std::vector<uint32_t>& subjects = of_source ? row.from : row.to;
        subjects.push_back(subject);
        if (subjects.size() > 1) continue;
        (of_source ? row.to : row.from) = entry.first;
        row.kind = change.kind;
        row.by = change.by;
        row.own_node = change.own_node;
        row.ports = change.ports;
        row.families = change.families;
        row.witness = entry.second.witness;
        row.causes = std::move(entry.second.causes);
      }
    }
    for (auto& [key, row] : rows) out.rows.push_back(std::move(row));
  }

  void FindWorkloads(Difference& out) const {
    std::vector<std::array<bool, 2>> present(scene_.workloads().size());
    for (const ScenePod& pod : scene_.pods()) {
      for (const size_t side : {0, 1}) {
        if (pod.present[side]) present[pod.workload][side] = true;
      }
    }
    for (uint32_t workload = 0; workload < present.size(); ++workload) {
      if (present[workload][1] && !present[workload][0]) out.added.push_back(workload);
      if (present[workload][0] && !present[workload][1]) out.removed.push_back(workload);
    }
  }

  const Scene& scene_;
  std::array<Connectivity*, 2> sides_;
  PortSets& ports_;
  const DifferenceOptions& options_;
  size_t explanations_ = 0;
  // Subject, whether that is the source, change: peers.
  std::map<std::tuple<uint32_t, bool, Change>, std::vector<uint32_t>> bundles_;
};

}  // namespace

std::string_view Name(CausePart::Role role) {
  constexpr std::string_view kNames[] = {
      "allowed by",           "denied by",           "isolated by",           "nearest rule",
      "no longer allowed by", "no longer denied by", "no longer isolated by", "own node",
      "no policy isolates"};
  return kNames[static_cast<size_t>(role)];
}

Difference Compare(const Scene& scene, Connectivity& before, Connectivity& after, PortSets& ports,
                   const DifferenceOptions& options) {
  return Comparer(scene, before, after, ports, options).Run();
}

}  // namespace npf::analysis
