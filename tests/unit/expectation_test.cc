// Expectations: how their ends are written, what they are among objects, and that a check finds
// just the pairs that the reference evaluator finds when it is asked about every one of them.
#include "npf/expectation.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "npf/compiler.h"
#include "npf/end_text.h"
#include "npf/expectation_check.h"
#include "npf/expectation_ends.h"
#include "npf/load.h"
#include "npf/port_table.h"
#include "npf/selector_text.h"
#include "npf/xml.h"
#include "testing/cluster.h"
#include "testing/cluster_generator.h"

namespace npf::tools {
namespace {

using testing::Cluster;
using testing::Random;

TEST(EndTextTest, Forms) {
  using Form = EndText::Form;
  const std::vector<std::tuple<std::string, Form, std::string, std::string, size_t>> cases = {
      {"db", Form::kName, "shop", "db", 0},
      {"db:5432", Form::kName, "shop", "db", 1},
      {"prod/db:http", Form::kName, "prod", "db", 1},
      {"prod/*:8000-8100/UDP", Form::kPods, "prod", "", 1},
      {"app=web", Form::kPods, "shop", "", 0},
      {"app.kubernetes.io/name=web:80", Form::kPods, "shop", "", 1},
      {"internet:443", Form::kWord, "", "internet", 1},
      {"10.0.0.0/8:443", Form::kBlock, "", "", 1},
      {"10.0.0.1", Form::kBlock, "", "", 0},
      {"fd00::/8", Form::kBlock, "", "", 0},
      {"[fd00::1]:ICMPv6", Form::kBlock, "", "", 1},
  };
  for (const auto& [text, form, ns, name, ports] : cases) {
    EndText end;
    std::string fault;
    ASSERT_TRUE(ParseEnd(text, "shop", end, fault)) << text << ": " << fault;
    EXPECT_EQ(end.form, form) << text;
    EXPECT_EQ(end.ns, ns) << text;
    EXPECT_EQ(end.name, name) << text;
    EXPECT_EQ(end.ports.size(), ports) << text;
  }
  for (const std::string text :
       {"", "Db", "a/b/c", "10.0.0.1/8", "10.0.0.300", "[fd00::1", "[fd00::1]x", "fd00::g", "db:0",
        "db:70000", "db:9-8", "db:80/GRE", "db:", "-db", "app=a b", "=x", "in (a)"}) {
    EndText end;
    std::string fault;
    EXPECT_FALSE(ParseEnd(text, "shop", end, fault)) << text;
    EXPECT_NE(fault, "") << text;
  }
}

TEST(EndTextTest, Ports) {
  std::string fault;
  const auto span = [&](const std::string& text, std::optional<uint8_t> protocol = {}) {
    return std::get<analysis::ProtocolRange>(*ParsePort(text, protocol, fault));
  };
  EXPECT_EQ(span("80"), (analysis::ProtocolRange{kProtocolTcp, 80, 80}));
  EXPECT_EQ(span("80", kProtocolUdp), (analysis::ProtocolRange{kProtocolUdp, 80, 80}));
  EXPECT_EQ(span("80-90/sctp"), (analysis::ProtocolRange{kProtocolSctp, 80, 90}));
  EXPECT_EQ(span("UDP"), (analysis::ProtocolRange{kProtocolUdp, 1, 65535}));
  EXPECT_EQ(span("ICMP/8"), analysis::ProtocolRange{});
  const auto named = std::get<PortName>(*ParsePort("http/UDP", {}, fault));
  EXPECT_EQ(named.name, "http");
  EXPECT_EQ(named.protocol, kProtocolUdp);
}

TEST(SelectorTextTest, Terms) {
  std::string fault;
  const auto selector = ParseSelector("a=b, c==d,e!=f,g in (h, i),j notin (k),l,!m", fault);
  ASSERT_TRUE(selector.has_value()) << fault;
  const std::vector<LabelRequirement> wanted = {
      {"a", "In", {"b"}},        {"c", "In", {"d"}},    {"e", "NotIn", {"f"}},
      {"g", "In", {"h", "i"}},   {"j", "NotIn", {"k"}}, {"l", "Exists", {}},
      {"m", "DoesNotExist", {}},
  };
  EXPECT_EQ(selector->match_expressions, wanted);
  EXPECT_TRUE(ParseSelector(" ", fault)->match_expressions.empty());
  for (const char* text : {"a=b c", "a=b,", "a in b", "(a)", "a=\xc3\xa4"}) {
    EXPECT_FALSE(ParseSelector(text, fault).has_value()) << text;
  }
}

TEST(XmlTest, Escapes) {
  const std::string text = std::string("<a & \"b\">\n\x01\x1f\x7f\xff\xef\xbf\xbf\xc3\xa4") + '\0';
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(XmlAttribute(text), "&lt;a &amp; &quot;b&quot;&gt;&#10;" + bad + bad + "\x7f" + bad +
                                    bad + "\xc3\xa4" + bad);
  EXPECT_EQ(XmlContent("a\n\tb\r"), "a\n\tb&#13;");
}

// Every fault of a file, as "line:column field".
std::vector<std::string> Faults(const std::string& text) {
  Diagnostics diagnostics;
  ReadExpectationText(text, "e.yaml", "default", diagnostics);
  std::vector<std::string> faults;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    faults.push_back(absl::StrCat(diagnostic.position.line, ":", diagnostic.position.column, " ",
                                  diagnostic.field));
  }
  return faults;
}

TEST(ExpectationTest, EveryFaultOfAFileIsTold) {
  EXPECT_EQ(Faults("expectations:\n- {from: a, to: b, expect: allow}\n"),
            std::vector<std::string>{});
  EXPECT_EQ(Faults(""), std::vector<std::string>{"0:0 "});
  EXPECT_EQ(Faults("tests: []\n"), (std::vector<std::string>{"1:1 expectations", "1:1 tests"}));
  EXPECT_EQ(Faults("items: [{from: a}]\n"),
            (std::vector<std::string>{"1:1 expectations", "1:1 items"}));
  EXPECT_EQ(
      Faults("expectations:\n"
             "- {from: a:80, to: B, expect: maybe}\n"
             "- {to: [], expect: allow, ports: [x_y, 70000], port: 0}\n"
             "- {from: {pod: a, cidr: 10.0.0.0/8}, to: {namespaces: a=b c}, expect: deny}\n"
             "- {from: {}, to: 5, expect: deny, protocol: GREAT}\n"
             "-\n"),
      (std::vector<std::string>{
          "2:10 expectations[0].from", "2:20 expectations[0].to", "2:31 expectations[0].expect",
          "3:3 expectations[1].from", "3:8 expectations[1].to", "3:54 expectations[1].port",
          "3:35 expectations[1].ports", "3:40 expectations[1].ports", "4:10 expectations[2].from",
          "4:55 expectations[2].to.namespaces", "5:10 expectations[3].from",
          "5:18 expectations[3].to", "5:45 expectations[3].protocol", "7:1 expectations[4]"}));
}

constexpr char kShop[] = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, labels: {app: web}, ownerReferences: [{controller: true, kind: StatefulSet, name: web}]}, spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}, status: {podIP: 10.0.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-2, namespace: shop, labels: {app: web}, ownerReferences: [{controller: true, kind: StatefulSet, name: web}]}, spec: {containers: [{ports: [{name: http, containerPort: 9090}]}]}, status: {podIP: 10.0.0.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db-6f7-x, namespace: shop, labels: {app: db, pod-template-hash: 6f7}, ownerReferences: [{controller: true, kind: ReplicaSet, name: db-6f7}]}, status: {podIP: 10.0.0.3}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{name: main, port: 80, targetPort: http}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: store, namespace: shop}, spec: {selector: {app: db}, ports: [{port: 5432}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: outside, namespace: shop}, spec: {type: ExternalName, externalName: example.com}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}}
)";

