// np-guard's golden connection lists: for every pair of workloads, the ports that may connect.
//
// np-guard does not match an ipBlock against pods, and a workload stands for all its pods. So pods
// get two made-up addresses each: an IPv6 one for questions between pods, which no IPv4 block
// covers, and an IPv4 one for questions about external addresses, which is never the peer there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "conformance/fixture.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

constexpr char kExternal[] = "[External]";
const std::vector<std::string> kProtocols = {"TCP", "UDP", "SCTP"};

// Ports that may connect, by protocol.
using Connections = std::map<std::string, std::vector<std::pair<int, int>>>;

// One end of a line: a workload, or a range of external addresses.
struct End {
  std::string workload;
  IpAddress first;  // where workload is empty
  IpAddress last;
};

struct Line {
  End src;
  End dst;
  Connections connections;
};

// "All Connections" or "TCP 80,443-444,UDP 53".
Connections ReadConnections(const std::string& text) {
  Connections connections;
  if (text == "All Connections") {
    for (const std::string& protocol : kProtocols) connections[protocol] = {{0, 65535}};
    return connections;
  }
  std::string protocol;
  const std::vector<std::string> items = absl::StrSplit(text, ',');
  for (std::string item : items) {
    if (const size_t space = item.find(' '); space != std::string::npos) {
      protocol = item.substr(0, space);
      item = item.substr(space + 1);
    }
    const std::pair<std::string, std::string> ends = absl::StrSplit(item, '-');
    const int first = std::atoi(ends.first.c_str());
    connections[protocol].emplace_back(
        first, ends.second.empty() ? first : std::atoi(ends.second.c_str()));
  }
  return connections;
}

End ReadEnd(const std::string& text) {
  if (!text.ends_with(kExternal)) return {text, {}, {}};
  const std::string range = text.substr(0, text.size() - std::strlen(kExternal));
  const std::pair<std::string, std::string> ends = absl::StrSplit(range, '-');
  return {"", Address(ends.first), Address(ends.second)};
}

// Lines of other analyses have other forms, or an end in braces such as {ingress-controller}.
std::vector<Line> ReadGolden(const std::string& text) {
  std::vector<Line> golden;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (const std::string& line : lines) {
    const size_t arrow = line.find(" => ");
    const size_t colon = line.find(" : ");
    if (arrow == std::string::npos || colon == std::string::npos || line.front() == '{') continue;
    golden.push_back({ReadEnd(line.substr(0, arrow)),
                      ReadEnd(line.substr(arrow + 4, colon - arrow - 4)),
                      ReadConnections(line.substr(colon + 3))});
  }
  return golden;
}

// As np-guard names it: "ns/owner[Kind]".
std::string WorkloadOf(const Pod& pod) {
  const auto name = [&](const std::string& kind, const std::string& owner) {
    return absl::StrCat(pod.ns, "/", owner, "[", kind, "]");
  };
  if (!pod.owner_kind.empty()) return name(pod.owner_kind, pod.name);
  if (const size_t slash = pod.controller.find('/'); slash != std::string::npos) {
    const std::string kind = slash == 0 ? "Pod" : pod.controller.substr(0, slash);
    return name(kind, pod.controller.substr(slash + 1));
  }
  return name("Pod", pod.name);
}

// A pod of a workload, or an external address.
struct Endpoint {
  std::string workload;  // empty for an external address
  std::string ipv4;
  std::string ipv6;
};

// Gives the pods their made-up addresses, and says which workload each stands for.
std::vector<Endpoint> GiveAddresses(Cluster& cluster) {
  std::vector<Endpoint> endpoints;
  size_t number = 0;
  for (Pod& pod : cluster.pods) {
    ++number;
    endpoints.push_back({WorkloadOf(pod),
                         absl::StrCat("100.64.", number / 250, ".", 1 + number % 250),
                         absl::StrCat("fd00:64::", absl::Hex(number))});
    pod.owner_kind.clear();
    pod.host_network = false;
    pod.ips = {endpoints.back().ipv4, endpoints.back().ipv6};
    pod.name = absl::StrCat(pod.name, "-", number);  // workloads of two kinds may share a name
  }
  cluster.nodes.clear();
  cluster.services.clear();
  return endpoints;
}

