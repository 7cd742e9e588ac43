// Connections of TCP, segment by segment.
#include "conntrack/tcp.h"

#include <gtest/gtest.h>

#include <cstring>

namespace npf::conntrack {
namespace {

enum : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kAck = 16 };

struct Segment {
  uint8_t flags = kAck;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint32_t bytes = 0;
  uint16_t window = 1000;
  uint8_t scale = kNoTcpWindowScale;
  bool fragment = false;  // the first one
};

ParsedPacket Packet(const Segment& segment) {
  ParsedPacket packet;
  packet.tcp_flags = segment.flags;
  packet.tcp_sequence = segment.sequence;
  packet.tcp_acknowledgement = segment.acknowledgement;
  packet.tcp_length = segment.bytes + ((segment.flags & (kSyn | kFin)) != 0 ? 1 : 0);
  packet.tcp_window = segment.window;
  packet.tcp_window_scale = segment.scale;
  packet.fragment = segment.fragment;
  return packet;
}

// Side 0 begins at 100 and side 1 at 900; both offer 1,000 bytes, unless told otherwise.
class Connection {
 public:
  explicit Connection(const Segment& first = {.flags = kSyn, .sequence = 100}, size_t side = 0) {
    flow_.protocol = kProtocolTcp;
    BeginTcp(flow_, side, Packet(first));
  }
  static Connection Open(uint16_t window = 1000, uint8_t scale0 = kNoTcpWindowScale,
                         uint8_t scale1 = kNoTcpWindowScale, uint32_t first = 100) {
    Connection connection({.flags = kSyn, .sequence = first, .window = window, .scale = scale0});
    EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck,
                                  .sequence = 900,
                                  .acknowledgement = first + 1,
                                  .window = window,
                                  .scale = scale1}),
              Step::kGoesOn);
    EXPECT_EQ(connection.From(0, {.sequence = first + 1, .acknowledgement = 901, .window = window}),
              Step::kGoesOn);
    EXPECT_EQ(connection.state(), FlowState::kEstablished);
    return connection;
  }
  Step From(size_t side, const Segment& segment) { return FollowTcp(flow_, side, Packet(segment)); }
  FlowState state() const { return flow_.state; }
  const Flow& flow() const { return flow_; }

 private:
  Flow flow_{};
};

TEST(TcpTest, AHandshakeHasThreeSteps) {
  Connection connection;
  EXPECT_EQ(connection.state(), FlowState::kOpening);
  EXPECT_EQ(connection.From(0, {.flags = kSyn, .sequence = 100}), Step::kGoesOn);  // again
  EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .sequence = 900, .acknowledgement = 101}),
            Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kAnswered);
  EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .sequence = 900, .acknowledgement = 101}),
            Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kAnswered);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901}), Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kEstablished);
}

// A71: who has not seen the answer cannot make the connection last.
TEST(TcpTest, AConfirmationAcknowledgesTheAnswer) {
  Connection connection({.flags = kSyn, .sequence = 100, .window = 0xffff, .scale = 14});
  connection.From(1, {.flags = kSyn | kAck, .sequence = 900, .acknowledgement = 101, .scale = 14});
  for (const uint32_t guess : {0u, 899u, 900u, 902u, 0x80000000u}) {
    EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = guess}), Step::kOutOfWindow);
    EXPECT_EQ(connection.state(), FlowState::kAnswered);
  }
}

TEST(TcpTest, AnAnswerAcknowledgesTheSyn) {
  for (const uint32_t wrong : {0u, 100u, 102u, 0x80000065u}) {
    Connection connection;
    EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .acknowledgement = wrong}),
              Step::kOutOfWindow);
    EXPECT_EQ(connection.state(), FlowState::kOpening);
  }
  // Data on a SYN may be acknowledged or not (RFC 7413; A64).
  for (const uint32_t right : {101u, 150u, 201u}) {
    Connection connection({.flags = kSyn, .sequence = 100, .bytes = 100});
    EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .acknowledgement = right}), Step::kGoesOn);
  }
}

