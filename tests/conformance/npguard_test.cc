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
#include "conformance/npguard.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

using npguard::End;
using npguard::Line;

const std::vector<std::string> kProtocols = {"TCP", "UDP", "SCTP"};

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
    endpoints.push_back({npguard::WorkloadOf(pod),
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

size_t ExpectGolden(const std::filesystem::path& directory) {
  SCOPED_TRACE(directory.filename().string());
  const auto loaded = npguard::LoadObjects(directory);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return 0;
  const std::vector<Line> golden = npguard::ReadGolden(ReadFile(directory / "EXPECTED.txt"));
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

TEST(ConformanceTest, NpGuardGoldenLists) {
  NPF_SHARED_OR_SKIP(shared);
  size_t lists = 0;
  size_t rows = 0;
  for (const std::string& directory : npguard::GoldenDirectories(shared)) {
    const std::filesystem::path path = npguard::PathOf(shared, directory);
    if (directory == npguard::kRefused) {
      EXPECT_FALSE(npguard::LoadObjects(path).ok());
      continue;
    }
    rows += ExpectGolden(path);
    ++lists;
  }
  std::printf("%zu golden lists, %zu questions\n", lists, rows);
  EXPECT_EQ(lists, 59u);
}

}  // namespace
}  // namespace npf::testing
