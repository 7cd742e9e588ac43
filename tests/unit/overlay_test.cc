// Sets of overlays: what is refused, and which endpoints and identifiers are in one.
#include "npf/overlay.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/tunnel_builder.h"

namespace npf::testing {
namespace {

std::string FaultsOf(const std::vector<OverlaySpec>& specs) {
  return std::string(Overlays::Make(specs).status().message());
}

IpPrefix Prefix(const std::string& text) { return ParseIpPrefix(text).prefix; }

bool Connects(const Overlays& overlays, const std::string& src, const std::string& dst) {
  const FlowKey outer = MakeFlowKey(*ParseIpAddress(src), *ParseIpAddress(dst), kProtocolUdp, 4789);
  return overlays.Connecting(1, outer) == 1;
}

TEST(OverlaysTest, EveryFaultIsTold) {
  OverlaySpec gre = Spec(OverlayKind::kGre, {{9, 3}});
  gre.port = 9;
  gre.critical_options = {{1, 0x80}};
  OverlaySpec ipip = Spec(OverlayKind::kIpip, {{1, 1}});
  ipip.endpoints.clear();
  EXPECT_EQ(FaultsOf({gre, ipip}),
            "overlay 1 (gre): has no port\n"
            "overlay 1 (gre): identifiers 9-3 end before they begin\n"
            "overlay 1 (gre): has no options\n"
            "overlay 2 (ipip): needs endpoints\n"
            "overlay 2 (ipip): has no identifiers");
}

TEST(OverlaysTest, WhatIsRefused) {
  EXPECT_EQ(FaultsOf({Spec(OverlayKind::kVxlan, {{0, 1 << 24}})}),
            "overlay 1 (vxlan): identifiers 0-16777216 go beyond 16777215");
  EXPECT_EQ(FaultsOf({Spec(OverlayKind::kGre, {{0, UINT32_MAX}})}), "");
  OverlaySpec geneve = Spec(OverlayKind::kGeneve);
  geneve.port = 4789;
  EXPECT_EQ(FaultsOf({Spec(OverlayKind::kVxlan), geneve}),
            "overlay 2 (geneve): port 4789 is that of overlay 1, which is of another kind");
  geneve.port = 0;
  geneve.critical_options = {{0x0102, 0x7f}};
  EXPECT_EQ(
      FaultsOf({geneve}),
      "overlay 1 (geneve): an option of a type below 128 is not critical, and needs no mention");
  geneve.critical_options.assign(5, {0x0102, 0x80});
  EXPECT_EQ(FaultsOf({geneve}), "overlay 1 (geneve): has 5 critical options; at most 4");
  OverlaySpec many = Spec(OverlayKind::kVxlan, {1025, IdentifierRange{1, 1}});
  many.endpoints.assign(4097, Prefix("10.0.0.0/8"));
  EXPECT_EQ(FaultsOf({many}),
            "overlay 1 (vxlan): has 4097 endpoints; at most 4096\n"
            "overlay 1 (vxlan): has 1025 ranges of identifiers; at most 1024");
  EXPECT_EQ(FaultsOf(std::vector<OverlaySpec>(9, Spec(OverlayKind::kIpip))),
            "overlay 9 (ipip): is one too many; at most 8 overlays");
  EXPECT_EQ(FaultsOf(std::vector<OverlaySpec>(8, Spec(OverlayKind::kIpip))), "");
  EXPECT_EQ(FaultsOf({}), "");
}

TEST(OverlaysTest, EndpointsOfBothFamiliesUpToTheirEdges) {
  OverlaySpec spec;
  // One within another, two that touch, and one that is a single address.
  spec.endpoints = {Prefix("192.168.1.0/24"), Prefix("192.168.0.0/24"), Prefix("192.168.0.16/28"),
                    Prefix("10.9.8.7/32"),    Prefix("fd00:1::/64"),    Prefix("fd00:3::1/128")};
  const Overlays overlays = Of({spec});
  for (const char* in : {"192.168.0.0", "192.168.0.31", "192.168.0.255", "192.168.1.0",
                         "192.168.1.255", "10.9.8.7"}) {
    EXPECT_TRUE(Connects(overlays, in, "192.168.0.9")) << in;
    EXPECT_TRUE(Connects(overlays, "192.168.0.9", in)) << in;
  }
  for (const char* out :
       {"192.167.255.255", "192.168.2.0", "10.9.8.6", "10.9.8.8", "0.0.0.0", "255.255.255.255"}) {
    EXPECT_FALSE(Connects(overlays, out, "192.168.0.9")) << out;
    EXPECT_FALSE(Connects(overlays, "192.168.0.9", out)) << out;
  }
  for (const char* in : {"fd00:1::", "fd00:1::ffff:ffff:ffff:ffff", "fd00:3::1"}) {
    EXPECT_TRUE(Connects(overlays, in, "fd00:1::9")) << in;
  }
  for (const char* out : {"fd00:0:ffff:ffff:ffff:ffff:ffff:ffff",
                          "fd00:1:0:1::", "fd00:3::", "fd00:3::2", "::192.168.0.9"}) {
    EXPECT_FALSE(Connects(overlays, out, "fd00:1::9")) << out;
  }
}

TEST(OverlaysTest, IdentifiersUpToTheirEdges) {
  const Overlays overlays =
      Of({Spec(OverlayKind::kVxlan, {{9, 9}, {1, 3}, {3, 5}}), Spec(OverlayKind::kVxlan)});
  for (const uint32_t in : {1, 3, 4, 5, 9}) EXPECT_TRUE(overlays.HasIdentifier(0, in)) << in;
  for (const uint32_t out : {0, 6, 8, 10, 0xffffff}) {
    EXPECT_FALSE(overlays.HasIdentifier(0, out)) << out;
    EXPECT_TRUE(overlays.HasIdentifier(1, out)) << out;
  }
  EXPECT_TRUE(overlays.HasIdentifiers(0));
  EXPECT_FALSE(overlays.HasIdentifiers(1));
}

TEST(OverlaysTest, WhichOnesSpeak) {
  OverlaySpec flannel = Spec(OverlayKind::kVxlan);
  flannel.port = 8472;
  const Overlays overlays =
      Of({Spec(OverlayKind::kVxlan), flannel, Spec(OverlayKind::kGeneve), Spec(OverlayKind::kGre),
          Spec(OverlayKind::kIpip), Spec(OverlayKind::k6in4)});
  EXPECT_EQ(overlays.Speaking(kProtocolUdp, 4789), 1u);
  EXPECT_EQ(overlays.Speaking(kProtocolUdp, 8472), 2u);
  EXPECT_EQ(overlays.Speaking(kProtocolUdp, 6081), 4u);
  EXPECT_EQ(overlays.Speaking(kProtocolUdp, 0), 0u);
  EXPECT_EQ(overlays.Speaking(kProtocolTcp, 4789), 0u);
  EXPECT_EQ(overlays.Speaking(47, 0), 8u);
  EXPECT_EQ(overlays.Speaking(4, 0), 16u);
  EXPECT_EQ(overlays.Speaking(41, 0), 32u);
  EXPECT_EQ(overlays.SpeakingOnAnyPort(kProtocolUdp), 7u);
  EXPECT_EQ(overlays.size(), 6u);
  EXPECT_EQ(Name(overlays.kind(5)), "6in4");
}

}  // namespace
}  // namespace npf::testing
