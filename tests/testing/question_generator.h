// Questions about a cluster: mostly between its own pods and the addresses and ports at the edges
// of its blocks and ranges, where mistakes live.
#ifndef NPF_TESTS_TESTING_QUESTION_GENERATOR_H_
#define NPF_TESTS_TESTING_QUESTION_GENERATOR_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reference/evaluator.h"
#include "testing/cluster.h"
#include "testing/random.h"

namespace npf::testing {

// What is special about an address or a port of a question.
enum class Edge : uint8_t {
  kPod,
  kNode,
  kServiceAddress,
  kPodCidrEdge,
  kBlockFirst,
  kBlockLast,
  kBlockBefore,
  kBlockAfter,
  kExceptFirst,
  kExceptLast,
  kExceptBefore,
  kExceptAfter,
  kFirstOfFamily,
  kLastOfFamily,
  kExternal,
  kSelf,
  kPortZero,
  kPortMax,
  kPortExact,
  kPortBelow,
  kPortAbove,
  kEndPortExact,
  kEndPortAbove,
  kContainerPort,
  kOtherProtocol,
  kMixedFamilies,
  kNetworkFirst,
  kNetworkLast,
  kNetworkBefore,
  kNetworkAfter,
  kNamedAddress,
  kRangeFirst,
  kRangeLast,
  kRangeBefore,
  kRangeAfter,
  kCount,
};
inline constexpr size_t kEdgeCount = static_cast<size_t>(Edge::kCount);
std::string_view Name(Edge edge);

using EdgeSet = uint64_t;
constexpr EdgeSet Bit(Edge edge) { return EdgeSet{1} << static_cast<int>(edge); }
// The edges that make a question a boundary question.
bool IsBoundary(EdgeSet edges);

struct AskedQuestion {
  reference::Question question;
  EdgeSet edges = 0;
};

class QuestionGenerator {
 public:
  QuestionGenerator(const Cluster& cluster, uint64_t seed);
  AskedQuestion Next();

 private:
  struct TaggedAddress {
    IpAddress address;
    EdgeSet edges;
  };
  struct TaggedPort {
    uint16_t port;
    EdgeSet edges;
  };

  void GatherAddresses(const Cluster& cluster);
  void GatherBlocks(const Cluster& cluster);
  void GatherPorts(const Cluster& cluster);
  void GatherTiers(const Cluster& cluster);
  void AddAddress(const IpAddress& address, Edge edge);
  // The edges of its first and last address, and of those before and after it.
  void AddBlock(const std::string& cidr, const std::array<Edge, 4>& edges);
  void AddClusterPort(const ClusterPort& port);
  void AddPort(int64_t port, Edge edge);
  TaggedAddress PickAddress(Family family);

  Random random_;
  std::map<IpAddress, EdgeSet> edges_at_;
  std::map<uint16_t, EdgeSet> edges_of_port_;
  std::vector<TaggedAddress> pods_;
  std::map<Family, std::vector<TaggedAddress>> addresses_;
  std::map<Family, std::vector<TaggedAddress>> edge_addresses_;
  std::vector<TaggedPort> ports_;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_QUESTION_GENERATOR_H_
