// What packets prove of delivery, and what they only seem to.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gaps/packet_watch.h"
#include "unit/packet_builder.h"

namespace npf::gaps {
namespace {

using testing::Bytes;
using testing::operator+;

constexpr uint64_t kMs = 1'000'000;
constexpr char kClient[] = "10.0.0.1";
constexpr char kServer[] = "10.0.0.2";
constexpr char kNode[] = "10.9.0.1";
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kRst = 0x04;
constexpr uint8_t kAck = 0x10;
// Places of captures: next to the server, or nowhere near.
constexpr size_t kFabric = 0;
constexpr size_t kServersNode = 1;
constexpr size_t kServersPod = 2;

// Packets as they come, and what they came to.
class Story {
 public:
  explicit Story(size_t place = kFabric, size_t connections_max = 100)
      : place_(place),
        watch_(
            connections_max,
            [](size_t where, const IpAddress& address, uint64_t) {
              if (ToString(address) != kServer) return Nearness::kElsewhere;
              return where == kServersNode  ? Nearness::kNode
                     : where == kServersPod ? Nearness::kPod
                                            : Nearness::kElsewhere;
            },
            [this](const Seen& seen) { seen_.push_back(seen); }) {}

  Story& At(uint64_t time_ms) {
    time_ms_ = time_ms;
    return *this;
  }
  Story& From(size_t place) {
    place_ = place;
    return *this;
  }
  Story& Raw(const std::string& src, const std::string& dst, uint8_t protocol,
             const Bytes& payload) {
    const bool v6 = src.find(':') != std::string::npos;
    const Bytes packet =
        v6 ? testing::Packet(testing::Ipv6{.src = src, .dst = dst, .next = protocol}, payload)
           : testing::Packet(testing::Ipv4{.src = src, .dst = dst, .protocol = protocol}, payload);
    const PacketView view{.data = packet.data(),
                          .length = static_cast<uint32_t>(packet.size()),
                          .wire_length = static_cast<uint32_t>(packet.size())};
    const ParseOptions options{.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore};
    watch_.Add(view, ParsePacket(view, options), time_ms_ * kMs, place_);
    time_ms_ += 1;
    return *this;
  }
  // From the client's port 40000 to the server's port 80.
  Story& Client(uint8_t flags, uint32_t sequence, uint32_t ack = 0, size_t bytes = 0) {
    return Raw(
        kClient, kServer, kProtocolTcp,
        testing::Segment(
            {.flags = flags, .data_bytes = bytes, .sequence = sequence, .acknowledgement = ack}));
  }
  Story& Server(uint8_t flags, uint32_t sequence, uint32_t ack = 0, size_t bytes = 0) {
    return Raw(kServer, kClient, kProtocolTcp,
               testing::Segment({.src_port = 80,
                                 .dst_port = 40000,
                                 .flags = flags,
                                 .data_bytes = bytes,
                                 .sequence = sequence,
                                 .acknowledgement = ack}));
  }
  // "handshake 3/1 10.0.0.1>10.0.0.2:80": packets, of which replies; "by_ports", "unknown" behind
  // it where the direction is not seen. Several in order of their beginning.
  std::string Ends() {
    watch_.Finish();
    std::stable_sort(seen_.begin(), seen_.end(),
                     [](const Seen& a, const Seen& b) { return a.first_ns < b.first_ns; });
    std::string text;
    for (const Seen& seen : seen_) {
      if (!text.empty()) text += "; ";
      text += std::string(Name(seen.evidence)) + " " + std::to_string(seen.packets) + "/" +
              std::to_string(seen.replies) + " " + ToString(SourceOf(seen.key)) + ">" +
              ToString(DestinationOf(seen.key));
      if (seen.has_ports) text += ":" + std::to_string(seen.key.dst_port);
      if (seen.opener == Opener::kByPorts) text += " by_ports";
      if (seen.opener == Opener::kUnknown) text += " unknown";
    }
    return text;
  }
  const WatchCounts counts() const { return watch_.counts(); }