// "ok N", "FAILED N" by pairs, or what is wrong, of a single expectation.
std::string CheckShop(const std::string& expectation) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(kShop, "shop.yaml", {}, builder, diagnostics, report);
  const auto snapshot = builder.Build(diagnostics);
  const auto program = Compile(*snapshot);
  const ExpectationFile file =
      ReadExpectationText("expectations: [" + expectation + "]", "e.yaml", "shop", diagnostics);
  const auto outcomes = CheckExpectations(*snapshot, *program, file.expectations, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) return diagnostic.detail;
  }
  return outcomes[0].ok() ? absl::StrCat("ok ", outcomes[0].pairs)
                          : absl::StrCat("FAILED ", outcomes[0].failed_pairs);
}

TEST(ExpectationTest, WorkloadsAndServices) {
  EXPECT_EQ(CheckShop("{from: db, to: web, port: 8080, expect: allow}"), "ok 2");
  EXPECT_EQ(CheckShop("{from: db, to: web, port: http, expect: allow}"), "FAILED 1");  // web-2's
  EXPECT_EQ(CheckShop("{from: db, to: {service: web, port: 80}, expect: allow}"), "FAILED 1");
  EXPECT_EQ(CheckShop("{from: db, to: {service: web, port: main}, expect: allow}"), "FAILED 1");
  EXPECT_EQ(CheckShop("{from: db, to: {service: web}, not-to: web-2, expect: allow}"), "ok 1");
  EXPECT_EQ(CheckShop("{from: web, to: store:5432, expect: allow}"), "ok 2");
  EXPECT_EQ(CheckShop("{from: {pod: db-6f7-x}, to: web-1, ports: [8080, ICMP], expect: deny}"),
            "FAILED 1");
  EXPECT_EQ(CheckShop("{from: web, to: web, port: 8080, expect: allow}"), "ok 2");  // not to itself
  // What a Service and a workload of one name both could mean.
  EXPECT_NE(CheckShop("{from: db, to: 'web:80', expect: deny}").find("leads elsewhere"),
            std::string::npos);
}

