// np-guard's golden lists against what `npf list` and `npf diff` answer from, with the addresses
// that these assume for pods. np-guard matches no ipBlock and no network against pods; assumed
// addresses are in as few of them as can be, and in none of the blocks of these inputs that would
// tell.
//
// NPF_NPGUARD_STRIDE: of the pairs of directories with pods in common, every how manieth is
// compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/difference.h"
#include "analysis/listing.h"
#include "conformance/npguard.h"
#include "npf/compiler.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

using analysis::Group;
using analysis::PortSet;
using analysis::PortSetId;
using analysis::PortSets;
using analysis::Scene;
using npguard::Line;

// As list has it: nothing runs yet.
Snapshot Prepare(const Snapshot& loaded) {
  SnapshotOptions options;
  options.assume_addresses = true;
  SnapshotBuilder builder(options);
  Cluster cluster = Thaw(loaded);
  for (const Namespace& ns : cluster.namespaces) builder.Add(ns);
  for (Pod& pod : cluster.pods) {
    pod.host_network = false;
    pod.ips.clear();
    builder.Add(pod);
  }
  for (const NetworkPolicy& policy : cluster.policies) builder.Add(policy);
  for (const ClusterPolicy& policy : cluster.cluster_policies) builder.Add(policy);
  Diagnostics diagnostics;
  auto snapshot = builder.Build(diagnostics);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return *snapshot;
}

// Ports 1 to 65535 of the three protocols, of which golden lists speak.
PortSetId Known(PortSets& sets) {
  PortSet known;
  for (uint32_t i = 0; i < analysis::kPortProtocols.size(); ++i) {
    known.push_back({i * analysis::kPortsEach + 1, (i + 1) * analysis::kPortsEach - 1});
  }
  return sets.Intern(known);
}

PortSetId ToSet(const npguard::Connections& connections, PortSets& sets) {
  PortSetId all = PortSets::kNone;
  for (const auto& [protocol, ranges] : connections) {
    const uint8_t number = protocol == "TCP" ? 6 : protocol == "UDP" ? 17 : 132;
    for (const auto& [first, last] : ranges) {
      all =
          sets.Union(all, sets.Intern({{analysis::PlaceOf(number, static_cast<uint16_t>(first)),
                                        analysis::PlaceOf(number, static_cast<uint16_t>(last))}}));
    }
  }
  return sets.Intersection(all, Known(sets));
}

// An end of a golden line: a workload's name, or one address of a range.
struct Who {
  std::string workload;
  std::optional<IpAddress> address;
};

bool Is(const npguard::End& end, const Who& who) {
  if (!who.address) return end.workload == who.workload;
  return end.workload.empty() && end.first <= *who.address && *who.address <= end.last;
}

PortSetId Golden(const std::vector<Line>& lines, const Who& from, const Who& to, PortSets& sets) {
  PortSetId all = PortSets::kNone;
  for (const Line& line : lines) {
    if (Is(line.src, from) && Is(line.dst, to)) {
      all = sets.Union(all, ToSet(line.connections, sets));
    }
  }
  return all;
}

// The groups that stand for somebody, by name.
using Groups = std::map<std::string, std::set<uint32_t>>;

Groups GroupsOf(const Scene& scene) {
  Groups groups;
  for (const analysis::Party& party : scene.parties()) {
    for (const uint32_t pod : party.pods) {
      groups[npguard::WorkloadOf(*scene.pods()[pod].object)].insert(party.group);
    }
  }
  return groups;
}

// The group of an external address; nullopt where a pod happens to have it.
std::optional<uint32_t> GroupAt(const Scene& scene, const IpAddress& address) {
  for (uint32_t i = 0; i < scene.groups().size(); ++i) {
    for (const analysis::AddressRange& range : scene.groups()[i].ranges) {
      if (range.first <= address && address <= range.last) return i;
    }
  }
  return std::nullopt;
}

std::set<IpAddress> ExternalEdges(const std::vector<Line>& lines) {
  std::set<IpAddress> edges;
  for (const Line& line : lines) {
    for (const npguard::End* end : {&line.src, &line.dst}) {
      if (end->workload.empty()) edges.insert({end->first, end->last});
    }
  }
  return edges;
}