 private:
  size_t place_;
  uint64_t time_ms_ = 1'000'000;
  std::vector<Seen> seen_;
  PacketWatch watch_;
};

TEST(GapsEvidence, AHandshakeProves) {
  Story story;
  story.Client(kSyn, 100).Server(kSyn | kAck, 500, 101).Client(kAck, 101, 501);
  EXPECT_EQ(story.Ends(), "handshake 3/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, AnAnswerProvesThoughWhatComesLaterIsDenied) {
  Story story;
  story.Client(kSyn, 100).Server(kSyn | kAck, 500, 101).At(1'001'000).Server(kSyn | kAck, 500, 101);
  EXPECT_EQ(story.Ends(), "answered 3/2 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, ASynAckForAnotherSynProvesNothing) {
  Story story;
  story.Client(kSyn, 100).Server(kSyn | kAck, 500, 77);
  EXPECT_EQ(story.Ends(), "unseen 2/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, NumbersWrapAround) {
  Story story;
  story.Client(kSyn, 0xffffffff).Server(kSyn | kAck, 0xffffffff, 0).Client(kAck, 0, 0);
  EXPECT_EQ(story.Ends(), "handshake 3/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, WhatALoneSynSaysDependsOnThePlace) {
  EXPECT_EQ(Story(kFabric).Client(kSyn, 100).Ends(), "unseen 1/0 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(Story(kServersNode).Client(kSyn, 100).Ends(), "arrived 1/0 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(Story(kServersPod).Client(kSyn, 100).Ends(), "arrived 1/0 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, RetransmissionsUnansweredSuggestADrop) {
  Story node(kServersNode);
  node.Client(kSyn, 100).At(1'001'000).Client(kSyn, 100).At(1'003'000).Client(kSyn, 100);
  EXPECT_EQ(node.Ends(), "retransmitted 3/0 10.0.0.1>10.0.0.2:80");
  // At the pod itself it arrived each time.
  Story pod(kServersPod);
  pod.Client(kSyn, 100).At(1'001'000).Client(kSyn, 100);
  EXPECT_EQ(pod.Ends(), "arrived 2/0 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, OnePacketSeenTwiceIsNoRetransmission) {
  Story same;
  same.Client(kSyn, 100).Client(kSyn, 100);
  EXPECT_EQ(same.Ends(), "unseen 2/0 10.0.0.1>10.0.0.2:80");
  // By a clock that is late by a second.
  Story two;
  two.From(kFabric).Client(kSyn, 100).At(1'001'000).From(kServersNode).Client(kSyn, 100);
  EXPECT_EQ(two.Ends(), "arrived 2/0 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, ARetransmissionThatIsAnsweredProves) {
  Story story;
  story.Client(kSyn, 100).At(1'001'000).Client(kSyn, 100).Server(kSyn | kAck, 5, 101);
  EXPECT_EQ(story.Ends(), "answered 3/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, ARstProvesOnlyWhereItLeavesThePod) {
  EXPECT_EQ(Story(kFabric).Client(kSyn, 100).Server(kRst | kAck, 0, 101).Ends(),
            "reset 2/1 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(Story(kServersNode).Client(kSyn, 100).Server(kRst | kAck, 0, 101).Ends(),
            "reset 2/1 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(Story(kServersPod).Client(kSyn, 100).Server(kRst | kAck, 0, 101).Ends(),
            "refused 2/1 10.0.0.1>10.0.0.2:80");
  // Of another connection, or of none.
  EXPECT_EQ(Story(kServersPod).Client(kSyn, 100).Server(kRst | kAck, 0, 99).Ends(),
            "arrived 2/1 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(Story(kServersPod).Server(kRst | kAck, 0, 99).Ends(), "");
}

TEST(GapsEvidence, PortsThatAreUsedAgainAreAnotherConnection) {
  Story story;
  story.Client(kSyn, 100).Server(kSyn | kAck, 500, 101).Client(kAck, 101, 501);
  // What the first connection still sends is no answer to the second SYN.
  story.At(1'002'000).Client(kSyn, 9'000).Server(kAck, 501, 101, 10);
  EXPECT_EQ(story.Ends(), "handshake 3/1 10.0.0.1>10.0.0.2:80; unseen 2/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, TheAnswerMayBeSeenFirst) {
  Story story;
  story.Server(kSyn | kAck, 500, 101).Client(kSyn, 100).Client(kAck, 101, 501);
  EXPECT_EQ(story.Ends(), "handshake 3/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, WhereOnlyOneDirectionIsSeen) {
  EXPECT_EQ(Story().Client(kSyn, 100).Client(kAck, 101, 501).Client(kAck, 101, 501, 9).Ends(),
            "acknowledged 3/0 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(Story().Server(kSyn | kAck, 500, 101).Server(kAck, 501, 110, 9).Ends(),
            "answer_only 2/2 10.0.0.1>10.0.0.2:80");
  // Its SYN-ACK was lost on the way to the capture.
  EXPECT_EQ(Story().Client(kSyn, 100).Client(kAck, 101, 501, 9).Server(kAck, 501, 110).Ends(),
            "answered 3/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, FromTheMiddle) {
  EXPECT_EQ(Story().Client(kAck, 1000, 5000, 10).Server(kAck, 5000, 1010, 20).Ends(),
            "both_ways 2/1 10.0.0.1>10.0.0.2:80 by_ports");
  // The server is seen first; ports tell who opened.
  EXPECT_EQ(Story().Server(kAck, 5000, 1000, 20).Client(kAck, 1000, 5020).Ends(),
            "both_ways 2/1 10.0.0.1>10.0.0.2:80 by_ports");
  EXPECT_EQ(Story().Client(kAck, 1000, 5000, 10).Ends(),
            "midstream 1/0 10.0.0.1>10.0.0.2:80 by_ports");
  // It acknowledges what the client did not send.
  EXPECT_EQ(Story().Client(kAck, 1000, 5000, 10).Server(kAck, 5000, 2000).Ends(),
            "midstream 2/1 10.0.0.1>10.0.0.2:80 by_ports");
}

TEST(GapsEvidence, Datagrams) {
  const auto udp = [](Story& story, uint16_t from, uint16_t to, bool reply = false) -> Story& {
    return story.Raw(reply ? kServer : kClient, reply ? kClient : kServer, kProtocolUdp,
                     testing::Udp(from, to));
  };
  Story answered;
  udp(udp(answered, 40000, 53), 53, 40000, true);
  EXPECT_EQ(answered.Ends(), "reply 2/1 10.0.0.1>10.0.0.2:53 by_ports");
  Story other_port;
  udp(udp(other_port, 40000, 53), 53, 40001, true);
  EXPECT_EQ(
      other_port.Ends(),
      "unseen 1/0 10.0.0.1>10.0.0.2:53 by_ports; answer_only 1/1 10.0.0.1>10.0.0.2:53 by_ports");
  Story unknown;
  udp(udp(unknown, 51820, 51820), 51820, 51820, true);
  EXPECT_EQ(unknown.Ends(), "reply 2/1 10.0.0.1>10.0.0.2:51820 unknown");
  // Idle for longer than anybody remembers it.
  Story idle;
  udp(idle, 40000, 53).At(1'200'000);
  udp(idle, 40000, 53);
  EXPECT_EQ(idle.Ends(),
            "unseen 1/0 10.0.0.1>10.0.0.2:53 by_ports; unseen 1/0 10.0.0.1>10.0.0.2:53 by_ports");
}

TEST(GapsEvidence, Echoes) {
  const auto echo = [](Story& story, uint8_t type, uint16_t id) -> Story& {
    const bool reply = type == 0;
    return story.Raw(reply ? kServer : kClient, reply ? kClient : kServer, kProtocolIcmp,
                     testing::Icmp(type, 0, id));
  };
  Story answered;
  EXPECT_EQ(echo(echo(answered, 8, 7), 0, 7).Ends(), "reply 2/1 10.0.0.1>10.0.0.2");
  Story other;
  EXPECT_EQ(echo(echo(other, 8, 7), 0, 8).Ends(),
            "unseen 1/0 10.0.0.1>10.0.0.2; answer_only 1/1 10.0.0.1>10.0.0.2");
  Story again;
  EXPECT_EQ(echo(echo(again, 8, 7).At(1'001'000), 8, 7).Ends(),
            "retransmitted 2/0 10.0.0.1>10.0.0.2");
}

TEST(GapsEvidence, Sctp) {
  const auto chunk = [](uint32_t tag, uint8_t type, uint32_t initiate, bool reply) {
    const auto u32 = [](uint32_t number) {
      return testing::U16(number >> 16) + testing::U16(number & 0xffff);
    };
    return testing::U16(reply ? 80 : 40000) + testing::U16(reply ? 40000 : 80) + u32(tag) +
           testing::Zeros(4) + Bytes{type, 0, 0, 20} + u32(initiate) + testing::Zeros(12);
  };
  const auto talk = [&](uint32_t answer_tag, uint8_t answer, size_t place) {
    return Story(place)
        .Raw(kClient, kServer, kProtocolSctp, chunk(0, 1, 0x51, false))
        .Raw(kServer, kClient, kProtocolSctp, chunk(answer_tag, answer, 0x62, true))
        .Ends();
  };
  EXPECT_EQ(talk(0x51, 2, kFabric), "reply 2/1 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(talk(0x50, 2, kFabric), "unseen 2/1 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(talk(0x51, 6, kFabric), "reset 2/1 10.0.0.1>10.0.0.2:80");
  EXPECT_EQ(talk(0x51, 6, kServersPod), "refused 2/1 10.0.0.1>10.0.0.2:80");
}

TEST(GapsEvidence, IcmpErrors) {
  const Bytes quoted =
      testing::Packet(testing::Ipv4{.src = kClient, .dst = kServer, .protocol = kProtocolUdp},
                      testing::Udp(40000, 5353));
  const auto told = [&](const std::string& by, uint8_t code, size_t place) {
    return Story(place)
        .Raw(kClient, kServer, kProtocolUdp, testing::Udp(40000, 5353))
        .Raw(by, kClient, kProtocolIcmp, testing::Icmp(3, code, 0, quoted))
        .Ends();
  };
  const std::string rest = " 2/1 10.0.0.1>10.0.0.2:5353 by_ports";
  // Port unreachable by the pod itself; in its name, seen elsewhere; and by somebody on the way.
  EXPECT_EQ(told(kServer, 3, kServersPod), "refused" + rest);
  EXPECT_EQ(told(kServer, 3, kServersNode), "reset" + rest);
  EXPECT_EQ(told(kNode, 3, kServersNode), "rejected" + rest);
  // Administratively prohibited, whoever says it.
  EXPECT_EQ(told(kServer, 13, kServersNode), "rejected" + rest);
  // About nothing that was seen.
  Story stray;
  stray.Raw(kServer, kClient, kProtocolIcmp, testing::Icmp(3, 3, 0, quoted));
  EXPECT_EQ(stray.Ends(), "");
  EXPECT_EQ(stray.counts().stray, 1u);
}

TEST(GapsEvidence, IcmpErrorsOfIpv6) {
  const std::string client = "fd00::1";
  const std::string server = "fd00::2";
  const Bytes segment = testing::Segment({.sequence = 100});
  const Bytes quoted = testing::Packet(testing::Ipv6{.src = client, .dst = server}, segment);
  const auto told = [&](uint8_t code) {
    return Story()
        .Raw(client, server, kProtocolTcp, segment)
        .Raw(server, client, kProtocolIcmpv6, testing::Icmp(1, code, 0, quoted))
        .Ends();
  };
  EXPECT_EQ(told(1), "rejected 2/1 fd00::1>fd00::2:80");
  EXPECT_EQ(told(4), "reset 2/1 fd00::1>fd00::2:80");
}

TEST(GapsEvidence, ConnectionsAreBoundedAndTheRestCounted) {
  Story story(kFabric, 2);
  for (uint16_t port = 1; port <= 5; ++port) {
    story.Raw(kClient, kServer, kProtocolTcp, testing::Segment({.dst_port = port}));
  }
  EXPECT_EQ(story.counts().left_out, 3u);
  // Those that are idle make room.
  story.At(1'200'000).Raw(kClient, kServer, kProtocolTcp, testing::Segment({.dst_port = 9}));
  EXPECT_EQ(story.counts().left_out, 3u);
  EXPECT_EQ(story.Ends(),
            "unseen 1/0 10.0.0.1>10.0.0.2:1; unseen 1/0 10.0.0.1>10.0.0.2:2; unseen 1/0 "
            "10.0.0.1>10.0.0.2:9");
}

TEST(GapsEvidence, GradesFollowEvidence) {
  EXPECT_EQ(GradeOf(Evidence::kUnseen), Grade::kNothing);
  EXPECT_EQ(GradeOf(Evidence::kRetransmitted), Grade::kDropped);
  EXPECT_EQ(GradeOf(Evidence::kLogDropped), Grade::kDropped);
  EXPECT_EQ(GradeOf(Evidence::kArrived), Grade::kSuggested);
  EXPECT_EQ(GradeOf(Evidence::kReset), Grade::kSuggested);
  EXPECT_EQ(GradeOf(Evidence::kForwarded), Grade::kSuggested);
  EXPECT_EQ(GradeOf(Evidence::kRefused), Grade::kProven);
  EXPECT_EQ(GradeOf(Evidence::kLogReply), Grade::kProven);
}

}  // namespace
}  // namespace npf::gaps
