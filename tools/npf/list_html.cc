#include "npf/list_html.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "analysis/ends.h"
#include "npf/explain.h"
#include "npf/list_page.h"
#include "npf/output.h"
#include "npf/why.h"

namespace npf::tools {
namespace {

using analysis::EndKind;
using Ids = std::vector<uint32_t>;

// What stands before a policy or rule in an explanation, by number.
enum PageRole : uint32_t { kRoleIsolated, kRoleAllowed, kRoleDenied, kRolePassed };
constexpr char kRoles[] = R"(["isolated by","allowed by","denied by","passed by"])";

// Distinct values, by number.
template <class Value>
class Numbered {
 public:
  uint32_t Of(Value value) {
    const auto [at, is_new] =
        numbers_.emplace(std::move(value), static_cast<uint32_t>(all_.size()));
    if (is_new) all_.push_back(&at->first);
    return at->second;
  }
  const std::vector<const Value*>& all() const { return all_; }

 private:
  std::map<Value, uint32_t> numbers_;
  std::vector<const Value*> all_;
};

template <class Values, class Print>
std::string JsonArray(const Values& values, Print print) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ',';
    out += print(value);
  }
  return out + "]";
}

std::string JsonNumbers(const Ids& ids) {
  return JsonArray(ids, [](uint32_t id) { return std::to_string(id); });
}

std::string JsonTexts(const std::vector<const std::string*>& texts) {
  return JsonArray(texts, [](const std::string* text) { return JsonString(*text); });
}

// First, count, first, count, ... of sorted numbers.
std::string JsonRuns(const Ids& ids) {
  Ids runs;
  for (const uint32_t id : ids) {
    if (!runs.empty() && runs[runs.size() - 2] + runs.back() == id) {
      ++runs.back();
    } else {
      runs.insert(runs.end(), {id, 1});
    }
  }
  return JsonNumbers(runs);
}

struct PageEnd {
  std::string label;
  EndKind kind = EndKind::kWorkload;
  std::string ns;  // of pods
  Ids pods;
  uint32_t group = 0;
};

// The data of the page, gathered and numbered.
class PageData {
 public:
  explicit PageData(const ListedScene& listed)
      : listed_(listed),
        scene_(listed.scene),
        places_(*listed.scene.side(0).snapshot),
        pod_end_(listed.scene.pods().size()) {
    MakeEnds();
    for (uint32_t group = 0; group < scene_.groups().size(); ++group) NoteIsolation(group);
  }

  std::string Json() {
    const std::string rows = JsonArray(listed_.listing.rows, [&](const auto& row) {
      const Ids numbers = {lists_.Of(row.from), lists_.Of(row.to),
                           PortsOf(row.ports, row.families)};
      return "[" + Inner(numbers) + "," + WhyOf(row) + "]";
    });
    const std::string entrances =
        JsonArray(listed_.entrances, [&](const auto& row) { return JsonEntrance(row); });
    const std::string open =
        JsonArray(listed_.exposure, [&](const auto& row) { return JsonOpen(row); });
    const std::string ends = JsonArray(ends_, [&](const PageEnd& end) { return JsonEnd(end); });
    return "{\"about\":" + JsonString(About()) + ",\"roles\":" + kRoles + ",\"ends\":" + ends +
           ",\"homes\":" + std::to_string(scene_.groups().size()) +
           ",\"groups\":" + JsonArray(sets_, JsonRuns) +
           ",\"lists\":" + JsonArray(lists_.all(), [](const Ids* ids) { return JsonRuns(*ids); }) +
           ",\"namespaces\":" + JsonTexts(namespaces_.all()) +
           ",\"ports\":" + JsonTexts(ports_.all()) + ",\"isolation\":" +
           JsonArray(isolations_.all(), [](const Ids* ids) { return JsonNumbers(*ids); }) +
           ",\"strings\":" + JsonTexts(strings_.all()) + ",\"rows\":" + rows +
           ",\"entrances\":" + entrances + ",\"exposure\":" + open + "}";
  }

 private:
  static std::string Inner(const Ids& numbers) {
    const std::string array = JsonNumbers(numbers);
    return array.substr(1, array.size() - 2);
  }

