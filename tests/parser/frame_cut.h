// The first half of a slow parser that shares nothing with the library's: a frame is cut into
// layers, each with the bytes that belong to it. Nothing is judged here; where bytes contradict
// each other, or are not there, cutting just ends.
//
// A layer may be part of another: an option of a header, or the addresses of one. What is checked
// together, and at a certain turn, is a layer; frame_rules.h has the checks.
#ifndef NPF_TESTS_PARSER_FRAME_CUT_H_
#define NPF_TESTS_PARSER_FRAME_CUT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "npf/packet.h"

namespace npf::testing {

enum class LayerKind : uint8_t {
  kEthernet,
  kLinuxSll,
  kLinuxSll2,
  kBsdLoopback,
  kRawStart,  // the first byte, which says which IP follows
  kTag,
  kLlc,
  kUnknownType,
  kArp,
  kIpv4,
  kIpv4Flags,
  kIpv4Option,
  kIpv6,
  kAddresses,  // of either family: source, then destination
  kHopByHop,
  kDestinationOptions,
  kIpv6Option,
  kRouting,
  kFragmentHeader,
  kAuthentication,
  kPart,       // a fragment's place in its datagram
  kLaterPart,  // the payload of one that is not the first
  kTcp,
  kQuotedTcp,  // of an ICMP error: eight bytes are enough
  kUdp,
  kSctp,
  kQuotedSctp,  // of an ICMP error
  kSctpChunk,   // the first one's header
  kIcmp,        // ICMP in IPv4, ICMPv6 in IPv6
  kForeignIcmp,
  kIcmpEcho,  // request or reply
  kListener,
  kNeighbour,
  kNeighbourOption,
  kNeighbourBody,  // the whole message once its options are known
  kOtherProtocol,
  kEnds,  // addresses and ports together
};
std::string_view NameOf(LayerKind kind);

struct Layer {
  LayerKind kind = LayerKind::kEnds;
  int64_t begin = 0;  // from the start of the frame
  int64_t sent = 0;   // bytes from there to the end that the layers around it state
  int64_t kept = 0;   // how many of these were captured
  // Of tags and extension headers: how many came before it. Of an IPv6 option: its header's type.
  int64_t number = 0;
};

// Of a fragment, the first one too.
struct Part {
  int64_t offset = 0;  // all in bytes
  int64_t payload = 0;
  int64_t before = 0;  // what stands before the payload in the whole datagram, and is counted
  bool more = false;
  int64_t protocol = 0;
  int64_t id = 0;
};

class FrameCut {
 public:
  FrameCut(const PacketView& view, const ParseOptions& options);
  // What an ICMP error quotes: an IP packet that is as long as it says, and cut.
  static FrameCut OfQuoted(std::span<const uint8_t> bytes);

  const std::vector<Layer>& layers() const { return layers_; }
  const ParseOptions& options() const { return options_; }
  const Layer* Find(LayerKind kind) const;  // the outermost one; nullptr: none
  // The big-endian number of up to eight bytes, where all of them were captured.
  std::optional<int64_t> Number(const Layer& layer, int64_t at, int64_t bytes) const;
  // As above, of bytes that are known to be there.
  int64_t Known(const Layer& layer, int64_t at, int64_t bytes) const;
  std::span<const uint8_t> Bytes(const Layer& layer, int64_t at, int64_t bytes) const;

  // What was learned on the way.
  int64_t family() const { return family_; }      // 4, 6; 0: no IP header
  int64_t protocol() const { return protocol_; }  // of the last header that says what follows
  int64_t hop_limit() const { return hop_limit_; }
  bool quoted() const { return quoted_; }  // in an ICMP error
  const std::optional<Part>& part() const { return part_; }
  bool IsFirstPart() const { return part_.has_value() && part_->offset == 0; }
  std::span<const uint8_t> Source() const;  // need a layer kAddresses
  std::span<const uint8_t> Destination() const;

 private:
  FrameCut(std::span<const uint8_t> bytes, int64_t sent, const ParseOptions& options, bool quoted);

  std::optional<int64_t> At(int64_t at, int64_t bytes) const;
  Layer& Add(LayerKind kind, int64_t begin);
  void EndAt(int64_t end);  // what follows belongs to no inner layer
  void CutLink();
  void CutTyped(int64_t begin, int64_t type);
  void CutLoopback();
  void CutIpv4(int64_t begin);
  void CutIpv4Options(int64_t begin, int64_t end);
  void CutIpv6(int64_t begin);
  void CutChain(int64_t begin, int64_t end_of_header);
  bool CutExtensionHeader(int64_t begin, int64_t bytes);
  bool CutFragmentHeader(int64_t begin, int64_t end_of_header);
  void CutIpv6Options(int64_t begin, int64_t end, int64_t header);
  void CutTransport(int64_t begin);
  void CutIcmp(int64_t begin);
  void CutNeighbour(int64_t begin, int64_t type);

  std::vector<uint8_t> bytes_;
  ParseOptions options_;
  bool quoted_;
  int64_t sent_end_;  // of the layer that is being cut
  int64_t kept_end_;
  std::vector<Layer> layers_;
  int64_t family_ = 0;
  int64_t protocol_ = 0;
  int64_t hop_limit_ = 0;
  std::optional<Part> part_;
};

// Of a neighbour discovery message without its options (RFC 4861, 4.1 to 4.5).
int64_t NeighbourFixedBytes(int64_t type);

}  // namespace npf::testing

#endif  // NPF_TESTS_PARSER_FRAME_CUT_H_
