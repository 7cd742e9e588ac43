// A small world in which it is known what was delivered: whatever captures see of it, what is told
// as proven was.
//
//   client ── point 0 ── point 1 ── enforcer ── point 2 (node) ── point 3 (pod) ── server
//
// Packets are lost, captures miss some, their clocks differ, ports are used again; the enforcer
// lets pass, drops, drops answers, or rejects in the server's name.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "gaps/packet_watch.h"
#include "testing/random.h"
#include "unit/packet_builder.h"

namespace npf::gaps {
namespace {

using testing::Bytes;
using testing::Random;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kBetweenMs = 30'000;
constexpr uint64_t kClocksMs = 2'000;  // and more than that they never differ
constexpr uint64_t kTriesMs = 3'000;   // from the first SYN to the last
const std::string kFrom = "10.0.0.1";
const std::string kTo = "10.0.0.2";
const std::string kBetween = "10.9.0.1";
constexpr uint8_t kFlagSyn = 0x02;
constexpr uint8_t kFlagRst = 0x04;
constexpr uint8_t kFlagAck = 0x10;

enum class Mode : uint8_t { kOpen, kDrop, kDropAnswers, kReset, kUnreachable, kProhibited };

struct Attempt {
  uint64_t start_ms = 0;
  uint8_t protocol = 0;
  uint16_t src_port = 0;  // of ICMP: the identifier
  uint16_t dst_port = 0;
  Mode mode = Mode::kOpen;
  bool delivered = false;  // anything of the client's
  bool answered = false;   // and the answer came back
};

struct Captured {
  uint64_t time_ns;
  size_t point;
  Bytes bytes;
};

class World {
 public:
  explicit World(uint64_t seed) : random_(seed), lossy_(random_.Chance(60)) {
    for (size_t point = 0; point < skew_ms_.size(); ++point) {
      captured_[point] = !lossy_ || random_.Chance(60);
      skew_ms_[point] = lossy_ ? random_.Below(kClocksMs / 2) : 0;
    }
    for (size_t i = 0; i < 20; ++i) Try(1'000'000 + i * kBetweenMs);
    std::stable_sort(packets_.begin(), packets_.end(),
                     [](const Captured& a, const Captured& b) { return a.time_ns < b.time_ns; });
  }
  const std::vector<Attempt>& attempts() const { return attempts_; }
  bool lossy() const { return lossy_; }

  std::vector<Seen> Watch() const {
    std::vector<Seen> seen;
    PacketWatch watch(
        1000,
        [](size_t point, const IpAddress& address, uint64_t) {
          if (ToString(address) != kTo || point < 2) return Nearness::kElsewhere;
          return point == 2 ? Nearness::kNode : Nearness::kPod;
        },
        [&](const Seen& one) { seen.push_back(one); });
    for (const Captured& packet : packets_) {
      const PacketView view{.data = packet.bytes.data(),
                            .length = static_cast<uint32_t>(packet.bytes.size()),
                            .wire_length = static_cast<uint32_t>(packet.bytes.size())};
      const ParseOptions options{.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore};
      watch.Add(view, ParsePacket(view, options), packet.time_ns, packet.point);
    }
    watch.Finish();
    return seen;
  }

