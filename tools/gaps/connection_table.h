// The connections that are under way, by what was seen of each. Bounded: when it is full, those
// that were idle for kIdleNs make room; where none was, packets of new ones are counted and left
// out.
#ifndef NPF_TOOLS_GAPS_CONNECTION_TABLE_H_
#define NPF_TOOLS_GAPS_CONNECTION_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "gaps/seen.h"

namespace npf::gaps {

// Bits of Live::facts. The destination is the end that did not open.
enum Fact : uint16_t {
  kFactOpened = 1,          // what opens it was seen
  kFactAnswered = 2,        // the destination answered that
  kFactCompleted = 4,       // and the opener acknowledged the answer
  kFactAnswerSeen = 8,      // an answer without what it answers
  kFactOpenerAcks = 16,     // the opener acknowledges what was not seen
  kFactDataAcked = 32,      // data of one end, acknowledged by the other
  kFactRefusedAtPod = 64,   // refused, seen at the pod
  kFactRefused = 128,       // refused, seen elsewhere
  kFactRejected = 256,      // an ICMP error: not delivered
  kFactRepeated = 512,      // the opening was sent again
  kFactAtNode = 1024,       // seen at the destination's node
  kFactAtPod = 2048,        // seen at the destination's pod
  kFactMiddle = 4096,       // begun before it was watched
  kFactLogReply = 8192,     // the log has a reply
  kFactForwarded = 16384,   // the log says that it reached its destination
  kFactLogDropped = 32768,  // the log says that it was dropped
};

// Sequence numbers of an end's data, from the first that was seen.
struct SentData {
  bool any = false;
  uint32_t begin = 0;
  uint32_t end = 0;
};

struct Live {
  FlowKey key{};  // from the opener
  Opener opener = Opener::kSeen;
  bool has_ports = true;
  uint16_t facts = 0;
  uint64_t first_ns = 0;
  uint64_t last_ns = 0;
  uint64_t packets = 0;
  uint64_t replies = 0;
  // Of TCP: the SYN's sequence number; of SCTP: the INIT's tag; and where and when it was seen.
  uint32_t opening = 0;
  uint64_t opening_ns = 0;
  size_t opening_place = 0;
  bool syn_ack_seen = false;
  uint32_t answer_ack = 0;         // in the SYN-ACK
  uint32_t answer_next = 0;        // what acknowledges the SYN-ACK
  std::array<SentData, 2> sent{};  // by the opener, by the other end
  std::unique_ptr<LogNames> names;
  bool proxied = false;  // the log says that a proxy stands between the ends

  bool Has(uint16_t any_of) const { return (facts & any_of) != 0; }
};

Evidence EvidenceOf(const Live& live);

// The same key the other way round.
FlowKey Reversed(FlowKey key);
bool SameDirection(const FlowKey& a, const FlowKey& b);

class ConnectionTable {
 public:
  static constexpr uint64_t kIdleNs = 120'000'000'000;  // as systems forget datagrams

  ConnectionTable(size_t connections_max, SeenSink sink)
      : connections_max_(connections_max), sink_(std::move(sink)) {}

  // The connection between these ends, in either direction; null where there is none.
  Live* Find(const FlowKey& key);
  // Begins one in place of what is there, which is told. Null: the table is full.
  Live* Begin(const FlowKey& key, uint64_t now_ns);
  // The same for a packet that does not say which end opened: as far as ports tell it.
  Live* BeginByPorts(const FlowKey& key, uint64_t now_ns);
  // Tells all that are left.
  void Finish();

  uint64_t left_out() const { return left_out_; }  // calls of Begin that found no room

 private:
  using Ends = std::array<uint8_t, 38>;
  static Ends EndsOf(const FlowKey& key);
  void Tell(const Live& live);
  void MakeRoom(uint64_t now_ns);

  size_t connections_max_;
  SeenSink sink_;
  absl::flat_hash_map<Ends, Live> live_;
  uint64_t left_out_ = 0;
  uint64_t swept_ns_ = 0;
};

}  // namespace npf::gaps

#endif  // NPF_TOOLS_GAPS_CONNECTION_TABLE_H_
