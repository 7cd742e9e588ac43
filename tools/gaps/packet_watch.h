// Evidence from packets of captures, several captures merged by time.
//
//   TCP    SYN ─► SYN-ACK that acknowledges this very SYN (its number + 1) ─► ACK of that
//          RST that acknowledges it: refused. Same SYN later at the same place: sent again.
//          Another SYN between the same ports: another connection.
//          From the middle: data of one end that the other acknowledges.
//   SCTP   INIT ─► INIT ACK under its tag
//   ICMP   echo request ─► echo reply with its identifier; errors are told of what they quote
//   UDP    a datagram ─► one between the same ports the other way. Who began is known only where
//          one port is of the range that systems give to clients (32768 and up) and the other is
//          not: the first one that was seen may be the answer to one that was missed, or be early
//          by another clock.
//
// Answers to a SYN are told by numbers and not by order, because clocks of captures differ. Tunnels
// and tags do not keep packets apart: one packet seen outside and inside is one connection, and is
// counted as often as it was seen.
#ifndef NPF_TOOLS_GAPS_PACKET_WATCH_H_
#define NPF_TOOLS_GAPS_PACKET_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "gaps/connection_table.h"
#include "npf/packet.h"

namespace npf::gaps {

// How near the place with this number is to an address at that time.
using WhereIs = std::function<Nearness(size_t place, const IpAddress& address, uint64_t time_ns)>;

struct WatchCounts {
  uint64_t packets = 0;
  uint64_t unread = 0;     // malformed, or encrypted, or what no address was found in
  uint64_t control = 0;    // ARP, neighbour discovery, MLD
  uint64_t fragments = 0;  // later ones, which have no ports
  uint64_t stray = 0;      // RST and errors of no connection that is known
  uint64_t left_out = 0;   // of connections for which there was no room
};

class PacketWatch {
 public:
  static constexpr size_t kConnectionsMax = size_t{1} << 18;  // some 300 bytes each

  PacketWatch(size_t connections_max, WhereIs where_is, SeenSink sink)
      : table_(connections_max, std::move(sink)), where_is_(std::move(where_is)) {}

  // `parsed` is what ParsePacket says of `frame`; times do not go backwards.
  void Add(const PacketView& frame, const ParsedPacket& parsed, uint64_t time_ns, size_t place);
  // Tells every connection that is left.
  void Finish() { table_.Finish(); }
  WatchCounts counts() const;

 private:
  struct Packet {
    const ParsedPacket& parsed;
    FlowKey key;
    uint64_t time_ns;
    size_t place;
    bool reply = false;  // against the direction in which the connection is known
  };
  Live* Tcp(Packet& packet);
  Live* TcpSyn(const Packet& packet);
  Live* TcpSynAck(const Packet& packet);
  Live* TcpReset(const Packet& packet);
  Live* Middle(const Packet& packet);
  Live* Sctp(Packet& packet);
  Live* SctpInit(const Packet& packet);
  Live* Datagram(Packet& packet);
  Live* Echo(Packet& packet);
  void IcmpError(const PacketView& frame, const ParsedPacket& parsed, uint64_t time_ns,
                 size_t place);
  bool IsRepeated(const Live& live, const Packet& packet) const;
  void Refuse(Live& live, const IpAddress& by, uint64_t time_ns, size_t place);
  void Count(Live& live, const Packet& packet);

  ConnectionTable table_;
  WhereIs where_is_;
  WatchCounts counts_;
};

}  // namespace npf::gaps

#endif  // NPF_TOOLS_GAPS_PACKET_WATCH_H_