// RFC 7413, 4.2.2: where the answer is lost, the SYN comes again without data.
TEST(TcpTest, ASynMayLoseItsData) {
  Connection connection({.flags = kSyn, .sequence = 100, .bytes = 100});
  EXPECT_EQ(connection.From(0, {.flags = kSyn, .sequence = 100}), Step::kGoesOn);
  EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .acknowledgement = 202}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .acknowledgement = 201}), Step::kGoesOn);
}

// A73: where one direction only passes by, it stays so.
TEST(TcpTest, NothingComesBeforeTheAnswer) {
  Connection connection;
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 1}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(0, {.flags = kSyn | kAck, .sequence = 100}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(1, {.sequence = 7, .acknowledgement = 5, .bytes = 1}),
            Step::kOutOfWindow);
  // The receiver has an old connection, and asks (RFC 5961, 4).
  EXPECT_EQ(connection.From(1, {.sequence = 7, .acknowledgement = 5}), Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.flags = kRst, .sequence = 5}), Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kOpening);
}

TEST(TcpTest, ARefusalAcknowledgesTheSyn) {
  Connection connection;
  EXPECT_EQ(connection.From(1, {.flags = kRst, .sequence = 101}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(1, {.flags = kRst | kAck, .acknowledgement = 100}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(1, {.flags = kRst | kAck, .acknowledgement = 102}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(1, {.flags = kRst | kAck, .acknowledgement = 101}), Step::kEnds);
}

// RFC 9293, 3.5, figure 7; A67.
TEST(TcpTest, BothMayOpenAtOnce) {
  Connection connection;
  EXPECT_EQ(connection.From(1, {.flags = kSyn, .sequence = 900}), Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kAnswered);
  EXPECT_EQ(connection.From(1, {.flags = kSyn | kAck, .sequence = 900, .acknowledgement = 101}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.flags = kSyn | kAck, .sequence = 100, .acknowledgement = 901}),
            Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kEstablished);
}

TEST(TcpTest, DataEndsInTheWindow) {
  Connection connection = Connection::Open();
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1001}),
            Step::kOutOfWindow);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1000}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 1101, .acknowledgement = 901, .bytes = 1}),
            Step::kOutOfWindow);
  EXPECT_EQ(connection.From(1, {.sequence = 901, .acknowledgement = 1101}), Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 1101, .acknowledgement = 901, .bytes = 1}),
            Step::kGoesOn);
}

TEST(TcpTest, DataBeginsOneWindowBackAtMost) {
  Connection connection = Connection::Open();
  connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1000});
  connection.From(1, {.sequence = 901, .acknowledgement = 1101});
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 10}),
            Step::kGoesOn);  // sent again
  EXPECT_EQ(connection.From(0, {.sequence = 1100, .acknowledgement = 901}),
            Step::kGoesOn);  // "are you there?"
  EXPECT_EQ(connection.From(0, {.sequence = 100, .acknowledgement = 901}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(0, {.sequence = 100 + 0x80000000, .acknowledgement = 901}),
            Step::kOutOfWindow);
}

// RFC 7413: the data of a SYN may be more than the window that is offered then; A64.
TEST(TcpTest, DataOfASynAreSentAgain) {
  Connection connection({.flags = kSyn, .sequence = 100, .bytes = 500});
  connection.From(1, {.flags = kSyn | kAck, .acknowledgement = 101, .window = 10});
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 1, .bytes = 10}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 90, .acknowledgement = 1, .bytes = 10}),
            Step::kOutOfWindow);
}

// RFC 5961, 5.2.
TEST(TcpTest, AcknowledgementsAreOfWhatWasSent) {
  Connection connection = Connection::Open();
  connection.From(1, {.sequence = 901, .acknowledgement = 101, .bytes = 1000});
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 1902}), Step::kOutOfWindow);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 1901}), Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901}), Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 900}), Step::kOutOfWindow);
}

