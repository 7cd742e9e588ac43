// Struct to message and back, by comparing the messages of both.
#include "proto/convert.h"

#include <gtest/gtest.h>

#include "control/fixture.h"

namespace npf::control {
namespace {

template <typename Message, typename Struct>
std::string Bytes(const Struct& value) {
  Message message;
  ToMessage(value, message);
  return message.SerializeAsString();
}

template <typename Message, typename Struct>
auto ThereAndBack(const Struct& value) {
  Message message;
  ToMessage(value, message);
  return FromMessage(message);
}

TEST(ConvertTest, EveryStructComesBack) {
  const Status status = TestStatus();
  EXPECT_EQ(Bytes<v1::Status>(ThereAndBack<v1::Status>(status)), Bytes<v1::Status>(status));
  const PolicyCount count{.policy = "a/b", .tier = "Admin", .allowed = true, .packets = 9};
  EXPECT_EQ(Bytes<v1::PolicyCount>(ThereAndBack<v1::PolicyCount>(count)),
            Bytes<v1::PolicyCount>(count));
  const ExplainResult explained{.allowed = true, .generation = 3, .text = "t", .json = "{}"};
  EXPECT_EQ(Bytes<v1::ExplainResponse>(ThereAndBack<v1::ExplainResponse>(explained)),
            Bytes<v1::ExplainResponse>(explained));
  const LoadResult loaded{2, "hash", 3, 4, 5, {"w"}};
  EXPECT_EQ(Bytes<v1::LoadResponse>(ThereAndBack<v1::LoadResponse>(loaded)),
            Bytes<v1::LoadResponse>(loaded));
  EXPECT_EQ(Bytes<v1::Connection>(*ThereAndBack<v1::Connection>(TestConnection())),
            Bytes<v1::Connection>(TestConnection()));
  EXPECT_EQ(Bytes<v1::WatchDeniedResponse>(*ThereAndBack<v1::WatchDeniedResponse>(TestDenied())),
            Bytes<v1::WatchDeniedResponse>(TestDenied()));
}

TEST(ConvertTest, MembersOfStatusAreTheirOwn) {
  const Status back = ThereAndBack<v1::Status>(TestStatus());
  EXPECT_EQ(back.generation, 7u);
  EXPECT_EQ(back.program_bytes, 4096u);
  EXPECT_EQ(back.flows_max, 1000u);
  EXPECT_EQ(back.busy, (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(back.unconfirmed->left_ns, 5'000'000'000u);
  EXPECT_EQ(back.ports[1].not_sent, 3u);
  EXPECT_EQ(back.reasons[1].reason, "no_rule");
  EXPECT_FALSE(ThereAndBack<v1::Status>(Status()).unconfirmed.has_value());
}

TEST(ConvertTest, VisibilityIsOneOfThreeWords) {
  for (const char* word : {"here", "partly", "not visible"}) {
    const PodVisibility pod{.pod = "a/b", .enforced = word, .why = "w"};
    EXPECT_EQ(ThereAndBack<v1::PodVisibility>(pod).enforced, word);
  }
  v1::PodVisibility unknown;
  unknown.set_enforced(static_cast<v1::Enforced>(99));
  EXPECT_EQ(FromMessage(unknown).enforced, "");
}

// What a packet that is malformed has.
TEST(ConvertTest, DeniedPacketWithoutAddresses) {
  DeniedPacket denied = TestDenied();
  denied.key = FlowKey{};
  EXPECT_EQ(ThereAndBack<v1::WatchDeniedResponse>(denied)->key.family, 0);
}

TEST(ConvertTest, B51UnknownFieldsOfALoadAreRefused) {
  v1::LoadRequest request;
  request.mutable_objects()->set_text("x");
  EXPECT_TRUE(FromMessage(request).ok());
  v1::LoadRequest outer = request;
  outer.GetReflection()->MutableUnknownFields(&outer)->AddVarint(99, 1);
  EXPECT_EQ(FromMessage(outer).status().code(), absl::StatusCode::kInvalidArgument);
  auto& objects = *request.mutable_objects();
  objects.GetReflection()->MutableUnknownFields(&objects)->AddVarint(99, 1);
  EXPECT_EQ(FromMessage(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ConvertTest, B52WhatAFieldCannotMeanIsRefused) {
  v1::FlowKey good;
  ToMessage(TestKey(), good);
  ASSERT_TRUE(FromMessage(good).ok());
  v1::FlowKey bad = good;
  bad.set_dst_port(65536);
  EXPECT_EQ(FromMessage(bad).status().message(), "key.dst_port: 65536 is not a port; 0 to 65535");
  bad = good;
  bad.set_protocol(256);
  EXPECT_FALSE(FromMessage(bad).ok());
  bad = good;
  bad.set_src("10.0.0.1/8");
  EXPECT_FALSE(FromMessage(bad).ok());
  bad = good;
  bad.set_src("fd00::1");
  EXPECT_FALSE(FromMessage(bad).ok());
  v1::LoadRequest both;
  EXPECT_FALSE(FromMessage(both).ok());
  both.mutable_objects()->set_text("x");
  both.mutable_objects()->add_paths("/y");
  EXPECT_FALSE(FromMessage(both).ok());
}

}  // namespace
}  // namespace npf::control
