// What policy says of what was seen: by its opener, under the policies in force then.
#include "npf/gap_judge.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "npf/gap_findings.h"

namespace npf::tools {
namespace {

using gaps::Evidence;
using gaps::LogNames;
using gaps::Opener;
using gaps::Seen;

constexpr uint64_t kSecond = 1'000'000'000;

std::string PodText(const std::string& name, const std::string& app, const std::string& ip) {
  return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         ", namespace: shop, labels: {app: " + app +
         "}}\nspec: {nodeName: node-1}\nstatus: {phase: "
         "Running, podIP: " +
         ip + "}\n";
}

const std::string kPods =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Node\n"
    "metadata: {name: node-1}\nspec: {podCIDR: 10.0.0.0/16}\nstatus: {addresses: [{type: "
    "InternalIP, address: 10.9.0.1}]}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: "
    "node-2}\nstatus: {addresses: [{type: InternalIP, address: 10.9.0.2}]}\n---\napiVersion: v1\n"
    "kind: Service\nmetadata: {name: s, namespace: shop}\nspec: {clusterIP: 10.8.0.1}\n" +
    PodText("web-1", "web", "10.0.0.1") + PodText("web-2", "web", "10.0.0.2") +
    PodText("db", "db", "10.0.0.9") + PodText("idle", "idle", "10.0.0.7");

// Only `app` may reach db, on TCP 80.
std::string DbPolicy(const std::string& app) {
  return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db, "
         "namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: db}}\n  policyTypes: "
         "[Ingress]\n"
         "  ingress: [{from: [{podSelector: {matchLabels: {app: " +
         app + "}}}], ports: [{port: 80}]}]\n";
}

class Judged {
 public:
  // One text for each phase; phase i begins at 1000 * i seconds.
  explicit Judged(const std::vector<std::string>& phases, uint64_t grace_s = 0) {
    InputFlags flags;
    std::vector<std::string> updates;
    for (size_t i = 0; i < phases.size(); ++i) {
      const std::string path = ::testing::TempDir() + "gaps_judge." + std::to_string(getpid()) +
                               "." + std::to_string(i) + ".yaml";
      std::ofstream(path) << phases[i];
      if (i == 0) flags.paths = {path};
      if (i > 0) updates.push_back(std::to_string(1000 * i) + "=" + path);
      paths_.push_back(path);
    }
    int exit_status = 0;
    times_ = PolicyTimes::Load(flags, updates, grace_s * kSecond, exit_status);
    EXPECT_NE(times_, nullptr) << exit_status;
  }
  ~Judged() {
    for (const std::string& path : paths_) unlink(path.c_str());
  }
  const PolicyTimes& times() const { return *times_; }

  // The standing, and the evidence that is left: "denied handshake".
  std::string Of(const Seen& seen) const {
    const Ruling ruling = GapJudge(*times_).Judge(seen);
    std::string text(Name(ruling.standing));
    if (ruling.standing == Standing::kDenied) text += " " + std::string(Name(ruling.evidence));
    return text;
  }

