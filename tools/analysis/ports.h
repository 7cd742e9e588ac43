// Sets of ports, exact: what may connect, whatever table it was read from.
//
// The engine has port classes, which two Programs cut differently. A set here speaks of ports
// themselves, as ranges of one line: TCP, then UDP, then SCTP, 65,536 ports each, and one place for
// all protocols that have none, which rules never tell apart (R41). Few distinct sets occur: each
// is stored once and goes by its number, so that two are equal exactly where their numbers are.
#ifndef NPF_TOOLS_ANALYSIS_PORTS_H_
#define NPF_TOOLS_ANALYSIS_PORTS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "npf/flow.h"
#include "npf/program.h"

namespace npf::analysis {

// The protocols with ports, in the order of the line.
inline constexpr std::array<uint8_t, 3> kPortProtocols = {kProtocolTcp, kProtocolUdp,
                                                          kProtocolSctp};
inline constexpr uint32_t kPortsEach = 65536;
inline constexpr uint32_t kWithoutPorts = kPortsEach * kPortProtocols.size();  // the last place

// Places `first` to `last`, both included.
struct PlaceRange {
  uint32_t first = 0;
  uint32_t last = 0;
  auto operator<=>(const PlaceRange&) const = default;
};

using PortSet = std::vector<PlaceRange>;  // sorted, neither overlapping nor touching
using PortSetId = uint32_t;

// `range` begins behind the last one's beginning, or in it.
void Append(PlaceRange range, PortSet& set);

// Ports `first` to `last` of a protocol; of one without ports, `first` and `last` are 0.
struct ProtocolRange {
  static constexpr uint8_t kNoPorts = 0;  // in place of every protocol without ports
  uint8_t protocol = kNoPorts;            // IANA
  uint16_t first = 0;
  uint16_t last = 0;
  auto operator<=>(const ProtocolRange&) const = default;
};
std::vector<ProtocolRange> Ranges(const PortSet& set);
// The place of a port; `port` is ignored for a protocol without ports.
uint32_t PlaceOf(uint8_t protocol, uint16_t port);
// A protocol and port at that place; ICMP, or ICMPv6, where it has none.
ProtocolRange PortAt(uint32_t place, Family family);

// "all", "TCP 80,443,8000-8010; UDP; other protocols", "all except TCP 22", "none".
std::string ToString(const PortSet& set);

// Numbers the distinct sets. Not thread-safe.
class PortSets {
 public:
  static constexpr PortSetId kNone = 0;
  static constexpr PortSetId kAll = 1;

  PortSets();
  PortSetId Intern(PortSet set);
  const PortSet& Get(PortSetId id) const { return sets_[id]; }
  // Each is worked out once.
  PortSetId Intersection(PortSetId a, PortSetId b);
  PortSetId Difference(PortSetId a, PortSetId b);  // of a what is not in b
  PortSetId Union(PortSetId a, PortSetId b);

 private:
  enum class Operation : uint8_t { kIntersection, kDifference, kUnion };
  PortSetId Combine(Operation operation, PortSetId a, PortSetId b);

  std::deque<PortSet> sets_;
  absl::flat_hash_map<std::vector<uint32_t>, PortSetId> ids_;  // by the ends of their ranges
  absl::flat_hash_map<uint64_t, PortSetId> known_[3];          // by operation; a << 32 | b
};

// The ports of each class of a Program.
class PortClassPlaces {
 public:
  struct Run {
    PlaceRange places;
    uint32_t port_class;
  };

  explicit PortClassPlaces(const Program& program);
  PortSet Of(std::span<const uint32_t> class_bits) const;
  const std::vector<Run>& runs() const { return runs_; }  // the whole line, in order

 private:
  std::vector<Run> runs_;
};

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_PORTS_H_