TEST(ExpectationTest, WhatMatchesNothingIsAnError) {
  for (const auto& [expectation, detail] : std::vector<std::pair<std::string, std::string>>{
           {"{from: stoer, to: db, expect: deny}",
            "no pod, workload or Service shop/stoer; did you"},
           {"{from: {namespace: shp}, to: db, expect: deny}", "there is no namespace \"shp\""},
           {"{from: {pods: app=x}, to: db, expect: deny}", "matches no pod"},
           {"{from: db, to: db, expect: deny}", "concerns nothing"},
           {"{from: db, to: 'fd00::/8', expect: deny}", "concerns nothing"},
           {"{from: db, to: {service: web, port: 81}, expect: deny}",
            "has no such port; it has 80"},
           {"{from: db, to: outside, expect: deny}", "has no selector"},
           {"{from: db, to: 'web:grpc', expect: deny}", "none of these pods has a port"},
           {"{from: db, to: 'internet:http', expect: deny}", "is a name, which only pods have"},
           {"{from: nodes, to: db, expect: deny}", "there are none"}}) {
    EXPECT_NE(CheckShop(expectation).find(detail), std::string::npos)
        << expectation << ": " << CheckShop(expectation);
  }
}

// A random expectation, and everything that it is about as the objects themselves say it.
class RandomExpectation {
 public:
  RandomExpectation(uint64_t seed, const Snapshot& snapshot) : random_(seed), snapshot_(snapshot) {
    for (const Pod& pod : snapshot.pods()) AddAddresses(pod.ips);
    for (const Node& node : snapshot.nodes()) AddAddresses(node.addresses);
    for (const Service& service : snapshot.services()) AddAddresses(service.cluster_ips);
    for (const NetworkPolicy& policy : snapshot.policies()) {
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const PolicyRule& rule : *rules) AddBlocks(rule);
      }
    }
    AddEdges(testing::Prefix("0.0.0.0/0"));
    AddEdges(testing::Prefix("::/0"));
  }

  Expectation Make() {
    Expectation expectation;
    expectation.from = {End(sources_)};
    expectation.to = {End(destinations_)};
    expectation.allow = random_.Chance(50);
    const auto port = static_cast<uint16_t>(random_.Between(1, 9000));
    ports_ = {{kProtocolTcp, port, static_cast<uint16_t>(port + random_.Below(3000))}};
    if (random_.Chance(30)) ports_.push_back({});
    for (const analysis::ProtocolRange& span : ports_) expectation.ports.push_back(span);
    return expectation;
  }

  // Pairs of addresses that on some port are not as expected, asked one by one.
  std::set<std::pair<IpAddress, IpAddress>> Wrong(const reference::Evaluator& evaluator,
                                                  bool allow) const {
    std::set<std::pair<IpAddress, IpAddress>> wrong;
    for (const IpAddress& src : sources_) {
      for (const IpAddress& dst : destinations_) {
        if (src.family != dst.family || src == dst) continue;
        for (const reference::Question& question : Questions(src, dst)) {
          if (evaluator.Evaluate(question).allowed != allow) wrong.emplace(src, dst);
        }
      }
    }
    return wrong;
  }
  const std::set<IpAddress>& sources() const { return sources_; }
  const std::set<IpAddress>& destinations() const { return destinations_; }

 private:
  std::vector<reference::Question> Questions(const IpAddress& src, const IpAddress& dst) const {
    std::vector<reference::Question> questions;
    for (const analysis::ProtocolRange& span : ports_) {
      std::set<uint16_t> numbers = {span.first, span.last};
      for (const int64_t edge : port_edges_) {
        if (edge >= span.first && edge <= span.last) numbers.insert(static_cast<uint16_t>(edge));
      }
      const uint8_t protocol = span.protocol == 0 ? kProtocolIcmp : span.protocol;
      for (const uint16_t number : numbers) questions.push_back({src, dst, protocol, number});
    }
    return questions;
  }

  void AddAddresses(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) addresses_.insert(testing::Address(text));
  }
  void AddEdges(const IpPrefix& prefix) {
    addresses_.insert({FirstAddress(prefix), LastAddress(prefix),
                       PreviousAddress(FirstAddress(prefix)), NextAddress(LastAddress(prefix))});
  }
  void AddBlocks(const PolicyRule& rule) {
    for (const PolicyPort& port : rule.ports) {
      if (!port.port || port.port->index() != 0) continue;
      const int64_t first = std::get<0>(*port.port);
      for (const int64_t edge : {first, port.end_port.value_or(first)}) {
        port_edges_.insert({edge - 1, edge, edge + 1});
      }
    }
    for (const PolicyPeer& peer : rule.peers) {
      if (!peer.ip_block) continue;
      AddEdges(ParseIpPrefix(peer.ip_block->cidr).prefix);
      for (const std::string& except : peer.ip_block->except) {
        AddEdges(ParseIpPrefix(except).prefix);
      }
    }
  }

  EndText End(std::set<IpAddress>& members) {
    EndText end;
    members.clear();
    if (random_.Chance(50)) {
      const std::vector<IpAddress> all(addresses_.begin(), addresses_.end());
      const IpAddress& base = random_.Pick(all);
      const auto length = static_cast<uint8_t>(random_.Below(base.bit_count() + 1));
      end.form = EndText::Form::kBlock;
      end.block = Masked({base, length});
      AddEdges(end.block);
      for (const IpAddress& address : addresses_) {
        if (end.block.Contains(address)) members.insert(address);
      }
      return end;
    }
    const Pod& pod = random_.Pick(snapshot_.pods());
    end.form = EndText::Form::kPods;
    end.ns = pod.ns;
    if (random_.Chance(50)) end.pods.match_labels = pod.labels;
    for (const Pod& other : snapshot_.pods()) {
      const bool labelled = std::all_of(end.pods.match_labels.begin(), end.pods.match_labels.end(),
                                        [&](const auto& label) {
                                          const std::string* value = other.labels.Find(label.first);
                                          return value != nullptr && *value == label.second;
                                        });
      if (other.ns != pod.ns || HasEnded(other) || !labelled) continue;
      for (const std::string& ip : other.ips) members.insert(testing::Address(ip));
    }
    return end;
  }

  Random random_;
  const Snapshot& snapshot_;
  std::set<IpAddress> addresses_;  // where anything may begin or end
  std::set<int64_t> port_edges_;
  std::set<IpAddress> sources_, destinations_;
  std::vector<analysis::ProtocolRange> ports_;
};

