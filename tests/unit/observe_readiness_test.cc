// What makes an appliance not ready, and for how long.
#include "observe/readiness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace npf::observe {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// An appliance that runs well; each test changes one thing.
class ObserveReadiness : public testing::Test {
 protected:
  ObserveReadiness() {
    now_.now_ns = 1'000 * kSecond;
    now_.policy_active = true;
    now_.heartbeat_ns = {kSecond / 1'000, 0};
    now_.ports = {{.name = "wan", .peer = 1, .link_up = true},
                  {.name = "lan", .peer = 0, .link_up = true, .has_pods = true}};
  }

  // A second passes, with traffic both ways.
  std::vector<std::string> Step() {
    now_.now_ns += kSecond;
    for (PortSample& port : now_.ports) port.received += traffic_;
    now_.ports[1].from_pods += traffic_;
    return readiness_.Observe(now_);
  }
  std::vector<std::string> Steps(int seconds) {
    std::vector<std::string> reasons;
    for (int i = 0; i < seconds; ++i) reasons = Step();
    return reasons;
  }
  // Seconds until it is ready again.
  int SecondsUntilReady() {
    int seconds = 1;
    while (!Step().empty() && seconds < 10'000) ++seconds;
    return seconds;
  }

  Readiness readiness_;
  ReadinessSample now_;
  uint64_t traffic_ = 10;
};

bool Says(const std::vector<std::string>& reasons, std::string_view text) {
  return std::any_of(reasons.begin(), reasons.end(),
                     [&](const std::string& r) { return r.find(text) != std::string::npos; });
}

TEST_F(ObserveReadiness, NothingIsWrongWhereNothingIs) {
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(Step().empty());
  traffic_ = 0;
  EXPECT_TRUE(Steps(200).empty()) << "silence contradicts nothing";
}

TEST_F(ObserveReadiness, WithoutAPolicyItIsNotReady) {
  now_.policy_active = false;
  EXPECT_TRUE(Says(Step(), "no_policy: for 1 s"));
  EXPECT_TRUE(Says(Steps(9), "no_policy: for 9 s"));
  now_.policy_active = true;
  EXPECT_TRUE(Step().empty());
}

TEST_F(ObserveReadiness, WhereEverythingPassesItIsNotReady) {
  now_.failing_open = true;
  EXPECT_TRUE(Says(Step(), "fail_open: NO POLICY IS ENFORCED"));
  now_.failing_open = false;
  EXPECT_TRUE(Step().empty());
}

TEST_F(ObserveReadiness, ARefusedUpdateIsToldWithItsReasonAndAge) {
  now_.refusal = "policies.yaml:3: no such field";
  now_.refused_ns = 90 * kSecond;
  const auto reasons = Step();
  EXPECT_TRUE(Says(reasons, "refused 90 s ago")) << reasons.at(0);
  EXPECT_TRUE(Says(reasons, "policies.yaml:3: no such field"));
  now_.refusal.clear();
  EXPECT_TRUE(Step().empty());
}

TEST_F(ObserveReadiness, APortWithoutLink) {
  Steps(5);
  now_.ports[1].link_up = false;
  EXPECT_TRUE(Says(Step(), "link_down: port lan has had no link for 1 s"));
  EXPECT_TRUE(Says(Steps(30), "link_down: port lan has had no link for 30 s"));
  now_.ports[1].link_up = true;
  EXPECT_TRUE(Step().empty());
}

TEST_F(ObserveReadiness, AWorkerThatIsNotHeardOf) {
  now_.heartbeat_ns[1] = kSecond;
  EXPECT_TRUE(Step().empty());
  now_.heartbeat_ns[1] = 5 * kSecond;
  EXPECT_TRUE(Says(Step(), "worker 1 has not been heard of for 5 s"));
}

TEST_F(ObserveReadiness, PacketsOneWayOnly) {
  Steps(100);
  traffic_ = 0;
  std::vector<std::string> reasons;
  for (int i = 0; i < 70; ++i) {
    now_.ports[0].received += 10;
    reasons = Step();
    if (i == 50) {
      EXPECT_TRUE(reasons.empty()) << "replies may be late";
    }
  }
  EXPECT_TRUE(Says(reasons, "600 packets came in by port wan within 60 s, and none by port lan"))
      << testing::PrintToString(reasons);
  now_.ports[1].received += 1;
  EXPECT_TRUE(Step().empty());
}

TEST_F(ObserveReadiness, FewPacketsOneWayAndAPortWithoutPeerAreNothing) {
  traffic_ = 0;
  now_.ports[0].received += 5;
  EXPECT_TRUE(Steps(100).empty());
  now_.ports[0].peer = 0;
  now_.ports[0].received += 5'000;
  EXPECT_TRUE(Steps(100).empty());
}

struct Kind {
  const char* name;
  uint64_t ReadinessSample::*count;
};

class ObserveReadinessOf : public ObserveReadiness, public testing::WithParamInterface<Kind> {};

TEST_P(ObserveReadinessOf, IsToldWithItsCountAndEnds) {
  Steps(100);
  uint64_t& count = now_.*GetParam().count;
  count += 12;
  const auto reasons = Step();
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_TRUE(reasons[0].starts_with(std::string(GetParam().name) + ": 12 packets within "))
      << reasons[0];
  const int seconds = SecondsUntilReady();
  EXPECT_GE(seconds, 60);
  EXPECT_LE(seconds, 121) << "what is over must not hold it red";
}

TEST_P(ObserveReadinessOf, AStrayPacketNowAndThenIsNothing) {
  for (int minute = 0; minute < 100; ++minute) {
    now_.*GetParam().count += 1;
    EXPECT_TRUE(Steps(60).empty());
  }
}

TEST_P(ObserveReadinessOf, WhatGoesOnStaysRedWithoutFlickering) {
  Steps(10);
  now_.*GetParam().count += 3;
  std::vector<std::string> reasons = Step();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(reasons.size(), 1u);
    for (int second = 0; second < 89; ++second) EXPECT_EQ(Step().size(), 1u);
    now_.*GetParam().count += 3;
    reasons = Step();
  }
  EXPECT_TRUE(Says(reasons, ": 93 packets within ")) << reasons.at(0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ObserveReadinessOf,
                         testing::Values(Kind{"spoofed", &ReadinessSample::spoofed},
                                         Kind{"opaque", &ReadinessSample::opaque},
                                         Kind{"unknown_pod", &ReadinessSample::unknown_pod},
                                         Kind{"service_address", &ReadinessSample::service_address},
                                         Kind{"same_node", &ReadinessSample::same_node}),
                         [](const auto& test) { return test.param.name; });

TEST_F(ObserveReadiness, OnlyNodesAddressesWhereThereArePods) {
  Steps(100);
  now_.ports[1].from_nodes += 1'000;
  EXPECT_TRUE(Step().empty()) << "pods are seen too";
  traffic_ = 0;
  EXPECT_TRUE(Steps(100).empty());
  now_.ports[1].from_nodes += 500;
  const auto reasons = Step();
  EXPECT_TRUE(Says(reasons, "masquerade: 500 packets came in by port lan"))
      << testing::PrintToString(reasons);
  traffic_ = 10;
  EXPECT_LE(SecondsUntilReady(), 121);
  now_.ports[1].has_pods = false;
  traffic_ = 0;
  Steps(100);
  now_.ports[1].from_nodes += 500;
  EXPECT_TRUE(Step().empty());
}

TEST_F(ObserveReadiness, WhatCameBeforeTheFirstSampleCounts) {
  now_.spoofed = 7;
  EXPECT_TRUE(Says(readiness_.Observe(now_), "spoofed: 7 packets"));
}

TEST_F(ObserveReadiness, EveryReasonIsListed) {
  now_.policy_active = false;
  now_.ports[0].link_up = false;
  now_.spoofed = 5;
  now_.heartbeat_ns[0] = 9 * kSecond;
  EXPECT_EQ(Step().size(), 4u);
}

}  // namespace
}  // namespace npf::observe
