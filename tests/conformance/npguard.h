// np-guard's golden connection lists, as they lie in the reference data: for every pair of
// workloads, the ports that may connect.
#ifndef NPF_TESTS_CONFORMANCE_NPGUARD_H_
#define NPF_TESTS_CONFORMANCE_NPGUARD_H_

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/address.h"
#include "npf/model.h"
#include "npf/snapshot.h"

namespace npf::testing::npguard {

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

// Lines of other analyses have other forms, or an end in braces such as {ingress-controller}; they
// are left out.
std::vector<Line> ReadGolden(const std::string& text);

// As np-guard names it: "ns/owner[Kind]".
std::string WorkloadOf(const Pod& pod);

// The objects of a directory, without golden lists. What the API server refuses and np-guard does
// not look at is corrected first.
absl::StatusOr<Snapshot> LoadObjects(const std::filesystem::path& directory);

// Directories with a golden list that policies of the API decide: names below `policies`.
std::vector<std::string> GoldenDirectories(const std::filesystem::path& shared);
std::filesystem::path PathOf(const std::filesystem::path& shared, const std::string& directory);
// Has a named port beside networks, which the API server refuses (R88).
inline constexpr char kRefused[] = "anp_test_named_ports_multiple_peers";

}  // namespace npf::testing::npguard

#endif  // NPF_TESTS_CONFORMANCE_NPGUARD_H_
