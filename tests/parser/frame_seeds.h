// Frames that mutations begin with: built ones of every kind that the parser knows, and captured
// ones.
#ifndef NPF_TESTS_PARSER_FRAME_SEEDS_H_
#define NPF_TESTS_PARSER_FRAME_SEEDS_H_

#include <cstddef>
#include <filesystem>
#include <vector>

#include "npf/packet.h"
#include "unit/packet_builder.h"

namespace npf::testing {

inline constexpr LinkLayer kLinkLayers[] = {LinkLayer::kEthernet, LinkLayer::kRawIp,
                                            LinkLayer::kLinuxSll, LinkLayer::kLinuxSll2,
                                            LinkLayer::kNull,     LinkLayer::kLoop};

struct FrameSeed {
  LinkLayer link = LinkLayer::kEthernet;
  Bytes bytes;
  uint32_t wire_length = 0;
};

std::vector<FrameSeed> BuiltSeeds();

// Every frame of adversarial/*.pcap, and some of each capture under traces, of at most 2,000 bytes.
std::vector<FrameSeed> CapturedSeeds(const std::filesystem::path& shared);

}  // namespace npf::testing

#endif  // NPF_TESTS_PARSER_FRAME_SEEDS_H_