// Acknowledgements pass, and are lost behind us.
TEST(TcpTest, WhatWasAcknowledgedMayComeAgain) {
  Connection connection = Connection::Open();
  connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 500});
  connection.From(1, {.sequence = 901, .acknowledgement = 601});
  connection.From(0, {.sequence = 601, .acknowledgement = 901, .bytes = 1, .fragment = true});
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1000}),
            Step::kGoesOn);
}

// Its first fragment does not say how long it is, and the others have no header.
TEST(TcpTest, ASegmentInFragmentsIsAcknowledgedWhole) {
  Connection connection = Connection::Open(4000);
  EXPECT_EQ(connection.From(
                0, {.sequence = 101, .acknowledgement = 901, .bytes = 1480, .fragment = true}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(1, {.sequence = 901, .acknowledgement = 101 + 3000}), Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 101 + 3000, .acknowledgement = 901, .bytes = 1000}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(1, {.flags = kRst, .sequence = 901}), Step::kEnds);
}

// RFC 7323: where both have said so; and a SYN's own window is not scaled. A70.
TEST(TcpTest, WindowsAreScaled) {
  const auto fits = [](uint8_t scale0, uint8_t scale1, uint32_t bytes) {
    Connection connection = Connection::Open(0xffff, scale0, scale1);
    return connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = bytes}) ==
           Step::kGoesOn;
  };
  EXPECT_TRUE(fits(kNoTcpWindowScale, kNoTcpWindowScale, 0xffff));
  EXPECT_FALSE(fits(kNoTcpWindowScale, kNoTcpWindowScale, 0x10000));
  EXPECT_FALSE(fits(kNoTcpWindowScale, 7, 0x10000));
  EXPECT_FALSE(fits(7, kNoTcpWindowScale, 0x10000));
  // Of side 1, only the SYN's window is known yet.
  EXPECT_TRUE(fits(7, 0, 0xffff));
  EXPECT_FALSE(fits(0, 7, 0x10001));
  Connection connection = Connection::Open(0xffff, 0, 7);
  connection.From(1, {.sequence = 901, .acknowledgement = 101, .window = 0xffff});
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 0xffff << 7}),
            Step::kGoesOn);
  EXPECT_EQ(
      connection.From(0, {.sequence = 101 + (0xffff << 7), .acknowledgement = 901, .bytes = 1}),
      Step::kOutOfWindow);
}

// An offer that the other side does not take up leaves the window as it is.
TEST(TcpTest, WithoutAScaleTheWindowIsExact) {
  Connection connection = Connection::Open(1000, kNoTcpWindowScale, 14);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1001}),
            Step::kOutOfWindow);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1000}),
            Step::kGoesOn);
}

TEST(TcpTest, AWindowThatIsClosedIsProbed) {
  Connection connection = Connection::Open(0);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 1}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 2}),
            Step::kOutOfWindow);
}

TEST(TcpTest, SequenceNumbersWrap) {
  Connection connection = Connection::Open(1000, kNoTcpWindowScale, kNoTcpWindowScale, 0xfffffff0);
  EXPECT_EQ(connection.From(0, {.sequence = 0xfffffff1, .acknowledgement = 901, .bytes = 100}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(1, {.sequence = 901, .acknowledgement = 0x55}), Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 0x55, .acknowledgement = 901, .bytes = 1000}),
            Step::kGoesOn);
  EXPECT_EQ(connection.From(0, {.sequence = 0xfffffc00, .acknowledgement = 901, .bytes = 1}),
            Step::kOutOfWindow);
}

// A69: its receiver asks whether it is meant.
TEST(TcpTest, ASynIntoAConnectionChangesNothing) {
  Connection connection = Connection::Open();
  const Flow before = connection.flow();
  for (const size_t side : {0, 1}) {
    for (const uint32_t sequence : {100u, 500u, 0x70000000u}) {
      EXPECT_EQ(connection.From(side, {.flags = kSyn, .sequence = sequence}), Step::kGoesOn);
    }
  }
  EXPECT_EQ(std::memcmp(&before, &connection.flow(), sizeof before), 0);
}