  // The pods of a workload that are in one group are one end; so is what a group has of addresses.
  void MakeEnds() {
    const analysis::EndNamer namer(scene_);
    for (uint32_t group = 0; group < scene_.groups().size(); ++group) {
      for (analysis::End& end : namer.Of({group}, analysis::kBothFamilies)) {
        PageEnd page{namer.Label(end), end.kind, "", std::move(end.pods), group};
        if (IsPod(end.kind)) page.ns = scene_.workloads()[end.owner].ns;
        ends_.push_back(std::move(page));
      }
    }
    std::sort(ends_.begin(), ends_.end(), [](const PageEnd& a, const PageEnd& b) {
      return std::tie(a.kind, a.ns, a.label, a.group) < std::tie(b.kind, b.ns, b.label, b.group);
    });
    sets_.resize(scene_.groups().size());
    for (uint32_t id = 0; id < ends_.size(); ++id) {
      sets_[ends_[id].group].push_back(id);
      if (ends_[id].kind != EndKind::kWorkload) continue;
      for (const uint32_t pod : ends_[id].pods) pod_end_[pod] = id;
    }
  }

  std::string JsonEnd(const PageEnd& end) {
    const std::string ns = end.ns.empty() ? "-1" : std::to_string(namespaces_.Of(end.ns));
    const auto& [egress, ingress] = isolation_of_[end.group];
    return "[" + JsonString(end.label) + "," + std::to_string(static_cast<int>(end.kind)) + "," +
           ns + "," + Inner({static_cast<uint32_t>(end.pods.size()), egress, ingress, end.group}) +
           "]";
  }

  uint32_t PortsOf(analysis::PortSetId ports, uint8_t families) {
    std::string text = analysis::ToString(listed_.ports.Get(ports));
    if (families == analysis::kIpv4Only) text += " (IPv4)";
    if (families == analysis::kIpv6Only) text += " (IPv6)";
    return ports_.Of(std::move(text));
  }

  // An address of the group that is not the other one; nullopt where it has none of the family.
  std::optional<IpAddress> AddressIn(uint32_t group, size_t family,
                                     const std::optional<IpAddress>& other = {}) const {
    const analysis::Group& all = scene_.groups()[group];
    for (const analysis::Member& member : all.members) {
      if (member.family == family && member.address[0] && member.address[0] != other) {
        return member.address[0];
      }
    }
    const Family wanted = family == 0 ? Family::kIpv4 : Family::kIpv6;
    for (const analysis::AddressRange& range : all.ranges) {
      if (range.first.family == wanted) return range.first;
    }
    return std::nullopt;
  }
  std::string PlaceText(const Place& place) const {
    return place.file.empty() ? "" : "  " + place.file + ":" + std::to_string(place.line);
  }
  uint32_t StringOf(const std::string& policy) {
    return strings_.Of(policy + PlaceText(places_.Of(policy)));
  }
  uint32_t StringOf(const RuleRef& rule) {
    return strings_.Of(rule.policy + " " + rule.FieldPath() + PlaceText(places_.Of(rule)));
  }

  std::string JsonDirection(const DirectionExplanation& direction) {
    std::vector<Ids> parts;
    for (const TierMatch& match : direction.tiers) {
      const PageRole role = match.action == RuleAction::kPass   ? kRolePassed
                            : match.action == RuleAction::kDeny ? kRoleDenied
                                                                : kRoleAllowed;
      parts.push_back({role, StringOf(match.rule)});
    }
    for (const std::string& policy : direction.isolating) {
      parts.push_back({kRoleIsolated, StringOf(policy)});
    }
    for (const RuleRef& rule : direction.allowing) parts.push_back({kRoleAllowed, StringOf(rule)});
    return JsonArray(parts, JsonNumbers);
  }

  std::string WhyOf(const analysis::ListingRow& row) {
    for (const size_t family : {size_t{0}, size_t{1}}) {
      if ((row.families >> family & 1) == 0) continue;
      const auto src = AddressIn(row.from[0], family);
      const auto dst = AddressIn(row.to[0], family, src);
      if (!src || !dst || *src == *dst) continue;
      const uint32_t place = listed_.ports.Get(row.ports).front().first;
      const analysis::ProtocolRange port = analysis::PortAt(place, src->family);
      const FlowKey key = MakeFlowKey(*src, *dst, port.protocol, port.first);
      const Explanation why = Explain(listed_.side.program(), listed_.side.options(), key);
      return "[" + Inner({strings_.Of(PartyName(why.src)), strings_.Of(PartyName(why.dst))}) + "," +
             JsonDirection(why.egress) + "," + JsonDirection(why.ingress) + "]";
    }
    return "0";
  }

  static std::string PartyName(const Party& party) {
    return party.name.empty() ? party.address : party.name + " (" + party.address + ")";
  }