// One input, listed.
struct Listed {
  explicit Listed(const Snapshot& snapshot) : scene({{*Compile(snapshot), snapshot}}) {
    analysis::Connectivity side(scene.side(0).program, {}, sets);
    listing = analysis::ListConnections(scene, side, sets);
    groups = GroupsOf(scene);
  }

  PortSetId Said(uint32_t from, uint32_t to) {
    PortSetId all = PortSets::kNone;
    for (const analysis::ListingRow& row : listing.rows) {
      if (std::binary_search(row.from.begin(), row.from.end(), from) &&
          std::binary_search(row.to.begin(), row.to.end(), to)) {
        all = sets.Union(all, row.ports);
      }
    }
    return sets.Intersection(all, Known(sets));
  }

  Scene scene;
  PortSets sets;
  analysis::Listing listing;
  Groups groups;
};

size_t CompareBetweenPods(const std::vector<Line>& golden, const Snapshot& snapshot) {
  Listed listed(snapshot);
  size_t pairs = 0;
  for (const auto& [from, from_groups] : listed.groups) {
    for (const auto& [to, to_groups] : listed.groups) {
      if (from == to) continue;
      const PortSetId wanted = Golden(golden, {from, {}}, {to, {}}, listed.sets);
      ++pairs;
      // np-guard's line is of the workload: every pod of it has the same.
      for (const uint32_t a : from_groups) {
        for (const uint32_t b : to_groups) {
          EXPECT_EQ(ToString(listed.sets.Get(listed.Said(a, b))), ToString(listed.sets.Get(wanted)))
              << from << " => " << to;
        }
      }
    }
  }
  return pairs;
}

size_t CompareWithOutside(const std::vector<Line>& golden, const Snapshot& snapshot) {
  Listed listed(snapshot);
  size_t pairs = 0;
  for (const IpAddress& address : ExternalEdges(golden)) {
    const std::optional<uint32_t> outside = GroupAt(listed.scene, address);
    if (!outside) continue;
    for (const auto& [workload, groups] : listed.groups) {
      pairs += 2;
      for (const uint32_t group : groups) {
        EXPECT_EQ(listed.sets.Get(listed.Said(group, *outside)),
                  listed.sets.Get(Golden(golden, {workload, {}}, {"", address}, listed.sets)))
            << workload << " => " << npf::ToString(address);
        EXPECT_EQ(listed.sets.Get(listed.Said(*outside, group)),
                  listed.sets.Get(Golden(golden, {"", address}, {workload, {}}, listed.sets)))
            << npf::ToString(address) << " => " << workload;
      }
    }
  }
  return pairs;
}

struct Directory {
  std::string name;
  Snapshot snapshot;
  std::vector<Line> golden;
};

// Whether both have a pod of one name and workload.
bool ShareWorkloads(const Directory& a, const Directory& b) {
  std::set<std::string> names;
  for (const Pod& pod : a.snapshot.pods()) names.insert(pod.ns + "/" + pod.name);
  const auto shared =
      std::count_if(b.snapshot.pods().begin(), b.snapshot.pods().end(),
                    [&](const Pod& pod) { return names.contains(pod.ns + "/" + pod.name); });
  return shared > 1;
}

// Whether the pod is of this workload there: other inputs may give its name to others.
bool HasPodOf(const Snapshot& snapshot, const std::string& name, const std::string& workload) {
  return std::any_of(snapshot.pods().begin(), snapshot.pods().end(), [&](const Pod& pod) {
    return pod.ns + "/" + pod.name == name && npguard::WorkloadOf(pod) == workload;
  });
}

