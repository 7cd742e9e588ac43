// explain's arguments: ends, ports and protocols, and pods by name.
#include "npf/question.h"

#include <string>

#include "gtest/gtest.h"

namespace npf::tools {
namespace {

QuestionText Parse(const std::string& dst) {
  const auto parsed = ParseQuestion("a/b", dst);
  EXPECT_TRUE(parsed.ok()) << dst << ": " << parsed.status();
  return parsed.ok() ? *parsed : QuestionText{};
}

TEST(QuestionTest, EndsPortsAndProtocols) {
  struct Case {
    const char* text;
    const char* dst;
    int protocol;
    int port;  // -1: none
  };
  const Case cases[] = {
      {"10.0.0.1", "10.0.0.1", 255, -1},
      {"10.0.0.1:80", "10.0.0.1", 6, 80},
      {"10.0.0.1:53/UDP", "10.0.0.1", 17, 53},
      {"ns/pod", "ns/pod", 255, -1},
      {"ns/pod:0", "ns/pod", 6, 0},
      {"ns/pod:5000/sctp", "ns/pod", 132, 5000},
      {"ns/pod:ICMP", "ns/pod", 1, -1},
      {"ns/pod:/47", "ns/pod", 47, -1},
      {"fd00::1", "fd00::1", 255, -1},
      {"[fd00::1]", "fd00::1", 255, -1},
      {"[fd00::1]:443", "fd00::1", 6, 443},
      {"[fd00::1]:ICMPv6/128", "fd00::1", 58, -1},
  };
  for (const Case& c : cases) {
    const QuestionText text = Parse(c.text);
    EXPECT_EQ(text.dst, c.dst) << c.text;
    EXPECT_EQ(text.protocol.number, c.protocol) << c.text;
    EXPECT_EQ(text.port_given ? text.port : -1, c.port) << c.text;
  }
  EXPECT_EQ(*Parse("x:ICMP/8").protocol.icmp_type, 8);
}

TEST(QuestionTest, WhatIsRefused) {
  for (const char* dst : {"x:", "x:65536", "x:80/ICMP", "x:80/", "x:TCP", "x:http", "x:/", "x:-1",
                          "x:80/TCP/2", "x:ICMP/256"}) {
    EXPECT_FALSE(ParseQuestion("a", dst).ok()) << dst;
  }
}

Snapshot TwoPods() {
  SnapshotBuilder builder;
  Pod both;
  both.ns = "shop";
  both.name = "both";
  both.ips = {"10.0.0.1", "fd00::1"};
  builder.Add(both);
  Pod none;
  none.ns = "shop";
  none.name = "none";
  builder.Add(none);
  Diagnostics diagnostics;
  return *builder.Build(diagnostics);
}

TEST(QuestionTest, FamiliesAreMatched) {
  const Snapshot snapshot = TwoPods();
  const auto ask = [&](const char* src, const char* dst, bool prefer_v6) {
    return ResolveQuestion(*ParseQuestion(src, dst), snapshot, "shop", prefer_v6);
  };
  EXPECT_EQ(ToString(ask("shop/both", "8.8.8.8:53", false)->src), "10.0.0.1");
  EXPECT_EQ(ToString(ask("shop/both", "2001:db8::8", false)->src), "fd00::1");
  EXPECT_EQ(ToString(ask("both", "both", false)->dst), "10.0.0.1");
  EXPECT_EQ(ToString(ask("both", "both", true)->dst), "fd00::1");
  EXPECT_FALSE(ask("10.0.0.1", "fd00::1", false).ok());
  EXPECT_FALSE(ask("shop/none", "10.0.0.1", false).ok());
  EXPECT_FALSE(ask("shop/nobody", "10.0.0.1", false).ok());
  EXPECT_FALSE(ask("other/both", "10.0.0.1", false).ok());
}

}  // namespace
}  // namespace npf::tools