bool Covers(const Members& members, const IpAddress& address) {
  return std::any_of(members.ranges.begin(), members.ranges.end(),
                     [&](const analysis::AddressRange& range) {
                       return range.first <= address && address <= range.last;
                     });
}

// Of the pairs that the reference finds wrong, those that no failure covers, and those of the
// others that one covers.
size_t CountDifferences(const RandomExpectation& random, const Outcome& outcome,
                        const std::set<std::pair<IpAddress, IpAddress>>& wrong) {
  size_t differences = 0;
  for (const IpAddress& src : random.sources()) {
    for (const IpAddress& dst : random.destinations()) {
      if (src.family != dst.family || src == dst) continue;
      const bool covered = std::any_of(
          outcome.failures.begin(), outcome.failures.end(), [&](const Failure& failure) {
            return Covers(failure.src, src) && Covers(failure.dst, dst);
          });
      differences += covered != wrong.contains({src, dst}) ? 1 : 0;
    }
  }
  return differences;
}

// Everything of the outcome is there to be compared.
bool IsWhole(const Outcome& outcome) {
  return outcome.failed_classes == outcome.failures.size() &&
         std::all_of(outcome.failures.begin(), outcome.failures.end(), [](const Failure& failure) {
           return failure.src.count == failure.src.ranges.size() &&
                  failure.dst.count == failure.dst.ranges.size();
         });
}

