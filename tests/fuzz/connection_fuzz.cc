// A sequence of packets, pauses and changes of policy, whose every verdict must be the one of the
// simulator's model, and whose connections must be as many.
//
// The input begins with the options; then each step is a byte that says of what kind it is, and
// what that kind reads. Numbers of TCP and SCTP are told from where the connection stands, so that
// a few bytes get far into one.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/script.h"
#include "simulator/contest.h"
#include "simulator/forger.h"

namespace {

using npf::Checksums;
using npf::fuzzing::Expect;
using npf::fuzzing::Script;
using npf::simulator::Connection;
using npf::simulator::Contest;
using npf::simulator::Icmp;
using npf::simulator::Key;
using npf::simulator::Model;
using npf::simulator::Part;
using npf::simulator::Policies;
using npf::simulator::SctpEnd;
using npf::simulator::Setup;
using npf::simulator::Wire;

constexpr size_t kPacketsMax = 400;
constexpr size_t kBatchMax = 150;  // more than the engine takes at a time
constexpr uint64_t kSecondNs = 1'000'000'000;

// A table that such a sequence never fills, or one whose index is swept whole with each batch: of
// those between, the model does not say what has expired and still counts.
Setup MakeSetup(Script& script) {
  const size_t choices = script.Byte();
  Setup setup{.options = {.checksums = (choices & 4) != 0 ? Checksums::kIpOnly : Checksums::kIgnore,
                          .midstream_allow = (choices & 8) != 0,
                          .established_keep = (choices & 16) != 0,
                          .flows_max = 1500,
                          .openings_max = 1500,
                          .flows_per_source_max = 1500,
                          .datagrams_max = 512},
              .program = choices % Policies::kPrograms};
  if ((choices & 32) != 0) {
    setup.options.flows_max = (choices & 64) != 0 ? 7 : 12;
    setup.options.openings_max = 1 + script.Below(setup.options.flows_max);
    setup.options.flows_per_source_max = 1 + script.Below(setup.options.flows_max);
  }
  // All fragments are then of one source: sources share counts by a keyed hash.
  if ((choices & 128) != 0) setup.options.datagrams_max = 8 * (1 + script.Below(8));
  return setup;
}

class Sender {
 public:
  Sender(Script& script, const Model& model, bool one_fragment_source)
      : script_(script), model_(model), one_fragment_source_(one_fragment_source) {
    seen_.fill({.key = {.src = 0, .dst = 1, .src_port = 1000, .dst_port = 80},
                .flags = npf::simulator::kSyn});
  }

  // Step kinds of the caller are below `kFirstKind`.
  static constexpr size_t kFirstKind = 3;
  Wire Next(size_t kind) {
    Wire wire;
    switch (kind) {
      case kFirstKind:
        wire = Seen();
        break;
      case kFirstKind + 1:
        wire = Error();
        break;
      case kFirstKind + 2:
        wire = Piece();
        break;
      default:
        wire = Packet(kind % 2 == 0 ? NewKey() : SeenKey());
        break;
    }
    seen_[begun_++ % seen_.size()] = wire;
    return wire;
  }

 private:
  const Wire& Seen() { return seen_[script_.Below(seen_.size())]; }

  Key SeenKey() {
    const size_t choice = script_.Byte();
    const Key key = seen_[choice / 2 % seen_.size()].key;
    return choice % 2 == 0 ? key : key.Reversed();
  }

  Key NewKey() {
    static constexpr uint8_t kProtocols[] = {npf::kProtocolTcp,  npf::kProtocolUdp,
                                             npf::kProtocolSctp, npf::kProtocolIcmp,
                                             npf::kProtocolTcp,  47};
    static constexpr uint16_t kPorts[] = {80, 53, 9, 81};
    const size_t ends = script_.Byte();
    const size_t rest = script_.Byte();
    Key key{.family = ends >= 128 ? uint8_t{6} : uint8_t{4},
            .protocol = kProtocols[rest % std::size(kProtocols)],
            .src = static_cast<uint8_t>(ends % npf::simulator::kHosts),
            .dst = static_cast<uint8_t>(ends / 8 % npf::simulator::kHosts),
            .src_port = static_cast<uint16_t>(1000 + rest / 64),
            .dst_port = kPorts[rest / 16 % std::size(kPorts)]};
    if (key.src == key.dst) key.dst = static_cast<uint8_t>((key.src + 1) % npf::simulator::kHosts);
    if (key.protocol == npf::kProtocolIcmp) {
      if (key.family == 6) key.protocol = npf::kProtocolIcmpv6;
      key.dst_port = key.src_port;
    }
    if (key.protocol == 47) key.src_port = key.dst_port = 0;
    return key;
  }