 private:
  static Bytes Ip(const std::string& src, const std::string& dst, uint8_t protocol,
                  const Bytes& payload) {
    return testing::Packet(testing::Ipv4{.src = src, .dst = dst, .protocol = protocol}, payload);
  }
  void See(size_t point, uint64_t time_ms, const Bytes& bytes) {
    if (!captured_[point] || (lossy_ && random_.Chance(15))) return;
    packets_.push_back({(time_ms + skew_ms_[point]) * kMillisecond, point, bytes});
  }
  bool Lost() { return lossy_ && random_.Chance(5); }
  // What the enforcer says in place of the packet.
  void Reject(uint64_t time_ms, const Bytes& packet, uint32_t sequence) {
    Bytes told;
    if (now_->mode == Mode::kReset && now_->protocol == kProtocolTcp) {
      told = Ip(kTo, kFrom, kProtocolTcp,
                testing::Segment({.src_port = now_->dst_port,
                                  .dst_port = now_->src_port,
                                  .flags = kFlagRst | kFlagAck,
                                  .acknowledgement = sequence + 1}));
    } else if (now_->mode == Mode::kUnreachable || now_->mode == Mode::kProhibited) {
      const uint8_t code = now_->mode == Mode::kUnreachable ? 3 : 13;
      told = Ip(random_.Chance(50) ? kTo : kBetween, kFrom, kProtocolIcmp,
                testing::Icmp(3, code, 0, packet));
    } else {
      return;
    }
    See(1, time_ms, told);
    See(0, time_ms + 1, told);
  }
  bool ToServer(uint64_t time_ms, const Bytes& packet, uint32_t sequence = 0) {
    See(0, time_ms, packet);
    if (Lost()) return false;
    See(1, time_ms + 1, packet);
    const bool passes = now_->mode == Mode::kOpen || now_->mode == Mode::kDropAnswers;
    if (!passes) Reject(time_ms + 2, packet, sequence);
    if (!passes || Lost()) return false;
    See(2, time_ms + 3, packet);
    See(3, time_ms + 4, packet);
    now_->delivered = true;
    return true;
  }
  bool ToClient(uint64_t time_ms, const Bytes& packet) {
    See(3, time_ms, packet);
    See(2, time_ms + 1, packet);
    if (now_->mode == Mode::kDropAnswers || Lost()) return false;
    See(1, time_ms + 2, packet);
    See(0, time_ms + 3, packet);
    return true;
  }

  void Try(uint64_t start_ms) {
    static const std::vector<uint8_t> kProtocols = {kProtocolTcp, kProtocolTcp, kProtocolTcp,
                                                    kProtocolUdp, kProtocolIcmp};
    attempts_.push_back({.start_ms = start_ms,
                         .protocol = random_.Pick(kProtocols),
                         .src_port = static_cast<uint16_t>(40000 + random_.Below(2)),
                         .dst_port = static_cast<uint16_t>(80 + random_.Below(2)),
                         .mode = static_cast<Mode>(random_.Below(6))});
    now_ = &attempts_.back();
    if (now_->protocol == kProtocolTcp) return TryTcp();
    return now_->protocol == kProtocolUdp ? TryUdp() : TryEcho();
  }
  bool listens() const { return now_->dst_port == 80; }

  Bytes FromClient(uint8_t flags, uint32_t sequence, uint32_t ack, size_t bytes) const {
    return Ip(kFrom, kTo, kProtocolTcp,
              testing::Segment({.src_port = now_->src_port,
                                .dst_port = now_->dst_port,
                                .flags = flags,
                                .data_bytes = bytes,
                                .sequence = sequence,
                                .acknowledgement = ack}));
  }
  Bytes FromServer(uint8_t flags, uint32_t sequence, uint32_t ack, size_t bytes) const {
    return Ip(kTo, kFrom, kProtocolTcp,
              testing::Segment({.src_port = now_->dst_port,
                                .dst_port = now_->src_port,
                                .flags = flags,
                                .data_bytes = bytes,
                                .sequence = sequence,
                                .acknowledgement = ack}));
  }
  void TryTcp() {
    const auto isn = static_cast<uint32_t>(random_.Next());
    const auto other = static_cast<uint32_t>(random_.Next());
    const uint64_t start = now_->start_ms;
    for (const uint64_t later : {0, 1000, 3000}) {
      if (!ToServer(start + later, FromClient(kFlagSyn, isn, 0, 0), isn)) continue;
      if (!listens()) {
        if (ToClient(start + later + 5, FromServer(kFlagRst | kFlagAck, 0, isn + 1, 0))) return;
      } else if (ToClient(start + later + 5, FromServer(kFlagSyn | kFlagAck, other, isn + 1, 0))) {
        now_->answered = true;
        Talk(start + later + 10, isn + 1, other + 1);
        return;
      }
    }
  }
  void Talk(uint64_t time_ms, uint32_t own, uint32_t other) {
    ToServer(time_ms, FromClient(kFlagAck, own, other, 0));
    const bool asked = ToServer(time_ms + 1, FromClient(kFlagAck, own, other, 100));
    const Bytes data = FromServer(kFlagAck, other, own + (asked ? 100 : 0), 300);
    const bool told = asked && ToClient(time_ms + 10, data);
    if (told) ToServer(time_ms + 20, FromClient(kFlagAck, own + 100, other + 300, 0));
    // Once more, when the ports may be in use again.
    if (asked && random_.Chance(50)) ToClient(time_ms + kBetweenMs + random_.Below(3000), data);
  }
  void TryUdp() {
    const uint64_t start = now_->start_ms;
    const Bytes request =
        Ip(kFrom, kTo, kProtocolUdp, testing::Udp(now_->src_port, now_->dst_port));
    if (!ToServer(start, request)) return;
    if (!listens()) {
      ToClient(start + 5, Ip(kTo, kFrom, kProtocolIcmp, testing::Icmp(3, 3, 0, request)));
    } else if (ToClient(start + 5, Ip(kTo, kFrom, kProtocolUdp,
                                      testing::Udp(now_->dst_port, now_->src_port)))) {
      now_->answered = true;
    }
  }
  void TryEcho() {
    const uint64_t start = now_->start_ms;
    now_->dst_port = 0;
    if (!ToServer(start, Ip(kFrom, kTo, kProtocolIcmp, testing::Icmp(8, 0, now_->src_port))))
      return;
    now_->answered =
        ToClient(start + 5, Ip(kTo, kFrom, kProtocolIcmp, testing::Icmp(0, 0, now_->src_port)));
  }