// RFC 5961, 3; A65, A66.
TEST(TcpTest, OnlyAnExactRstEnds) {
  for (const size_t side : {0, 1}) {
    Connection connection = Connection::Open();
    connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 50});
    const uint32_t exact = side == 0 ? 151 : 901;
    for (const uint32_t near : {exact + 1, exact - 1, exact + 900, exact - 900}) {
      EXPECT_EQ(connection.From(side, {.flags = kRst, .sequence = near}), Step::kGoesOn);
    }
    for (const uint32_t far : {exact + 1001, exact - 1051, exact + 0x80000000}) {
      EXPECT_EQ(connection.From(side, {.flags = kRst, .sequence = far}), Step::kOutOfWindow);
    }
    EXPECT_EQ(connection.From(side, {.flags = kRst, .sequence = exact}), Step::kEnds);
  }
  // At what was acknowledged last, where data were lost.
  Connection connection = Connection::Open();
  connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 50});
  EXPECT_EQ(connection.From(0, {.flags = kRst, .sequence = 101}), Step::kEnds);
}

TEST(TcpTest, BothEndsEndIt) {
  for (const size_t first : {0, 1}) {
    Connection connection = Connection::Open();
    const size_t second = 1 - first;
    const uint32_t next[] = {101, 901};
    const Segment fin{
        .flags = kFin | kAck, .sequence = next[first], .acknowledgement = next[second]};
    EXPECT_EQ(connection.From(first, fin), Step::kGoesOn);
    EXPECT_EQ(connection.state(), first == 0 ? FlowState::kEndedFirst : FlowState::kEndedOther);
    EXPECT_EQ(connection.From(first, fin), Step::kGoesOn);  // sent again
    EXPECT_EQ(connection.state(), first == 0 ? FlowState::kEndedFirst : FlowState::kEndedOther);
    EXPECT_EQ(connection.From(second, {.flags = kFin | kAck,
                                       .sequence = next[second],
                                       .acknowledgement = next[first] + 1}),
              Step::kGoesOn);
    EXPECT_EQ(connection.state(), FlowState::kClosed);
    EXPECT_EQ(
        connection.From(first, {.sequence = next[first] + 1, .acknowledgement = next[second] + 1}),
        Step::kGoesOn);
    EXPECT_EQ(connection.state(), FlowState::kClosed);
  }
}

// RFC 9293, 3.10.4; as servers do that answer the data of a SYN (RFC 7413).
TEST(TcpTest, AnEndMayComeBeforeTheConfirmation) {
  Connection connection({.flags = kSyn, .sequence = 100, .bytes = 10});
  connection.From(1, {.flags = kSyn | kAck, .sequence = 900, .acknowledgement = 111});
  EXPECT_EQ(connection.From(
                1, {.flags = kFin | kAck, .sequence = 901, .acknowledgement = 111, .bytes = 5}),
            Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kAnsweredEnded);
  EXPECT_TRUE(IsOpening(connection.state()));
  EXPECT_EQ(connection.From(0, {.sequence = 111, .acknowledgement = 907}), Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kEndedOther);
  EXPECT_EQ(connection.From(0, {.flags = kFin | kAck, .sequence = 111, .acknowledgement = 907}),
            Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kClosed);
}

TEST(TcpTest, AForgedFinEndsNothing) {
  Connection connection = Connection::Open();
  EXPECT_EQ(connection.From(0, {.flags = kFin | kAck, .sequence = 5000, .acknowledgement = 901}),
            Step::kOutOfWindow);
  EXPECT_EQ(connection.state(), FlowState::kEstablished);
}

