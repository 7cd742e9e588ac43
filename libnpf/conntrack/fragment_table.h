// Which datagrams are under way in fragments.
//
// Only the first fragment has ports. What was decided of it holds for the others (A1, A2), which
// are found by the datagram's identifier, addresses and VLAN; of IPv4 by its protocol too, not of
// IPv6, where fragments may differ in it (RFC 8200, 4.5; A27). Two datagrams never share an entry,
// and an entry never outlives kLifetimeNs.
//
// A receiver puts fragments that overlap together as it pleases, so that nobody knows what it reads
// (RFC 5722; A5). The parts that have passed are kept, and a fragment that covers one of them again
// poisons the datagram: it and whatever comes of it later is denied.
//
//   heads_     [h] ──► datagram ──► datagram     chains by hash (secretly keyed)
//   datagrams_ one array of `capacity`, never grown
//   slots_     which of it are free, and the others by age, as all live equally long
//   held_      how many each source holds, by a hash of it: none holds more than an eighth (A11)
//
// A datagram of which all has passed gives its place back at once. Where the table is full, the
// oldest makes room: the rest of it will be denied, and nothing else is (A11, A13). What has
// expired counts as held until it is dropped, a few at each beginning. Time and threads: as
// FlowTable.
#ifndef NPF_CONNTRACK_FRAGMENT_TABLE_H_
#define NPF_CONNTRACK_FRAGMENT_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "conntrack/keyed_hash.h"
#include "conntrack/slots.h"
#include "npf/flow.h"
#include "npf/packet.h"
#include "npf/verdict.h"

namespace npf::conntrack {

class Datagram {
 public:
  FlowKey judged{};   // the connection's first packet, or the fragment itself: what policy is asked
  Verdict verdict{};  // of the first fragment, or of the last time it was judged again
  bool reply = false;  // as Judgement::reply and flow_reason
  Reason flow_reason = Reason::kPolicy;

  // Notes a part that passes. False: it covers what has passed already, or says otherwise where the
  // datagram ends, or there are too many parts: the datagram is poisoned.
  bool Cover(const ParsedPacket& fragment);
  void Poison() { poisoned_ = true; }
  bool poisoned() const { return poisoned_; }
  bool complete() const { return end_known_ && covered_ == end_ && !poisoned_; }

 private:
  friend class FragmentTable;
  struct Part {
    uint16_t begin, end;  // in units of eight bytes
  };
  static constexpr size_t kPartsMax = 64;  // 65,535 bytes in fragments of 1,280

  std::array<uint64_t, 6> name_{};
  uint64_t expires_ns_ = 0;
  uint32_t hash_ = 0;
  uint32_t chain_ = 0;   // next in the hash chain
  uint16_t holder_ = 0;  // index of held_
  uint16_t part_count_ = 0;
  uint16_t end_ = 0;
  uint16_t covered_ = 0;
  bool end_known_ = false;
  bool poisoned_ = false;
  std::array<Part, kPartsMax> parts_;
};

class FragmentTable {
 public:
  static constexpr uint64_t kLifetimeNs = 30'000'000'000;

  // `capacity` is at least 8 and below 2^32 - 1; about 400 bytes each.
  explicit FragmentTable(size_t capacity);

  // The datagram that a fragment belongs to and that has not expired, or null.
  Datagram* Find(const ParsedPacket& fragment, uint64_t now_ns);

  // A datagram for a first fragment, which must not be found. Null where its source holds as many
  // as one may.
  Datagram* Begin(const ParsedPacket& first, uint64_t now_ns);

  // All of it has passed.
  void Erase(Datagram& datagram);

  size_t size() const { return slots_.count(); }

 private:
  using Name = std::array<uint64_t, 6>;
  static Name NameOf(const ParsedPacket& fragment);
  void DropExpired(uint64_t now_ns);

  static constexpr size_t kHolders = 4096;

  std::vector<Datagram> datagrams_;  // [0] is nobody
  std::vector<uint32_t> heads_;      // a power of two of them
  std::array<uint32_t, kHolders> held_{};
  std::vector<Slots::Links> links_;
  Slots slots_;
  Secret secret_;
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_FRAGMENT_TABLE_H_