  // Which policies isolate the group: asked of one of it and an address that nobody has.
  void NoteIsolation(uint32_t group) {
    Ids egress;
    Ids ingress;
    for (const size_t family : {size_t{0}, size_t{1}}) {
      const auto address = AddressIn(group, family);
      if (!address || !IsPod(scene_.groups()[group].kind)) continue;
      const IpAddress nobody = family == 0 ? IpAddress::V4(1) : ParseIpAddress("::2").value();
      const auto ask = [&](const IpAddress& src, const IpAddress& dst) {
        const FlowKey key = MakeFlowKey(src, dst, kProtocolTcp, 1);
        return Explain(listed_.side.program(), listed_.side.options(), key);
      };
      for (const std::string& policy : ask(*address, nobody).egress.isolating) {
        egress.push_back(StringOf(policy));
      }
      for (const std::string& policy : ask(nobody, *address).ingress.isolating) {
        ingress.push_back(StringOf(policy));
      }
      break;
    }
    isolation_of_.emplace_back(isolations_.Of(std::move(egress)),
                               isolations_.Of(std::move(ingress)));
  }

  // Pods as a list of one set: the ends that have them.
  uint32_t ListOfPods(const Ids& pods) {
    Ids members;
    for (const uint32_t pod : pods) members.push_back(pod_end_[pod]);
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    sets_.push_back(std::move(members));
    return lists_.Of({static_cast<uint32_t>(sets_.size() - 1)});
  }

  std::string JsonEntrance(const analysis::EntranceRow& row) {
    const bool open = row.ports != analysis::PortSets::kNone;
    std::string note = "Service " + row.service + ", " + row.way + "; ";
    if (row.seen == analysis::SeenAs::kController) {
      note += "by way of a controller";
    } else {
      note += "seen with the " + std::string(Name(row.seen)) + "'s address";
    }
    if (!open) {
      note +=
          "; policy lets nobody through to " + analysis::ToString(listed_.ports.Get(row.wanted));
    }
    uint32_t from = lists_.Of(row.from_groups);
    if (!row.from_pods.empty()) {
      Ids pods = row.from_pods;
      from = row.from_groups.empty() ? ListOfPods(pods) : WithPods(row.from_groups, pods);
    }
    return "[" + Inner({from, ListOfPods(row.to), PortsOf(row.ports, analysis::kBothFamilies)}) +
           ",\"service\"," + JsonString(note) + "]";
  }

  std::string JsonOpen(const analysis::ExposureRow& row) {
    const bool ingress = row.direction == Direction::kIngress;
    const uint32_t peers = lists_.Of(row.peers);
    const uint32_t groups = lists_.Of(row.groups);
    const Ids numbers = {ingress ? peers : groups, ingress ? groups : peers,
                         PortsOf(row.ports, row.families)};
    const char* kind = row.open_to == analysis::OpenTo::kExternal         ? "external"
                       : row.open_to == analysis::OpenTo::kEveryNamespace ? "every"
                                                                          : "new";
    return "[" + Inner(numbers) + "," + JsonString(kind) + "]";
  }

  uint32_t WithPods(Ids groups, const Ids& pods) {
    ListOfPods(pods);
    groups.push_back(static_cast<uint32_t>(sets_.size() - 1));
    return lists_.Of(std::move(groups));
  }

  std::string About() const {
    const Snapshot& snapshot = *scene_.side(0).snapshot;
    const size_t policies = snapshot.policies().size() + snapshot.cluster_policies().size();
    size_t pods = 0;
    size_t workloads = 0;
    for (const analysis::Workload& workload : scene_.workloads()) {
      if (workload.kind == kNewPodKind) continue;
      pods += workload.pod_count;
      ++workloads;
    }
    return std::to_string(pods) + " pods with addresses, " + std::to_string(workloads) +
           " workloads, " + std::to_string(policies) + " policies, " +
           std::to_string(listed_.listing.rows.size()) + " rows of connections";
  }

  const ListedScene& listed_;
  const analysis::Scene& scene_;
  Places places_;
  std::vector<PageEnd> ends_;
  std::vector<Ids> sets_;  // of ends: one for each group, then others
  Ids pod_end_;            // by pod of the Scene
  std::vector<std::pair<uint32_t, uint32_t>> isolation_of_;  // by group: egress, ingress
  Numbered<Ids> lists_;                                      // of sets
  Numbered<Ids> isolations_;                                 // of strings
  Numbered<std::string> ports_;
  Numbered<std::string> namespaces_;
  Numbered<std::string> strings_;
};

// JSON that may stand in a script element.
std::string InScript(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string ListHtml(const ListedScene& listed) {
  constexpr std::string_view kMark = "/*DATA*/";
  std::string page(kListPage);
  page.replace(page.find(kMark), kMark.size(), InScript(PageData(listed).Json()));
  return page;
}

}  // namespace npf::tools