  Random random_;
  bool lossy_;
  std::array<bool, 4> captured_{};
  std::array<uint64_t, 4> skew_ms_{};
  std::vector<Attempt> attempts_;
  Attempt* now_ = nullptr;
  std::vector<Captured> packets_;
};

bool SamePorts(const Seen& seen, const Attempt& attempt) {
  return seen.key.protocol == attempt.protocol && seen.key.src_port == attempt.src_port &&
         (!seen.has_ports || seen.key.dst_port == attempt.dst_port);
}

// Whether `seen` is about `attempt`, as far as clocks can tell; what was seen from the middle may
// be about an earlier one, which is told late.
bool IsAbout(const Seen& seen, const Attempt& attempt) {
  if (!SamePorts(seen, attempt)) return false;
  const uint64_t start_ns = attempt.start_ms * kMillisecond;
  const uint64_t slack_ns = (kClocksMs + kTriesMs) * kMillisecond;
  if (start_ns > seen.last_ns + slack_ns) return false;
  const bool middle = seen.opener != Opener::kSeen && seen.key.protocol == kProtocolTcp;
  return middle || start_ns + slack_ns >= seen.first_ns;
}

TEST(GapsWorld, WhatIsProvenWasDelivered) {
  const char* given = std::getenv("NPF_SEED");
  const uint64_t first = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
  size_t proven = 0;
  for (uint64_t seed = first; seed < first + 500; ++seed) {
    SCOPED_TRACE("NPF_SEED=" + std::to_string(seed));
    const World world(seed);
    const std::vector<Seen> all = world.Watch();
    for (const Seen& seen : all) {
      if (GradeOf(seen.evidence) != Grade::kProven) continue;
      ++proven;
      const bool delivered = std::any_of(
          world.attempts().begin(), world.attempts().end(),
          [&](const Attempt& attempt) { return attempt.delivered && IsAbout(seen, attempt); });
      EXPECT_TRUE(delivered) << Name(seen.evidence) << " " << int{seen.key.protocol} << " "
                             << seen.key.src_port << ">" << seen.key.dst_port << " at "
                             << seen.first_ns / kMillisecond << " to "
                             << seen.last_ns / kMillisecond;
    }
    if (world.lossy()) continue;
    for (const Attempt& attempt : world.attempts()) {
      if (!attempt.answered) continue;
      EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                              [&](const Seen& seen) {
                                return GradeOf(seen.evidence) == Grade::kProven &&
                                       IsAbout(seen, attempt);
                              }))
          << "answered, and not proven: " << int{attempt.protocol} << " " << attempt.src_port
          << " at " << attempt.start_ms;
    }
  }
  EXPECT_GT(proven, 500u);
}

}  // namespace
}  // namespace npf::gaps
