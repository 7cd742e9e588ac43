// Associations of SCTP, packet by packet.
#include "conntrack/sctp.h"

#include <gtest/gtest.h>

namespace npf::conntrack {
namespace {

enum Chunk : uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kAbort = 6,
  kCookieEcho = 10,
  kShutdownComplete = 14
};

ParsedPacket Packet(uint8_t chunk, uint32_t tag, uint32_t initiate_tag = 0, uint8_t flags = 0) {
  ParsedPacket packet;
  packet.sctp_known = true;
  packet.sctp_chunk = chunk;
  packet.sctp_chunk_flags = flags;
  packet.sctp_tag = tag;
  packet.sctp_initiate_tag = initiate_tag;
  return packet;
}

// Side 0 wants to see tag 10, side 1 tag 20.
Flow Begun() {
  Flow flow{};
  BeginSctp(flow, 0, Packet(kInit, 0, 10));
  return flow;
}

Flow Open() {
  Flow flow = Begun();
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kInitAck, 10, 20)), Step::kGoesOn);
  EXPECT_EQ(flow.state, FlowState::kAnswered);
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kCookieEcho, 20)), Step::kGoesOn);
  EXPECT_EQ(flow.state, FlowState::kEstablished);
  return flow;
}

TEST(SctpTest, EachSideSeesItsOwnTag) {
  Flow flow = Open();
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kData, 20)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 10)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kData, 10)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 20)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 11)), Step::kWrongTag);
}

TEST(SctpTest, NothingComesBeforeTheAnswer) {
  Flow flow = Begun();
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kData, 20)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kInitAck, 11, 20)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 11)), Step::kWrongTag);
  EXPECT_EQ(flow.state, FlowState::kOpening);
  // Sent again, with another tag.
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kInit, 0, 12)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kInitAck, 10, 20)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kInitAck, 12, 20)), Step::kGoesOn);
}

// RFC 9260, 8.5.1; A80.
TEST(SctpTest, AnEndBearsTheReceiversTagOrItsOwnReflected) {
  for (const uint8_t chunk : {kAbort, kShutdownComplete}) {
    Flow flow = Open();
    EXPECT_EQ(FollowSctp(flow, 0, Packet(chunk, 10)), Step::kWrongTag);
    EXPECT_EQ(FollowSctp(flow, 0, Packet(chunk, 20, 0, 1)), Step::kWrongTag);
    EXPECT_EQ(FollowSctp(flow, 0, Packet(chunk, 20)), Step::kEnds);
    EXPECT_EQ(FollowSctp(flow, 0, Packet(chunk, 10, 0, 1)), Step::kEnds);
    EXPECT_EQ(FollowSctp(flow, 1, Packet(chunk, 10)), Step::kEnds);
  }
  Flow refused = Begun();
  EXPECT_EQ(FollowSctp(refused, 1, Packet(kAbort, 9)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(refused, 0, Packet(kAbort, 20)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(refused, 1, Packet(kAbort, 10)), Step::kEnds);
}

// RFC 9260, 8.4: whoever refuses to begin anew says so, and the association stays as it is.
TEST(SctpTest, ANewBeginningMayBeRefused) {
  Flow flow = Open();
  FollowSctp(flow, 0, Packet(kInit, 0, 30));
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kAbort, 31)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kShutdownComplete, 30)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kAbort, 30)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 10)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kAbort, 10)), Step::kEnds);
}

// RFC 9260, 5.2: an end that has lost its state begins anew, and the old tags hold until it is
// done.
TEST(SctpTest, AnEndBeginsAnew) {
  for (const size_t side : {0, 1}) {
    const size_t other = 1 - side;
    const uint32_t tag[] = {10, 20};
    Flow flow = Open();
    EXPECT_EQ(FollowSctp(flow, side, Packet(kInit, 0, 30)), Step::kGoesOn);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kData, 40)), Step::kWrongTag);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kCookieEcho, 40)), Step::kWrongTag);
    EXPECT_EQ(FollowSctp(flow, other, Packet(kInitAck, 31, 40)), Step::kWrongTag);
    EXPECT_EQ(FollowSctp(flow, other, Packet(kInitAck, 30, 40)), Step::kGoesOn);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kData, tag[other])), Step::kGoesOn);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kCookieEcho, 41)), Step::kWrongTag);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kCookieEcho, 40)), Step::kGoesOn);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kData, 40)), Step::kGoesOn);
    EXPECT_EQ(FollowSctp(flow, other, Packet(kData, 30)), Step::kGoesOn);
    EXPECT_EQ(FollowSctp(flow, side, Packet(kData, tag[other])), Step::kWrongTag);
  }
}

// A lost INIT ACK: the INIT comes again, and is answered with another tag.
TEST(SctpTest, ASecondHandshakeEstablishesWhatTheFirstDidNot) {
  Flow flow = Begun();
  FollowSctp(flow, 1, Packet(kInitAck, 10, 20));
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kInit, 0, 10)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kInitAck, 10, 21)), Step::kGoesOn);
  EXPECT_EQ(flow.state, FlowState::kAnswered);
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kCookieEcho, 21)), Step::kGoesOn);
  EXPECT_EQ(flow.state, FlowState::kEstablished);
}

TEST(SctpTest, AHandshakeInTheMiddleTellsBothTags) {
  Flow flow{};
  BeginSctp(flow, 0, Packet(kData, 20));
  FollowSctp(flow, 0, Packet(kInit, 0, 30));
  FollowSctp(flow, 1, Packet(kInitAck, 30, 40));
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kCookieEcho, 40)), Step::kGoesOn);
  EXPECT_EQ(flow.state, FlowState::kEstablished);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 31)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 30)), Step::kGoesOn);
}

TEST(SctpTest, TakenUpInTheMiddle) {
  Flow flow{};
  BeginSctp(flow, 1, Packet(kData, 10));
  EXPECT_EQ(flow.state, FlowState::kMidstream);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 11)), Step::kWrongTag);
  EXPECT_EQ(FollowSctp(flow, 1, Packet(kData, 10)), Step::kGoesOn);
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kAbort, 99)), Step::kGoesOn) << "nobody knows";
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kData, 20)), Step::kGoesOn);
  EXPECT_EQ(flow.state, FlowState::kEstablished);
  EXPECT_EQ(FollowSctp(flow, 0, Packet(kData, 21)), Step::kWrongTag);
}

// Of a packet whose tags were not captured, nothing is certain.
TEST(SctpTest, WhatWasNotCapturedChangesNothing) {
  Flow flow{};
  BeginSctp(flow, 0, {});
  EXPECT_EQ(flow.state, FlowState::kMidstream);
  EXPECT_EQ(FollowSctp(flow, 1, {}), Step::kGoesOn);
  EXPECT_EQ(flow.heard, 0);
}

TEST(SctpTest, WhatAnErrorMayQuoteBearsTheTag) {
  const Flow flow = Open();
  EXPECT_TRUE(BearsTag(flow, 0, 20));
  EXPECT_TRUE(BearsTag(flow, 0, 0)) << "an INIT";
  EXPECT_FALSE(BearsTag(flow, 0, 10));
  EXPECT_TRUE(BearsTag(Begun(), 0, 12'345));
  Flow anew = Open();
  FollowSctp(anew, 0, Packet(kInit, 0, 30));
  EXPECT_TRUE(BearsTag(anew, 1, 30)) << "an INIT ACK";
  EXPECT_TRUE(BearsTag(anew, 1, 10));
  EXPECT_FALSE(BearsTag(anew, 1, 31));
}

}  // namespace
}  // namespace npf::conntrack