 private:
  std::vector<std::string> paths_;
  std::unique_ptr<PolicyTimes> times_;
};

Seen Connection(const std::string& src, const std::string& dst, uint16_t port,
                Evidence evidence = Evidence::kHandshake, Opener opener = Opener::kSeen) {
  Seen seen{.opener = opener, .evidence = evidence, .packets = 3};
  seen.key = MakeFlowKey(*ParseIpAddress(src), *ParseIpAddress(dst), kProtocolTcp, port, 40000);
  seen.first_ns = 10 * kSecond;
  seen.last_ns = 20 * kSecond;
  return seen;
}

Seen At(Seen seen, uint64_t first_s, uint64_t last_s) {
  seen.first_ns = first_s * kSecond;
  seen.last_ns = last_s * kSecond;
  return seen;
}

TEST(GapJudge, JudgesByTheOpener) {
  const Judged judged({kPods + DbPolicy("web")});
  EXPECT_EQ(judged.Of(Connection("10.0.0.1", "10.0.0.9", 80)), "allowed");
  EXPECT_EQ(judged.Of(Connection("10.0.0.1", "10.0.0.9", 81)), "denied handshake");
  EXPECT_EQ(judged.Of(Connection("10.0.0.7", "10.0.0.9", 80)), "denied handshake");
  EXPECT_EQ(judged.Of(Connection("10.0.0.9", "10.0.0.7", 80)), "allowed");
  EXPECT_EQ(judged.Of(Connection("10.0.0.1", "10.8.0.1", 80)), "service");
  EXPECT_EQ(judged.Of(Connection("192.0.2.1", "192.0.2.2", 80)), "no_pod");
  // Its own node is exempt.
  EXPECT_EQ(judged.Of(Connection("10.9.0.1", "10.0.0.9", 80)), "allowed");
}

TEST(GapJudge, AnUnknownDirectionIsAGapOnlyWhereBothAreDenied) {
  const Judged one({kPods + DbPolicy("web")});
  const auto middle = [](Opener opener, Evidence evidence) {
    return Connection("10.0.0.7", "10.0.0.9", 80, evidence, opener);
  };
  EXPECT_EQ(one.Of(middle(Opener::kUnknown, Evidence::kBothWays)), "unclear");
  EXPECT_EQ(one.Of(middle(Opener::kByPorts, Evidence::kBothWays)), "denied midstream");
  EXPECT_EQ(one.Of(middle(Opener::kByPorts, Evidence::kReply)), "denied reply");
  const std::string idle_too =
      "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
      "metadata: {name: all, namespace: shop}\nspec: {podSelector: {}}\n";
  const Judged both({kPods + DbPolicy("web") + idle_too});
  EXPECT_EQ(both.Of(middle(Opener::kUnknown, Evidence::kBothWays)), "denied both_ways");
  EXPECT_EQ(both.Of(middle(Opener::kByPorts, Evidence::kBothWays)), "denied both_ways");
}

TEST(GapJudge, ByThePoliciesInForceThen) {
  const std::string open = kPods + DbPolicy("web");
  const std::string shut = kPods + DbPolicy("nobody");
  const Judged judged({open, shut, open});
  const Seen seen = Connection("10.0.0.1", "10.0.0.9", 80);
  EXPECT_EQ(judged.Of(At(seen, 10, 20)), "allowed");
  EXPECT_EQ(judged.Of(At(seen, 1001, 1010)), "denied handshake");
  EXPECT_EQ(judged.Of(At(seen, 2001, 2010)), "allowed");
  // Over a change: was it ever allowed?
  EXPECT_EQ(judged.Of(At(seen, 990, 1010)), "outlived");
  EXPECT_EQ(judged.Of(At(seen, 1990, 2010)), "allowed");
  // Policies before a change count for a while.
  const Judged graceful({open, shut}, 5);
  EXPECT_EQ(graceful.Of(At(seen, 1004, 1010)), "outlived");
  EXPECT_EQ(graceful.Of(At(seen, 1006, 1010)), "denied handshake");
}

TEST(GapJudge, AddressesMoveWithTime) {
  std::string moved = kPods + DbPolicy("web");
  for (const auto& [from, to] :
       {std::pair("10.0.0.1", "10.0.0.77"), std::pair("10.0.0.7}", "10.0.0.1}")}) {
    moved.replace(moved.find(from), std::string(from).size(), to);
  }
  const Judged judged({kPods + DbPolicy("web"), moved});
  const Seen seen = Connection("10.0.0.1", "10.0.0.9", 80);
  EXPECT_EQ(judged.Of(At(seen, 10, 20)), "allowed");
  EXPECT_EQ(judged.Of(At(seen, 1010, 1020)), "denied handshake");
  // A log that names the pod is believed.
  LogNames names{.src = {"shop", "web-1"}, .dst = {"shop", "db"}, .claim = ""};
  Seen named = At(seen, 1010, 1020);
  named.names = &names;
  EXPECT_EQ(judged.Of(named), "allowed");
  names.src.name = "gone";
  EXPECT_EQ(judged.Of(named), "unknown_pod");
}

TEST(GapJudge, NamesMayMeanSeveralPods) {
  const Judged judged({kPods + PodText("db-2", "web", "10.0.0.8") + DbPolicy("web")});
  LogNames names{.src = {"shop", "web-*"}, .dst = {"shop", "db"}, .claim = ""};
  Seen seen{.evidence = Evidence::kLogReply, .names = &names};
  seen.key.protocol = kProtocolTcp;
  seen.key.dst_port = 80;
  EXPECT_EQ(judged.Of(seen), "allowed");
  seen.key.dst_port = 81;
  EXPECT_EQ(judged.Of(seen), "denied log_reply");
  // db is shut for it, db-2 is not.
  names.dst.name = "db*";
  EXPECT_EQ(judged.Of(seen), "unclear");
  names.dst.name = "nothing*";
  EXPECT_EQ(judged.Of(seen), "unknown_pod");
  names.dst = {"", "pub"};
  EXPECT_EQ(judged.Of(seen), "unknown_pod");
}

TEST(GapFindings, GathersRowsAndNamesThePolicy) {
  const Judged judged({kPods + DbPolicy("web")});
  GapFindings findings(judged.times());
  findings.AdvanceTo(100 * kSecond);
  findings.Add(Connection("10.0.0.7", "10.0.0.9", 80));
  findings.Add(At(Connection("10.0.0.7", "10.0.0.9", 80), 5, 6));
  findings.Add(Connection("10.0.0.7", "10.0.0.9", 80, Evidence::kRetransmitted));
  findings.Add(Connection("10.0.0.1", "10.0.0.9", 80, Evidence::kRetransmitted));
  findings.Add(At(Connection("10.0.0.2", "10.0.0.9", 80, Evidence::kUnseen), 99, 100));
  const std::vector<GapRow> rows = findings.Rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(rows[0].denied);
  EXPECT_EQ(rows[0].connections, 2u);
  EXPECT_EQ(rows[0].packets, 6u);
  EXPECT_EQ(rows[0].first_ns, 5 * kSecond);
  EXPECT_EQ(rows[0].last_ns, 20 * kSecond);
  EXPECT_EQ(rows[0].src_pod, "shop/idle");
  ASSERT_EQ(rows[0].denied_by.size(), 1u);
  EXPECT_EQ(rows[0].denied_by[0].policy, "shop/db");
  EXPECT_EQ(rows[0].denied_by[0].direction, "ingress");
  EXPECT_GT(rows[0].denied_by[0].place.line, 0u);
  EXPECT_EQ(rows[1].grade, gaps::Grade::kDropped);
  EXPECT_FALSE(rows[2].denied);
  EXPECT_EQ(rows[2].src_pod, "shop/web-1");
  const GapCounts counts = findings.counts();
  EXPECT_EQ(counts.denied[static_cast<size_t>(gaps::Grade::kProven)], 2u);
  EXPECT_EQ(counts.denied[static_cast<size_t>(gaps::Grade::kDropped)], 1u);
  EXPECT_EQ(counts.unanswered, 1u);
  EXPECT_EQ(counts.too_late, 1u);
  EXPECT_EQ(counts.isolated, 1u);
  EXPECT_EQ(counts.tried, 1u);
}

TEST(GapFindings, ASourceThatMayBeSomebodyElseIsNoProof) {
  const Judged judged({kPods + DbPolicy("web")});
  GapFindings findings(judged.times());
  findings.Add(Connection("10.9.0.2", "10.0.0.9", 80));     // another node
  findings.Add(Connection("10.0.0.200", "10.0.0.9", 80));   // of a pod CIDR, and no pod has it
  findings.Add(Connection("203.0.113.1", "10.0.0.9", 80));  // outside
  std::string grades;
  for (const GapRow& row : findings.Rows())
    grades += std::string(Name(row.grade)) + " " + row.src + ";";
  EXPECT_EQ(grades, "proven 203.0.113.1;suggested 10.0.0.200;suggested 10.9.0.2;");
}

}  // namespace
}  // namespace npf::tools