  Wire Packet(const Key& key) {
    Wire wire;
    wire.key = key;
    if (key.protocol == npf::kProtocolTcp) {
      FillTcp(wire);
    } else if (key.protocol == npf::kProtocolSctp) {
      FillSctp(wire);
    } else if (wire.IsIcmp()) {
      static constexpr Icmp kTypes[] = {Icmp::kRequest, Icmp::kReply, Icmp::kTimestamp};
      wire.icmp = script_.Pick(kTypes);
      if (wire.icmp == Icmp::kTimestamp) wire.key.src_port = wire.key.dst_port = 0;
      if (wire.icmp != Icmp::kTimestamp) wire.key.dst_port = wire.key.src_port;
    }
    return wire;
  }

  // An edge of what the side may send, or a byte or two beside it; or far from all of them.
  uint32_t Near(const std::vector<int64_t>& edges) {
    const size_t choice = script_.Byte();
    if (choice >= 250 || edges.empty()) return uint32_t{script_.Short()} << 16;
    const int64_t beside = static_cast<int64_t>(choice / 9 % 5) - 2;
    return static_cast<uint32_t>(edges[choice % edges.size()] + (choice < 45 ? 0 : beside));
  }

  void FillTcp(Wire& wire) {
    using enum npf::simulator::TcpFlag;
    static constexpr uint8_t kFlags[] = {kSyn,        kSyn | kAck, kAck, kAck | kPush,
                                         kFin | kAck, kRst | kAck, kRst, kAck};
    static constexpr uint32_t kData[] = {0, 0, 1, 100, 1460, 60'000};
    static constexpr uint16_t kWindows[] = {1000, 0, 1, 0x7fff, 0xffff};
    wire.flags = script_.Pick(kFlags);
    const size_t sizes = script_.Byte();
    wire.data = kData[sizes % std::size(kData)];
    wire.window = kWindows[sizes / 8 % std::size(kWindows)];
    if (wire.Has(kSyn) && sizes >= 128) wire.scale = static_cast<int>(script_.Below(16));
    const Connection* const known = model_.Find(wire.key);
    std::vector<int64_t> sent, received;
    if (known != nullptr) {
      const size_t side = known->first == wire.key ? 0 : 1;
      sent = npf::simulator::EdgesOf(*known, side);
      received = npf::simulator::EdgesOf(*known, 1 - side);
    }
    wire.sequence = Near(sent);
    if (sizes % 2 == 1) wire.sequence -= wire.data;  // it is the end that stands there
    if (wire.Has(kAck)) wire.acknowledgement = Near(received);
  }

  void FillSctp(Wire& wire) {
    using namespace npf::simulator;
    static constexpr Chunk kChunks[] = {kInit,      kInitAck, kCookieEcho,       kData,
                                        kCookieAck, kAbort,   kShutdownComplete, kError};
    wire.chunk = script_.Pick(kChunks);
    const size_t choice = script_.Byte();
    wire.reflected = choice >= 192;
    wire.initiate_tag = static_cast<uint32_t>(1 + choice % 5);
    std::vector<uint32_t> tags = {static_cast<uint32_t>(1 + choice % 7)};
    if (const Connection* const known = model_.Find(wire.key); known != nullptr) {
      for (const SctpEnd& end : known->sctp) {
        for (const auto& tag : {end.tag, end.coming}) {
          if (tag.has_value()) tags.push_back(*tag);
        }
      }
    }
    wire.tag = wire.chunk == kInit ? 0 : tags[choice / 8 % tags.size()];
    if (choice % 61 == 60) wire.tag = wire.chunk == kInit ? 1 : 0;
  }

  // About a packet that was seen, or about one beside it.
  Wire Error() {
    Wire quoted = Seen();
    quoted.vlan = 0;
    if (quoted.quoted != nullptr) quoted.quoted = nullptr;
    const size_t choice = script_.Byte();
    if (choice >= 128) quoted.key = quoted.key.Reversed();
    if (choice % 8 == 7) quoted.tag = 1 + static_cast<uint32_t>(choice / 8 % 7);
    if (const Connection* const known = model_.Find(quoted.key); known != nullptr) {
      const size_t side = known->first == quoted.key ? 0 : 1;
      if (choice % 4 == 1) quoted.sequence = Near(npf::simulator::EdgesOf(*known, side));
    }
    Wire wire;
    wire.key = {.family = quoted.key.family,
                .protocol = quoted.key.family == 4 ? npf::kProtocolIcmp : npf::kProtocolIcmpv6,
                .src = quoted.key.dst,
                .dst = quoted.key.src};
    if (choice % 16 == 15) std::swap(wire.key.src, wire.key.dst);
    if (wire.key.src == wire.key.dst) wire.key.src = static_cast<uint8_t>(wire.key.dst ^ 1);
    wire.icmp = Icmp::kError;
    wire.quoted = std::make_shared<const Wire>(std::move(quoted));
    return wire;
  }

  // Of few datagrams, so that parts meet; a first one holds its transport header.
  Wire Piece() {
    Wire wire = Seen();
    if (wire.icmp == Icmp::kError) wire = Packet(NewKey());
    if (one_fragment_source_) MoveToOneSource(wire.key);
    const size_t where = script_.Byte();
    const size_t length = script_.Byte();
    wire.data = std::max(wire.data, uint32_t{200});
    const uint32_t begin = where % 8 < 3 ? 0 : static_cast<uint32_t>(where % 8 + 2) * 8;
    const auto units = static_cast<uint32_t>((begin == 0 ? 5 : 1) + length % 4);
    const bool more = begin == 0 || length < 192;
    const auto odd = static_cast<uint32_t>(more ? 0 : length / 4 % 8);
    wire.part = Part{.begin = begin,
                     .end = begin + units * 8 - odd,
                     .more = more,
                     .id = static_cast<uint16_t>(where / 8 % (one_fragment_source_ ? 16 : 2))};
    const bool init =
        wire.key.protocol == npf::kProtocolSctp && wire.chunk == npf::simulator::kInit;
    if (init && begin == 0) wire.part->end = npf::simulator::TransportHeaderBytes(wire);
    wire.vlan = where >= 192 ? 7 : 0;
    return wire;
  }

  static void MoveToOneSource(Key& key) {
    key.family = 4;
    key.src = 2;
    if (key.dst == 2) key.dst = 1;
    if (key.protocol == npf::kProtocolIcmpv6) key.protocol = npf::kProtocolIcmp;
  }

  Script& script_;
  const Model& model_;
  bool one_fragment_source_;
  std::array<Wire, 8> seen_;  // the last ones
  size_t begun_ = 0;
};

class Clock {
 public:
  explicit Clock(Script& script) : script_(script), now_ns_(script.Byte() >= 128 ? kLateNs : 1) {}