// Both ends of every range in the list. Ranges of ingress and egress are cut differently.
std::vector<Endpoint> ExternalEndpoints(const std::vector<Line>& golden) {
  std::set<std::string> addresses;
  for (const Line& line : golden) {
    for (const End& end : {line.src, line.dst}) {
      if (!end.workload.empty()) continue;
      addresses.insert(npf::ToString(end.first));
      addresses.insert(npf::ToString(end.last));
    }
  }
  std::vector<Endpoint> endpoints;
  for (const std::string& address : addresses) endpoints.push_back({"", address, ""});
  return endpoints;
}

// Both sides of every port that a policy, a pod or the golden list speaks of.
std::vector<uint16_t> InterestingPorts(const Cluster& cluster, const std::vector<Line>& golden) {
  std::set<int> ports = {1, 65535};
  const auto add = [&](int64_t first, int64_t last) {
    for (const int64_t port : {first - 1, first, last, last + 1}) {
      if (port >= 1 && port <= 65535) ports.insert(static_cast<int>(port));
    }
  };
  for (const Line& line : golden) {
    for (const auto& [protocol, ranges] : line.connections) {
      for (const auto& [first, last] : ranges) add(first, last);
    }
  }
  for (const Pod& pod : cluster.pods) {
    for (const ContainerPort& port : pod.ports) add(port.port, port.port);
  }
  return {ports.begin(), ports.end()};
}

bool Includes(const End& end, const Endpoint& endpoint) {
  if (!end.workload.empty() || !endpoint.workload.empty()) return end.workload == endpoint.workload;
  const IpAddress address = Address(endpoint.ipv4);
  return end.first <= address && address <= end.last;
}

bool Connects(const Line& line, const std::string& protocol, uint16_t port) {
  const auto ranges = line.connections.find(protocol);
  if (ranges == line.connections.end()) return false;
  return std::any_of(ranges->second.begin(), ranges->second.end(), [&](const auto& range) {
    return range.first <= port && port <= range.second;
  });
}

struct Row {
  reference::Question question;
  bool connects;
  std::string text;
};

void AppendRows(const std::vector<Line>& golden, const Endpoint& src, const Endpoint& dst,
                const std::vector<uint16_t>& ports, std::vector<Row>& rows) {
  const bool between_pods = !src.workload.empty() && !dst.workload.empty();
  const IpAddress from = Address(between_pods ? src.ipv6 : src.ipv4);
  const IpAddress to = Address(between_pods ? dst.ipv6 : dst.ipv4);
  std::vector<const Line*> lines;
  for (const Line& line : golden) {
    if (Includes(line.src, src) && Includes(line.dst, dst)) lines.push_back(&line);
  }
  for (const std::string& protocol : kProtocols) {
    for (const uint16_t port : ports) {
      const bool connects = std::any_of(lines.begin(), lines.end(), [&](const Line* line) {
        return Connects(*line, protocol, port);
      });
      rows.push_back({{from, to, ProtocolNumber(protocol), port},
                      connects,
                      absl::StrCat(src.workload, " ", npf::ToString(from), " => ", dst.workload,
                                   " ", npf::ToString(to), " ", protocol, " ", port)});
    }
  }
}

// The list has neither a workload with itself nor two external addresses.
std::vector<Row> EveryRow(const std::vector<Line>& golden, const std::vector<Endpoint>& endpoints,
                          const std::vector<uint16_t>& ports) {
  std::vector<Row> rows;
  for (const Endpoint& src : endpoints) {
    for (const Endpoint& dst : endpoints) {
      if (src.workload != dst.workload) AppendRows(golden, src, dst, ports, rows);
    }
  }
  return rows;
}

// Golden lists lie beside the objects.
std::vector<std::filesystem::path> ObjectFiles(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool is_list = name.starts_with("EXPECTED") || name == "connlist_output.json";
    if (entry.is_regular_file() && !is_list) files.push_back(entry.path());
  }
  return files;
}

size_t IndentOf(const std::string& line) { return line.find_first_not_of(' '); }

