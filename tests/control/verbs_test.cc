// Every call through a client, and every verb's output, status and permission.
#include <unistd.h>

#include "control/fixture.h"

namespace npf::control {
namespace {

constexpr uid_t kNobody = 65534;

class VerbsTest : public ControlTest {};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(VerbsTest, EveryCall) {
  Start();
  const auto client = Client();
  EXPECT_EQ(client->GetStatus()->policy_hash, "c0ffee");
  EXPECT_EQ(client->GetPolicyCounts()->at(0).packets, 12u);
  EXPECT_EQ(client->GetVisibility()->at(1).enforced, "not visible");
  EXPECT_EQ(client->Load({.text = "a", .confirm_ns = 5})->generation, 8u);
  EXPECT_EQ(handler_.loads()[0].confirm_ns, 5u);
  EXPECT_EQ(handler_.loads()[0].who,
            "uid " + std::to_string(geteuid()) + ", pid " + std::to_string(getpid()));
  EXPECT_TRUE(client->Load({.paths = {"/a", "/b"}}).ok());
  EXPECT_EQ(handler_.loads()[1].paths, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_TRUE(client->Confirm(8).ok());
  EXPECT_EQ(client->Confirm(9).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(client->WaitFor(8, 0).ok());
  EXPECT_EQ(client->WaitFor(9, 300'000'000).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(client->Explain(TestKey())->allowed);
  EXPECT_EQ(client->ListConnections(2)->size(), 2u);
  EXPECT_EQ(client->WouldCut({.text = "a"}, 5)->at(0).dst_pod, "shop/db");
  int seen = 0;
  EXPECT_TRUE(client
                  ->WatchDenied([&](const DeniedPacket& p) {
                    EXPECT_EQ(p.suppressed, 3u);
                    return ++seen < 3;
                  })
                  .ok());
  EXPECT_EQ(seen, 3);
}

TEST_F(VerbsTest, ManyErrorsComeWhole) {
  Start();
  handler_.refusal.clear();
  for (int i = 0; i < 2000; ++i) handler_.refusal += "line " + std::to_string(i) + " is wrong\n";
  const auto refused = Client()->Load({.text = "wrong"}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), handler_.refusal);
}

TEST_F(VerbsTest, Status) {
  Start();
  const Outcome ready = Npf({"status"});
  EXPECT_EQ(ready.exit_status, 0) << ready.err;
  EXPECT_SAYS(ready.out, "ready         yes");
  EXPECT_SAYS(ready.out, "enforce, placement node-wire");
  EXPECT_SAYS(ready.out, "generation 7, hash c0ffee, from /etc/npf, 1m 30s old");
  EXPECT_SAYS(ready.out, "line 1\\nline 2");
  EXPECT_SAYS(ready.out, "port1  down");
  const Outcome json = Npf({"status", "-o", "json"});
  EXPECT_SAYS(json.out, R"("ready":true,"not_ready":[],"version":"0.1.0","mode":"enforce")");
  EXPECT_SAYS(json.out, R"("busy":[0.250,0.500],"flows":11)");
  EXPECT_SAYS(json.out, R"({"reason":"no_rule","verdict":"deny","packets":10}]})");
  handler_.ready = false;
  const Outcome not_ready = Npf({"status"});
  EXPECT_EQ(not_ready.exit_status, 1);
  EXPECT_SAYS(not_ready.out, "because     no policy yet");
}

TEST_F(VerbsTest, StatusOfParts) {
  Start();
  EXPECT_SAYS(Npf({"status", "--connections", "--limit", "1"}).out,
              "TCP    10.0.0.1:40000  10.0.0.2:81  established");
  EXPECT_SAYS(Npf({"status", "--connections", "-o", "json"}).out,
              R"({"connections":[{"src":"10.0.0.1","dst":"10.0.0.2","proto":"TCP")");
  EXPECT_SAYS(Npf({"status", "--pods"}).out, "shop/far  not visible  on another node");
  EXPECT_SAYS(Npf({"status", "--policies"}).out, "shop/db  NetworkPolicy  allow");
  EXPECT_EQ(Npf({"status", "--pods", "--policies"}).exit_status, 2);
}

TEST_F(VerbsTest, HelpHasAnExample) {
  for (const char* verb : {"status", "load", "wait", "watch"}) {
    const Outcome help = Npf({verb, "--help"});
    EXPECT_EQ(help.exit_status, 0);
    EXPECT_SAYS(help.out, "Example");
  }
}

TEST_F(VerbsTest, NobodyIsThere) {
  const Outcome none = Npf({"status"});
  EXPECT_EQ(none.exit_status, 4);
  EXPECT_EQ(none.err,
            "npf: cannot connect to " + options_.path + ": no such file; is npf-dpdk running?\n");
  options_.path = WriteFile("file", "");
  EXPECT_SAYS(Npf({"wait"}).err, "nobody listens there; is npf-dpdk running?");
}

TEST_F(VerbsTest, Load) {
  Start();
  const std::string a = WriteFile("a.yaml", "one\n");
  const std::string b = WriteFile("b.yaml", "two");
  const Outcome loaded = Npf({"load", "-f", a, "-f", b, "--confirm", "60s"});
  EXPECT_EQ(loaded.exit_status, 0);
  EXPECT_EQ(loaded.out,
            "generation 8: 2 policies, 1 pods, hash beef, compiled in 1.5s\n"
            "taken back in 60s unless confirmed: npf load --confirm-generation 8\n");
  EXPECT_EQ(loaded.err, "npf: a warning\n");
  EXPECT_EQ(handler_.loads()[0].text, "one\n---\ntwo\n");
  EXPECT_EQ(handler_.loads()[0].confirm_ns, 60'000'000'000u);
  EXPECT_SAYS(Log(), "load by uid 0, pid ");
  EXPECT_EQ(Npf({"load", "--confirm-generation", "8"}).out, "generation 8 is confirmed\n");
  EXPECT_EQ(Npf({"load", "--confirm-generation", "9"}).exit_status, 3);
  EXPECT_EQ(Npf({"load", "-f", a, "--would-cut"}).exit_status, 1);
  EXPECT_EQ(Npf({"load"}).exit_status, 2);
  EXPECT_EQ(Npf({"load", "-f", "/nowhere"}).exit_status, 4);
}

TEST_F(VerbsTest, LoadOfWhatIsWrong) {
  Start();
  const std::string a = WriteFile("a.yaml", "one\n");
  const std::string b = WriteFile("b.yaml", "wrong\n");
  const Outcome refused = Npf({"load", "-f", a, "-f", b});
  EXPECT_EQ(refused.exit_status, 3);
  EXPECT_EQ(refused.out, "");
  EXPECT_SAYS(refused.err, "npf: lines 3 to 3 of the text are " + b + "\n");
  EXPECT_SAYS(refused.err, "npf: text:3:1: NetworkPolicy shop/db: spec: is wrong\n");
  EXPECT_SAYS(refused.err, "npf: text:9:1: and this\n");
}

TEST_F(VerbsTest, Wait) {
  Start();
  EXPECT_EQ(Npf({"wait", "--generation", "8"}).exit_status, 0);
  EXPECT_EQ(Npf({"wait", "--generation", "9", "--timeout", "100ms"}).exit_status, 5);
  EXPECT_EQ(Npf({"wait", "--timeout", "soon"}).exit_status, 2);
}

TEST_F(VerbsTest, B57Watch) {
  Start();
  const Outcome table = Npf({"watch", "-n", "2"});
  EXPECT_EQ(table.exit_status, 0) << table.err;
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 2);
  EXPECT_EQ(table.out.find('\x1b'), std::string::npos);
  EXPECT_SAYS(table.out, "2023-11-14T22:13:20.000000Z  no_rule  TCP 10.0.0.1:40000 (shop/web) -> ");
  EXPECT_SAYS(Npf({"watch", "-n", "1", "-o", "jsonl"}).out,
              R"("verdict":"deny","reason":"no_rule","src":"10.0.0.1")");
}

TEST_F(VerbsTest, ExplainLive) {
  Start();
  const Outcome denied = Npf({"explain", "--live", "10.0.0.1", "10.0.0.2:81"});
  EXPECT_EQ(denied.exit_status, 1);
  EXPECT_EQ(denied.out, "deny: because\n");
  EXPECT_EQ(Npf({"explain", "--live", "10.0.0.1", "10.0.0.2:80"}).exit_status, 0);
  EXPECT_SAYS(Npf({"explain", "--live", "-o", "json", "fd00::1", "[fd00::2]:80"}).out,
              R"("dst_port":80,"why":{"egress":[]}})");
  EXPECT_SAYS(Npf({"explain", "--live", "shop/web", "10.0.0.2:81"}).err, "not an IP address");
  EXPECT_EQ(Npf({"explain", "--live", "-f", "x", "10.0.0.1", "10.0.0.2"}).exit_status, 2);
  EXPECT_EQ(Npf({"explain", "10.0.0.1", "10.0.0.2"}).exit_status, 2);
}

TEST_F(VerbsTest, B54WhoMayOnlyReadCannotChange) {
  if (geteuid() != 0) GTEST_SKIP() << "needs uid 0";
  options_.group = "nogroup";
  Start();
  const Outcome status = Npf({"status"}, kNobody, kNobody);
  EXPECT_EQ(status.exit_status, 0) << status.err;
  EXPECT_EQ(Npf({"watch", "-n", "1"}, kNobody, kNobody).exit_status, 0);
  EXPECT_EQ(Npf({"explain", "--live", "10.0.0.1", "10.0.0.2:80"}, kNobody, kNobody).exit_status, 0);
  const std::string file = WriteFile("a.yaml", "one\n");
  const Outcome load = Npf({"load", "-f", file}, kNobody, kNobody);
  EXPECT_EQ(load.exit_status, 4);
  EXPECT_SAYS(load.err, "load: permission denied to uid 65534, pid ");
  EXPECT_EQ(Npf({"load", "--confirm-generation", "8"}, kNobody, kNobody).exit_status, 4);
  EXPECT_EQ(Npf({"load", "-f", file, "--would-cut"}, kNobody, kNobody).exit_status, 4);
  EXPECT_TRUE(handler_.loads().empty());
  EXPECT_SAYS(Log(), "load by uid 65534, pid ");
}

TEST_F(VerbsTest, B54WhoIsNotInTheGroupCannotConnect) {
  if (geteuid() != 0) GTEST_SKIP() << "needs uid 0";
  Start();
  const Outcome status = Npf({"status"}, kNobody, kNobody);
  EXPECT_EQ(status.exit_status, 4);
  EXPECT_SAYS(status.err, "permission denied to uid 65534");
}

}  // namespace
}  // namespace npf::control