  uint64_t now_ns() const { return now_ns_; }
  // To where something expires, or a nanosecond beside it; for as long as nobody outlives; back.
  void Pass(const Model& model) {
    static constexpr uint64_t kPauses[] = {1,   5,    30,   60,       120,       240,
                                           300, 3600, 7440, 5 * 3600, 20 * 86400};
    const size_t choice = script_.Byte();
    const std::vector<uint64_t> expiries = model.Expiries();
    if (choice >= 128 && !expiries.empty()) {
      now_ns_ = std::max(now_ns_, expiries[choice % expiries.size()] + choice / 8 % 3 - 1);
    } else if (choice == 127) {
      now_ns_ -= std::min(now_ns_ - 1, kSecondNs);
    } else if (choice >= 64) {
      now_ns_ += script_.Pick(kPauses) * kSecondNs;
    } else {
      now_ns_ += (choice + 1) * (uint64_t{1} << 22);
    }
  }

 private:
  static constexpr uint64_t kLateNs = uint64_t{1} << 61;
  Script& script_;
  uint64_t now_ns_;
};

void Check(const std::string& difference) {
  if (!difference.empty()) std::fputs(difference.c_str(), stderr);
  Expect(difference.empty(), "the engine does what its model does");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Policies& policies = *new Policies();
  enum : size_t { kPause, kProgram, kEnd };  // of a batch
  Script script({data, size});
  const Setup setup = MakeSetup(script);
  Clock clock(script);
  Contest contest(policies, setup);
  Sender sender(script, contest.model(), setup.options.datagrams_max < 512);
  size_t packets = 0;
  std::optional<size_t> program;
  while (!script.ended() && packets < kPacketsMax) {
    contest.Begin(clock.now_ns(), program);
    program.reset();
    size_t kind = kEnd;
    for (size_t count = 0; count < kBatchMax && !script.ended(); ++count, ++packets) {
      kind = script.Byte() % 16;
      if (kind < Sender::kFirstKind) break;
      contest.Add(sender.Next(kind));
    }
    Check(contest.End());
    if (kind == kPause) clock.Pass(contest.model());
    if (kind == kProgram) program = script.Below(Policies::kPrograms);
  }
  return 0;
}