// The selectors that a block `pods:` lacks; the block's lines begin at `first`.
std::string MissingSelectors(const std::vector<std::string>& lines, size_t first) {
  const size_t indent = IndentOf(lines[first]);
  std::set<std::string> found;
  for (size_t i = first; i < lines.size() && IndentOf(lines[i]) >= indent; ++i) {
    if (IndentOf(lines[i]) != indent) continue;
    found.insert(lines[i].substr(indent, lines[i].find(':') - indent));
  }
  std::string missing;
  for (const char* selector : {"namespaceSelector", "podSelector"}) {
    if (found.contains(selector)) continue;
    absl::StrAppend(&missing, std::string(indent, ' '), selector, ": {}\n");
  }
  return missing;
}

// What the API server refuses and np-guard does not look at: a name, and a selector left out of the
// `pods` of a cluster-wide policy.
std::string Corrected(const std::string& text) {
  std::string corrected;
  const std::vector<std::string> lines = absl::StrSplit(
      absl::StrReplaceAll(text, {{"use_match_exp_with_all_gap_values_of_app", "renamed"}}), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&corrected, lines[i], i + 1 < lines.size() ? "\n" : "");
    const std::string line = lines[i].substr(0, lines[i].find(" #"));
    if (!line.ends_with("pods:") || i + 1 == lines.size()) continue;
    const size_t indent = IndentOf(lines[i + 1]);
    if (indent == std::string::npos || indent <= line.size() - std::strlen("pods:")) continue;
    corrected += MissingSelectors(lines, i + 1);
  }
  return corrected;
}

absl::StatusOr<Snapshot> LoadObjects(const std::filesystem::path& directory) {
  const std::vector<std::filesystem::path> files = ObjectFiles(directory);
  std::string text;
  for (const auto& file : files) {
    if (file.extension() == ".yaml") absl::StrAppend(&text, ReadFile(file), "\n---\n");
  }
  text = absl::StrReplaceAll(text, {{"\r", ""}});
  const std::string corrected = Corrected(text);
  if (corrected == text) return LoadSnapshot(files);
  EXPECT_FALSE(LoadSnapshot(files).ok());
  return LoadSnapshotText(corrected, "corrected");
}

size_t ExpectGolden(const std::filesystem::path& directory) {
  SCOPED_TRACE(directory.filename().string());
  const auto loaded = LoadObjects(directory);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return 0;
  const std::vector<Line> golden = ReadGolden(ReadFile(directory / "EXPECTED.txt"));
  Cluster cluster = Thaw(*loaded);
  std::vector<Endpoint> endpoints = GiveAddresses(cluster);
  const std::vector<uint16_t> ports = InterestingPorts(cluster, golden);
  for (const Endpoint& external : ExternalEndpoints(golden)) endpoints.push_back(external);
  const std::vector<Row> rows = EveryRow(golden, endpoints, ports);
  std::vector<reference::Question> questions;
  for (const Row& row : rows) questions.push_back(row.question);
  const auto snapshot = Freeze(cluster);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  if (!snapshot.ok()) return 0;
  for (const auto& judge : AllJudges(*snapshot)) {
    const std::vector<Judgement> judgements = judge->Ask(questions);
    size_t differences = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (judgements[i].allowed == rows[i].connects || ++differences > 3) continue;
      ADD_FAILURE() << judge->name() << ": " << rows[i].text << ": " << ToString(judgements[i]);
    }
    EXPECT_EQ(differences, 0u) << judge->name() << ", of " << rows.size();
  }
  return rows.size();
}

constexpr char kDirectories[] = "policies/np-guard__netpol-analyzer";
// Has a named port beside networks, which the API server refuses (R88).
constexpr char kRefused[] = "anp_test_named_ports_multiple_peers";

TEST(ConformanceTest, NpGuardGoldenLists) {
  NPF_SHARED_OR_SKIP(shared);
  size_t lists = 0;
  size_t rows = 0;
  const std::vector<std::string> index =
      absl::StrSplit(ReadFile(shared / "policies/NPGUARD.tsv"), '\n');
  for (const std::string& line : index) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells.size() < 3 || cells[1] != "yes") continue;
    if (cells[2] != "NetworkPolicy" && cells[2] != "cluster tiers") continue;
    if (cells[0] == kRefused) {
      EXPECT_FALSE(LoadObjects(shared / kDirectories / cells[0]).ok());
      continue;
    }
    rows += ExpectGolden(shared / kDirectories / cells[0]);
    ++lists;
  }
  std::printf("%zu golden lists, %zu questions\n", lists, rows);
  EXPECT_EQ(lists, 59u);
}

}  // namespace
}  // namespace npf::testing