// Pods that both sides have, by the workload that np-guard names.
size_t CompareDifference(const Directory& before, const Directory& after) {
  const Scene scene(
      {{*Compile(before.snapshot), before.snapshot}, {*Compile(after.snapshot), after.snapshot}});
  PortSets sets;
  analysis::Connectivity was(scene.side(0).program, {}, sets);
  analysis::Connectivity is(scene.side(1).program, {}, sets);
  const analysis::Difference difference = analysis::Compare(scene, was, is, sets);
  Groups common;
  for (const analysis::Party& party : scene.parties()) {
    for (const uint32_t pod : party.pods) {
      const analysis::ScenePod& entry = scene.pods()[pod];
      if (!entry.present[0] || !entry.present[1]) continue;
      const std::string workload = npguard::WorkloadOf(*entry.object);
      if (HasPodOf(before.snapshot, entry.name, workload)) common[workload].insert(party.group);
    }
  }
  size_t pairs = 0;
  for (const auto& [from, from_groups] : common) {
    for (const auto& [to, to_groups] : common) {
      if (from == to) continue;
      const PortSetId old_set = Golden(before.golden, {from, {}}, {to, {}}, sets);
      const PortSetId new_set = Golden(after.golden, {from, {}}, {to, {}}, sets);
      const PortSetId wanted[] = {sets.Difference(new_set, old_set),
                                  sets.Difference(old_set, new_set)};
      ++pairs;
      for (const uint32_t a : from_groups) {
        for (const uint32_t b : to_groups) {
          PortSetId said[] = {PortSets::kNone, PortSets::kNone};
          for (const analysis::ChangeRow& row : difference.rows) {
            if (!std::binary_search(row.from.begin(), row.from.end(), a)) continue;
            if (!std::binary_search(row.to.begin(), row.to.end(), b)) continue;
            PortSetId& set = said[static_cast<size_t>(row.kind)];
            set = sets.Union(set, sets.Intersection(row.ports, Known(sets)));
          }
          for (const size_t kind : {0, 1}) {
            EXPECT_EQ(sets.Get(said[kind]), sets.Get(wanted[kind]))
                << (kind == 0 ? "opened " : "closed ") << from << " => " << to;
          }
        }
      }
    }
  }
  return pairs;
}

std::optional<Directory> ReadDirectory(const std::filesystem::path& shared,
                                       const std::string& name) {
  const std::filesystem::path path = npguard::PathOf(shared, name);
  const auto loaded = npguard::LoadObjects(path);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return std::nullopt;
  return Directory{name, Prepare(*loaded), npguard::ReadGolden(ReadFile(path / "EXPECTED.txt"))};
}

TEST(AnalysisNpGuardTest, ListsEqualTheGoldenOnes) {
  NPF_SHARED_OR_SKIP(shared);
  size_t pairs = 0;
  size_t lists = 0;
  for (const std::string& name : npguard::GoldenDirectories(shared)) {
    if (name == npguard::kRefused) continue;
    SCOPED_TRACE(name);
    const auto directory = ReadDirectory(shared, name);
    if (!directory) continue;
    pairs += CompareBetweenPods(directory->golden, directory->snapshot);
    pairs += CompareWithOutside(directory->golden, directory->snapshot);
    ++lists;
  }
  std::printf("%zu golden lists, %zu pairs\n", lists, pairs);
  EXPECT_EQ(lists, 59u);
}

TEST(AnalysisNpGuardTest, DifferencesAreThoseOfTheGoldenLists) {
  NPF_SHARED_OR_SKIP(shared);
  std::vector<Directory> directories;
  for (const std::string& name : npguard::GoldenDirectories(shared)) {
    if (name == npguard::kRefused) continue;
    auto directory = ReadDirectory(shared, name);
    if (!directory) continue;
    directories.push_back(*std::move(directory));
  }
  const char* text = std::getenv("NPF_NPGUARD_STRIDE");
  const size_t stride =
      text == nullptr ? 11 : std::max<size_t>(1, std::strtoull(text, nullptr, 10));
  size_t shared_pairs = 0;
  size_t compared = 0;
  size_t pairs = 0;
  for (const Directory& before : directories) {
    for (const Directory& after : directories) {
      if (&before == &after || !ShareWorkloads(before, after)) continue;
      if (shared_pairs++ % stride != 0) continue;
      SCOPED_TRACE(before.name + " to " + after.name);
      pairs += CompareDifference(before, after);
      ++compared;
    }
  }
  std::printf("%zu pairs of directories, %zu pairs of workloads\n", compared, pairs);
  EXPECT_GT(compared, 10u);
}

}  // namespace
}  // namespace npf::testing