TEST(ExpectationTest, FindsWhatTheReferenceFinds) {
  size_t held = 0;
  size_t failed = 0;
  size_t whole = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto snapshot = testing::Freeze(testing::GenerateCluster(seed));
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    if (snapshot->pods().empty()) continue;
    const auto program = Compile(*snapshot);
    ASSERT_TRUE(program.ok());
    const reference::Evaluator evaluator(*snapshot, {.placement = Placement::kFabric});
    for (uint64_t turn = 0; turn < 10; ++turn) {
      RandomExpectation random(seed * 1000 + turn, *snapshot);
      const Expectation expectation = random.Make();
      Diagnostics diagnostics;
      const Outcome outcome = CheckExpectations(*snapshot, *program, {expectation}, diagnostics)[0];
      if (!diagnostics.ok()) continue;  // a pod without an address, or nothing in common
      const auto wrong = random.Wrong(evaluator, expectation.allow);
      EXPECT_EQ(outcome.ok(), wrong.empty()) << "seed " << seed << ", turn " << turn;
      (outcome.ok() ? held : failed) += 1;
      if (IsWhole(outcome)) {
        ++whole;
        EXPECT_EQ(CountDifferences(random, outcome, wrong), 0u)
            << "seed " << seed << ", turn " << turn;
      }
      for (const Failure& failure : outcome.failures) {
        const FlowKey& key = failure.witness;
        const reference::Question question{SourceOf(key), DestinationOf(key), key.protocol,
                                           key.dst_port};
        EXPECT_NE(evaluator.Evaluate(question).allowed, expectation.allow) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(whole, 30u);
  EXPECT_GT(held, 10u);
  EXPECT_GT(failed, 50u);
}

}  // namespace
}  // namespace npf::tools
