// Where packets of a source address may come from: by which port, from which Ethernet address.
//
// Policy believes the source that stands in a packet. Where a caller knows behind which of its
// ports an address is, or which Ethernet address it has, it can say so, and a packet from elsewhere
// is denied as kSpoofed, before any connection is looked for (A87).
//
//   const SourceBinding bindings[] = {{.source = pod_a, .port = 3, .ethernet = mac_of_a},
//                                     {.source = pod_b, .port = 4},
//                                     {.source = everything_else, .port = kUplink}};
//   const absl::StatusOr<SourceBindings> sources = SourceBindings::Make(bindings);
//   Worker worker(program, {.sources = &*sources});  // and Frame::port of each frame
//
// The longest prefix that holds an address decides; several bindings of one prefix are
// alternatives. What no prefix holds may come from anywhere, and so may 0.0.0.0, :: and fe80::/10,
// which are no host's alone, unless they are bound themselves. docs/decisions/spoofing.md says why.
#ifndef NPF_SOURCES_H_
#define NPF_SOURCES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/address.h"

namespace npf {

using EthernetAddress = std::array<uint8_t, 6>;

// Of SourceBinding: whichever port.
inline constexpr uint16_t kAnyPort = 0xffff;

struct SourceBinding {
  IpPrefix source;           // bits behind its length do not matter
  uint16_t port = kAnyPort;  // Frame::port
  std::optional<EthernetAddress> ethernet;
};

// A compiled set of bindings. It does not change; whoever is given a pointer to it (WorkerOptions)
// needs it to outlive the packets. Any number of workers may share it.
class SourceBindings {
 public:
  static constexpr size_t kBindingsMax = size_t{1} << 18;  // some 50 bytes each
  static constexpr size_t kAlternativesMax = 8;            // of one prefix

  // Fails with kInvalidArgument, every fault on a line of its own, such as "source binding 2
  // (10.0.0.0/8): ...".
  static absl::StatusOr<SourceBindings> Make(std::span<const SourceBinding> bindings);

  // An Ethernet address as a number, and what stands for one that is not known. A binding that
  // names one is not met where none is known, and always met by kAnyEthernet.
  static uint64_t NumberOf(const uint8_t* ethernet);
  static constexpr uint64_t kNoEthernet = ~uint64_t{0};
  static constexpr uint64_t kAnyEthernet = ~uint64_t{1};

  // Whether a packet of `source`, of family 4 or 6, may come so. One search, with one step for
  // twice as many prefixes, and kAlternativesMax comparisons at most; no allocation.
  bool MayCome(uint8_t family, const uint8_t* source, uint16_t port, uint64_t ethernet) const;

 private:
  // An address of either family; an IPv4 address is the mapped one, which is none of IPv6 that a
  // packet may bear (A57).
  __extension__ using AddressNumber = unsigned __int128;
  struct Alternative {
    uint64_t ethernet;  // kAnyEthernet: whichever
    uint16_t port;
  };
  struct Region {  // a prefix
    AddressNumber first, last;
    uint32_t range;
  };

  SourceBindings() = default;
  static AddressNumber NumberOf(uint8_t family, const uint8_t* address);
  void Cut(std::vector<Region> regions);
  void Begin(AddressNumber first, uint32_t range);

  // Addresses from firsts_[i] to the next one's are of ranges_[i]: where its alternatives begin,
  // and, in the lowest bits, how many there are; none: from anywhere.
  static constexpr uint32_t kCountBits = 4;
  std::vector<AddressNumber> firsts_;
  std::vector<uint32_t> ranges_;
  std::vector<Alternative> alternatives_;
};

}  // namespace npf

#endif  // NPF_SOURCES_H_
