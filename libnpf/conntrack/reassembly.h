// Datagrams whose fragments wait for each other.
//
// Nothing of a datagram is let through before all of it has been seen and no part of it overlaps
// another. Nobody needs its bytes for that: the caller holds the fragments, under a *ticket* that
// is the datagram's, and what is kept here is where each part lies and the first bytes of the
// transport header, wherever they came. A datagram ends in one of these ways, once:
//
//   complete     Take says so; the engine judges what Joined tells, and calls Finish
//   refused      a fragment overlaps, is one too many, or ends beyond 65,535 bytes: in gone(); what
//                comes of it later is refused as well, until it expires
//   incomplete   30 s have passed, or it made room for others: in gone()
//   given up     by the caller; what comes of it later is refused, until it expires
//
// Two of one name (addresses, identifier, VLAN; of IPv4 the protocol) are one, so that no fragment
// is ever let through for what came from another context (A10).
#ifndef NPF_CONNTRACK_REASSEMBLY_H_
#define NPF_CONNTRACK_REASSEMBLY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "conntrack/fragment_table.h"
#include "npf/packet.h"
#include "npf/verdict.h"
#include "packet/joined.h"

namespace npf::conntrack {

class Reassembly {
 public:
  struct Taken {
    Reason reason = Reason::kFragmentHeld;  // else: it is refused, for this
    uint64_t ticket = 0;                    // 0 where it is refused
    bool complete = false;
  };
  struct Gone {
    uint64_t ticket;
    Reason reason;
  };
  // How many datagrams one call can end.
  static constexpr size_t kGoneMax = FragmentTable::kDroppedMax + 2;

  // `capacity` as FragmentTable; about 550 bytes each.
  explicit Reassembly(size_t capacity) : table_(capacity), held_(capacity + 1) {}

  // A fragment whose place in its datagram is known, and whose transport header may go on in
  // another one. Parsed with header_in_parts.
  static bool Takes(const ParsedPacket& packet);

  Taken Take(const ParsedPacket& fragment, const PacketView& frame, uint64_t now_ns);
  // A few of those that have expired. False: none is left.
  bool Expire(uint64_t now_ns);
  // Those that ended in the last call of Take or Expire.
  std::span<const Gone> gone() const { return std::span(gone_).first(gone_count_); }

  // Of a complete datagram. Valid until Finish.
  packet::JoinedDatagram Joined(uint64_t ticket) const;
  void Finish(uint64_t ticket);
  void GiveUp(uint64_t ticket);  // which may have ended

  size_t size() const { return table_.size(); }

 private:
  static constexpr size_t kHeadBytes = 64;  // the longest TCP header, and what SCTP's begins with
  struct Held {
    uint64_t ticket = 0;      // 0: it has ended
    uint64_t head_known = 0;  // a bit for each byte of `head`
    FlowKey key{};            // of the first fragment
    uint64_t network = 0;
    uint32_t headers = 0;    // bytes before the payload in the whole datagram, that count as its
    uint32_t transport = 0;  // where the transport header begins in the payload
    uint32_t end = 0;        // of the payload
    std::array<uint8_t, kHeadBytes> head{};
  };

  void Note(const ParsedPacket& fragment, const PacketView& frame, Held& held);
  void NoteFirst(const ParsedPacket& first, Held& held);
  void NoteDropped();
  void Refuse(Reason reason, Held& held);
  size_t PlaceOf(uint64_t ticket) const { return ticket % held_.size(); }

  FragmentTable table_;
  std::vector<Held> held_;  // by the place in table_
  uint64_t begun_ = 0;
  std::array<Gone, kGoneMax> gone_{};
  size_t gone_count_ = 0;
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_REASSEMBLY_H_