// Of what is taken up in the middle, scales are not known: any may be.
TEST(TcpTest, TakenUpInTheMiddle) {
  for (const size_t side : {0, 1}) {
    Connection connection({.sequence = 5000, .acknowledgement = 77, .bytes = 10}, side);
    EXPECT_EQ(connection.state(), FlowState::kMidstream);
    EXPECT_EQ(connection.From(side, {.sequence = 5010, .acknowledgement = 77, .bytes = 10}),
              Step::kGoesOn);
    EXPECT_EQ(connection.From(1 - side, {.flags = kRst, .sequence = 3}), Step::kGoesOn);
    EXPECT_EQ(connection.state(), FlowState::kMidstream);
    EXPECT_EQ(connection.From(1 - side, {.sequence = 77, .acknowledgement = 6000}), Step::kGoesOn);
    EXPECT_EQ(connection.state(), FlowState::kEstablished);
    EXPECT_EQ(connection.From(side, {.sequence = 6000, .acknowledgement = 77, .bytes = 1000 << 14}),
              Step::kGoesOn);
    EXPECT_EQ(connection.From(1 - side, {.flags = kRst, .sequence = 77}), Step::kEnds);
  }
}

// Whoever forges what is heard first cannot keep the other side's numbers from being known.
TEST(TcpTest, NumbersInTheMiddleAreWithinAWindow) {
  for (const uint32_t far : {0x40000001u, 0x80000000u, 0xffffff00u}) {
    Connection connection({.sequence = 5000, .acknowledgement = 77});
    EXPECT_EQ(connection.From(1, {.sequence = 77, .acknowledgement = 5000 - far}), Step::kGoesOn);
    EXPECT_FALSE(HasInFlight(connection.flow(), 0, 5000 - far + 1));
    EXPECT_EQ(connection.From(0, {.sequence = 5000 - far, .acknowledgement = 77, .bytes = 10}),
              Step::kGoesOn);
    EXPECT_TRUE(HasInFlight(connection.flow(), 0, 5000 - far + 10));
  }
}

// What it acknowledges was acknowledged before; and a handshake has nothing to say in the middle.
TEST(TcpTest, ASynAckInTheMiddleChangesNothing) {
  Connection connection({.sequence = 5000, .acknowledgement = 77, .bytes = 10});
  for (const uint32_t acknowledgement : {5000u, 5010u, 77u}) {
    EXPECT_EQ(connection.From(
                  1, {.flags = kSyn | kAck, .sequence = 76, .acknowledgement = acknowledgement}),
              Step::kGoesOn);
  }
  EXPECT_EQ(connection.state(), FlowState::kMidstream);
  EXPECT_EQ(connection.From(1, {.sequence = 77, .acknowledgement = 5010}), Step::kGoesOn);
  EXPECT_EQ(connection.state(), FlowState::kEstablished);
}

// RFC 5927, 4: between what was acknowledged last, less 64 KiB, and what was sent last.
TEST(TcpTest, WhatAnErrorMayQuoteIsUnderWay) {
  Connection connection = Connection::Open(0xffff);
  connection.From(0, {.sequence = 101, .acknowledgement = 901, .bytes = 50'000});
  connection.From(1, {.sequence = 901, .acknowledgement = 40'101, .window = 0xffff});
  const Flow& flow = connection.flow();
  EXPECT_TRUE(HasInFlight(flow, 0, 50'101));
  EXPECT_FALSE(HasInFlight(flow, 0, 50'102));
  EXPECT_TRUE(HasInFlight(flow, 0, 40'101u - 65'536));
  EXPECT_FALSE(HasInFlight(flow, 0, 40'101u - 65'537));
  EXPECT_TRUE(HasInFlight(flow, 1, 901));
  EXPECT_FALSE(HasInFlight(flow, 1, 902));
  const Connection opening;
  EXPECT_TRUE(HasInFlight(opening.flow(), 0, 100));
  EXPECT_FALSE(HasInFlight(opening.flow(), 0, 102));
  EXPECT_TRUE(HasInFlight(opening.flow(), 1, 12'345)) << "it has not been heard";
}

}  // namespace
}  // namespace npf::conntrack
