// Attacks on what policies and pods mean: identity, selectors, blocks, names of ports.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "attacks/attack_bench.h"
#include "testing/world.h"

namespace npf::testing {
namespace {

constexpr char kPodCidr[] = R"(
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRs: [10.0.0.0/16]},
 status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {team: blue}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: away, labels: {team: red}}}
)";

std::string Ingress(const std::string& rules) {
  return PolicyYaml(
      "x", "p",
      "{podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress], ingress: " + rules +
          "}");
}

std::string Server() { return PodYaml("x", "server", "10.0.0.2", "app: server"); }

// A pod on a node, which kubelets probe and which masquerades.
std::string PodOnNode(const std::string& name, const std::string& ip, const std::string& phase) {
  return "---\n{apiVersion: v1, kind: Pod, metadata: {name: " + name +
         ", namespace: x, labels: {app: " + name +
         "}}, spec: {nodeName: n1, containers: [{name: c}]}, status: {phase: " + phase +
         ", podIPs: [{ip: " + ip + "}]}}\n";
}

// A pod asks a Service that leads back to itself. The source is what is on the wire: its own
// address, or, masqueraded, its node's, which is no pod's.
TEST(MeaningAttack, A90AHairpinIsJudgedByTheSourceOnTheWire) {
  const std::string service = R"(---
{apiVersion: v1, kind: Service, metadata: {namespace: x, name: s}, spec: {clusterIP: 10.96.0.10}}
)";
  const std::string world = kPodCidr + service + PodOnNode("server", "10.0.0.2", "Running");
  const std::string own = world + Ingress("[{from: [{podSelector: {}}, {namespaceSelector: {}}]}]");
  const Question masqueraded{"172.18.0.2", "10.0.0.2"};
  const ClassifyOptions wire{.placement = Placement::kNodeWire};

  EXPECT_EQ(Ask(ProgramOf(own), {"10.0.0.2", "10.96.0.10"}), "allow service_address");
  EXPECT_EQ(Ask(ProgramOf(world + Ingress("[]")), {"10.0.0.2", "10.0.0.2"}), "allow loopback");
  EXPECT_EQ(Ask(ProgramOf(own), masqueraded), "allow local_node") << "as the kubelet's probes";
  EXPECT_EQ(Ask(ProgramOf(own), masqueraded, wire), "deny policy") << "selectors match no node";
  EXPECT_EQ(Ask(ProgramOf(world + Ingress("[{from: [{ipBlock: {cidr: 172.18.0.2/32}}]}]")),
                masqueraded, wire),
            "allow policy");
}

// The same on the wire, where equal ports betray a forger.
TEST(MeaningAttack, A90AHairpinPassesAndALandPacketDoesNot) {
  AttackBench bench(ProgramOf(kPodCidr + Server() + Ingress("[]")));
  const auto to_itself = [](uint16_t src_port) {
    return Ethernet(0x0800, Packet(Ipv4{.src = "10.0.0.2", .dst = "10.0.0.2"},
                                   Segment({.src_port = src_port, .dst_port = 80})));
  };
  EXPECT_EQ(bench.Outcome(to_itself(40000)), "allow loopback");
  EXPECT_EQ(bench.Outcome(to_itself(80)), "deny land");
}

TEST(MeaningAttack, A101APodThatIsNotKnownYetMatchesNoSelector) {
  const std::string selectors = "[{from: [{podSelector: {}}, {namespaceSelector: {}}]}]";
  const std::string world = kPodCidr + Server() + Ingress(selectors);
  const Question from_new{"10.0.0.50", "10.0.0.2"};
  const Question to_new{"10.0.0.2", "10.0.0.50"};
  const ClassifyOptions live{.deny_unknown_pod = true};
  EXPECT_EQ(Ask(ProgramOf(world), from_new), "deny policy");
  EXPECT_EQ(Ask(ProgramOf(world), from_new, live), "deny unknown_pod");
  EXPECT_EQ(Ask(ProgramOf(world), to_new, live), "deny unknown_pod");
  EXPECT_EQ(Ask(ProgramOf(world + PolicyYaml("x", "out",
                                             "{podSelector: {}, policyTypes: [Egress], egress: "
                                             "[{to: [{podSelector: {}}]}]}")),
                to_new),
            "deny policy");
  // A block that covers it is no selector; live, nobody knows yet who it is.
  const std::string block =
      kPodCidr + Server() + Ingress("[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]");
  EXPECT_EQ(Ask(ProgramOf(block), from_new), "allow policy");
  EXPECT_EQ(Ask(ProgramOf(block), from_new, live), "deny unknown_pod");

  AttackBench bench(ProgramOf(world), {.classify = live});
  const Bytes syn =
      Ethernet(0x0800, Packet(Ipv4{.src = "10.0.0.50", .dst = "10.0.0.2"}, Segment({})));
  EXPECT_EQ(bench.Outcome(syn), "deny unknown_pod");
  bench.worker.Replace(ProgramOf(world + PodYaml("x", "late", "10.0.0.50", "app: late")));
  EXPECT_EQ(bench.Outcome(syn), "allow policy");
}

TEST(MeaningAttack, A103APodThatHasEndedHasNoAddress) {
  const std::string rule = Ingress("[{from: [{podSelector: {matchLabels: {app: old}}}]}]");
  const std::string deny_old = PolicyYaml(
      "x", "old", "{podSelector: {matchLabels: {app: old}}, policyTypes: [Ingress, Egress]}");
  const std::string late = PodOnNode("late", "10.0.0.5", "Running");
  for (const std::string phase : {"Succeeded", "Failed"}) {
    const std::string old = PodOnNode("old", "10.0.0.5", phase);
    for (const std::string& pods : {old + late, late + old}) {
      const Program program = ProgramOf(kPodCidr + Server() + pods + rule);
      EXPECT_EQ(Ask(program, {"10.0.0.5", "10.0.0.2"}), "deny policy") << phase;
      // Nor is the one that has its address now isolated as the old one was.
      const Program freed = ProgramOf(kPodCidr + pods + deny_old);
      EXPECT_EQ(Ask(freed, {"10.0.0.5", "198.51.100.1"}), "allow no_policy") << phase;
    }
    const Program alone = ProgramOf(kPodCidr + Server() + old + rule);
    EXPECT_EQ(Ask(alone, {"10.0.0.5", "10.0.0.2"}, {.deny_unknown_pod = true}), "deny unknown_pod");
  }
  const Program running =
      ProgramOf(kPodCidr + Server() + PodOnNode("old", "10.0.0.5", "Running") + rule);
  EXPECT_EQ(Ask(running, {"10.0.0.5", "10.0.0.2"}), "allow policy") << "as long as it ran";
}

TEST(MeaningAttack, A108APolicyOfADeletedOnesNameHasNoneOfItsRules) {
  const std::string client = PodYaml("x", "client", "10.0.0.1", "app: client");
  const auto world = [&](const std::string& policy) {
    return ProgramOf(kPodCidr + Server() + client + policy);
  };
  const auto send = [](uint16_t port, uint8_t flags) {
    return Ethernet(0x0800, Packet(Ipv4{.src = "10.0.0.1", .dst = "10.0.0.2"},
                                   Segment({.dst_port = port,
                                            .flags = flags,
                                            .sequence = flags == kSyn ? 0u : 1u,
                                            .window = 100})));
  };
  const std::string before = Ingress("[{ports: [{port: 80}]}]");
  const std::string after = Ingress("[{ports: [{port: 81}]}]");
  for (const bool seen_apart : {false, true}) {  // as two changes, or as one
    AttackBench bench(world(before));
    EXPECT_EQ(bench.Outcome(send(80, kSyn)), "allow policy");
    EXPECT_EQ(bench.Outcome(send(81, kSyn)), "deny policy");
    if (seen_apart) {
      bench.worker.Replace(world(""));
      EXPECT_EQ(bench.Outcome(send(82, kSyn)), "allow no_policy");
    }
    bench.worker.Replace(world(after));
    EXPECT_EQ(bench.Outcome(send(80, kSyn)), "deny policy") << "of the connection, too";
    EXPECT_EQ(bench.Outcome(send(81, kSyn)), "allow policy");
    EXPECT_EQ(bench.Outcome(send(82, kSyn)), "deny policy");
  }
}

struct Row {
  std::string rules;      // `ingress`
  std::string questions;  // of kAskers, which are allowed
};

// c: a pod of namespace x; o: one of namespace away; e: an outside address; u: c by UDP; i: c by
// ICMP.
std::string Allowed(const std::string& world, const std::string& rules) {
  const Program program = ProgramOf(world + Ingress(rules));
  std::string allowed;
  const auto ask = [&](char name, const Question& question) {
    if (Ask(program, question).starts_with("allow")) allowed += name;
  };
  ask('c', {"10.0.0.1", "10.0.0.2"});
  ask('o', {"10.0.1.1", "10.0.0.2"});
  ask('e', {"198.51.100.1", "10.0.0.2"});
  ask('u', {"10.0.0.1", "10.0.0.2", 80, kProtocolUdp});
  ask('i', {"10.0.0.1", "10.0.0.2", 0, kProtocolIcmp});
  return allowed;
}

std::string Askers() {
  return kPodCidr + Server() + PodYaml("x", "client", "10.0.0.1", "app: client") +
         PodYaml("away", "other", "10.0.1.1", "app: client");
}

TEST(MeaningAttack, A111WhatIsAbsentIsEverythingAndWhatResolvesToNothingIsNothing) {
  const std::vector<Row> rows = {
      {"[]", ""},
      {"[{}]", "coeui"},
      {"[{from: []}]", "coeui"},
      {"[{from: null, ports: null}]", "coeui"},
      {"[{ports: []}]", "coeui"},
      {"[{ports: [{}]}]", "coe"},  // TCP (R22)
      {"[{from: [], ports: [{port: 80}]}]", "coe"},
      {"[{from: [{podSelector: {}}]}]", "cui"},
      {"[{from: [{namespaceSelector: {}}]}]", "coui"},
      {"[{from: [{podSelector: {matchLabels: {app: nobody}}}]}]", ""},
      {"[{from: [{namespaceSelector: {matchLabels: {team: nobody}}}]}]", ""},
      {"[{from: [{namespaceSelector: {matchLabels: {team: red}}, podSelector: {}}]}]", "o"},
      {"[{from: [{podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}]}]", ""},
      {"[{from: [{podSelector: {matchLabels: {app: nobody}}}]}, {ports: [{port: 81}]}]", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Allowed(Askers(), row.rules), row.questions) << row.rules;
  }
  // Nobody's peer set does not become anybody's when it is the only one, or one of two.
  EXPECT_EQ(Allowed(Askers(),
                    "[{from: [{podSelector: {matchLabels: {app: nobody}}}, "
                    "{ipBlock: {cidr: 198.51.100.0/24}}]}]"),
            "e");
}

// What is wrong with a policy, or nothing.
std::string Fault(const std::string& yaml) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(yaml, "p.yaml", {}, builder, diagnostics, report);
  const bool built = builder.Build(diagnostics).ok();
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) return diagnostic.field + ": " + diagnostic.detail;
  }
  return built ? "" : "refused without a word";
}

TEST(MeaningAttack, A112ABlockHoldsWhatIsInItAndInNoneOfItsExcepts) {
  struct Case {
    std::string block;  // cidr and except
    std::vector<std::string> in, out;
  };
  const std::vector<Case> cases = {
      {"cidr: 20.0.0.0/8", {"20.0.0.0", "20.255.255.255"}, {"19.255.255.255", "21.0.0.0"}},
      {"cidr: 20.0.0.0/8, except: [20.1.0.0/16, 20.1.2.0/24]",  // one within the other
       {"20.0.255.255", "20.2.0.0"},
       {"20.1.0.0", "20.1.2.3", "20.1.255.255"}},
      {"cidr: 20.0.0.0/8, except: [20.1.2.0/24, 20.1.2.0/24]",
       {"20.1.1.255", "20.1.3.0"},
       {"20.1.2.0"}},
      {"cidr: 0.0.0.0/0, except: [128.0.0.0/1]", {"1.0.0.0", "127.255.255.255"}, {"128.0.0.0"}},
      {"cidr: 20.0.0.7/32", {"20.0.0.7"}, {"20.0.0.6", "20.0.0.8"}},
      {"cidr: 20.0.0.0/31, except: [20.0.0.1/32]", {"20.0.0.0"}, {"20.0.0.1", "20.0.0.2"}},
      {"cidr: 20.1.2.3/8, except: [20.9.9.9/16]",  // host bits mean nothing
       {"20.0.0.0", "20.8.255.255"},
       {"20.9.0.0", "20.9.255.255"}},
      {"cidr: '::/0', except: ['2001:db8::/33']",
       {"2001:db8:8000::", "::2:0:0:1"},
       {"2001:db8::", "2001:db8:7fff::1", "20.0.0.1"}},
  };
  const std::string world = kPodCidr + PodYaml("x", "server", "10.0.0.2", "app: server") +
                            PodYaml("x", "server6", "fd00::2", "app: server");
  for (const Case& c : cases) {
    const Program program = ProgramOf(world + Ingress("[{from: [{ipBlock: {" + c.block + "}}]}]"));
    const auto ask = [&](const std::string& src) {
      return Ask(program, {src, src.find(':') == std::string::npos ? "10.0.0.2" : "fd00::2"});
    };
    for (const std::string& src : c.in)
      EXPECT_EQ(ask(src), "allow policy") << c.block << " " << src;
    for (const std::string& src : c.out)
      EXPECT_EQ(ask(src), "deny policy") << c.block << " " << src;
  }
  // An except cuts its own block only.
  const Program other =
      ProgramOf(world + Ingress("[{from: [{ipBlock: {cidr: 20.0.0.0/8, except: "
                                "[20.1.0.0/16]}}, {ipBlock: {cidr: 20.1.2.0/24}}]}]"));
  EXPECT_EQ(Ask(other, {"20.1.2.9", "10.0.0.2"}), "allow policy");
  EXPECT_EQ(Ask(other, {"20.1.3.0", "10.0.0.2"}), "deny policy");
}

TEST(MeaningAttack, A112AnExceptThatIsNotWithinItsBlockIsAnError) {
  const auto fault = [](const std::string& block) {
    return Fault(Ingress("[{from: [{ipBlock: {" + block + "}}]}]"));
  };
  EXPECT_EQ(fault("cidr: 20.0.0.0/8, except: [20.0.0.0/9]"), "");
  for (const std::string except : {"21.0.0.0/8", "20.0.0.0/7", "20.0.0.0/8", "'2001:db8::/32'"}) {
    const std::string text = fault("cidr: 20.0.0.0/8, except: [" + except + "]");
    EXPECT_NE(text.find("except[0]"), std::string::npos) << except << ": " << text;
  }
}

// A pod may bear any label; a namespace is what its own object says.
TEST(MeaningAttack, A113LabelsOfAPodSayNothingOfItsNamespace) {
  const std::string forged =
      "kubernetes.io/metadata.name: away, io.kubernetes.pod.namespace: away, team: red, "
      "k8s.namespace: away, app: client";
  const std::string world = kPodCidr + Server() + PodYaml("x", "client", "10.0.0.1", forged) +
                            PodYaml("away", "other", "10.0.1.1", "kubernetes.io/metadata.name: x");
  const std::vector<Row> rows = {
      {"[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: away}}}]}]", "o"},
      {"[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}]}]", "cui"},
      {"[{from: [{namespaceSelector: {matchLabels: {io.kubernetes.pod.namespace: away}}}]}]", ""},
      {"[{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]", "o"},
      {"[{from: [{podSelector: {matchLabels: {kubernetes.io/metadata.name: away}}}]}]", "cui"},
      {"[{from: [{podSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}]}]", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(Allowed(world, row.rules), row.questions) << row.rules;
  // Nor does the label of a namespace that imitates another one's name.
  const std::string liar = R"(---
{apiVersion: v1, kind: Namespace, metadata: {name: z, labels: {kubernetes.io/metadata.name: away}}}
)" + PodYaml("z", "liar", "10.0.2.1", "app: client");
  const Program program = ProgramOf(world + liar + Ingress(rows[0].rules));
  EXPECT_EQ(Ask(program, {"10.0.2.1", "10.0.0.2"}), "deny policy");
}

TEST(MeaningAttack, A114ANamedPortIsEachDestinationsOwn) {
  const auto pod = [](const std::string& name, const std::string& ip, const std::string& ports) {
    return "---\n{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: x, labels: {app: server}}, spec: {containers: [" + ports +
           "]}, status: {phase: Running, podIPs: [{ip: " + ip + "}]}}\n";
  };
  const std::string world =
      kPodCidr + PodYaml("x", "client", "10.0.0.1", "app: client") +
      pod("a", "10.0.0.11", "{name: c, ports: [{name: web, containerPort: 8080}]}") +
      pod("b", "10.0.0.12", "{name: c, ports: [{name: web, containerPort: 9090}]}") +
      pod("u", "10.0.0.13", "{name: c, ports: [{name: web, containerPort: 53, protocol: UDP}]}") +
      pod("two", "10.0.0.14",
          "{name: c, ports: [{name: web, containerPort: 7001}]}, {name: d, ports: [{name: web, "
          "containerPort: 7002}]}") +
      pod("none", "10.0.0.15", "{name: c}");
  const std::string egress =
      PolicyYaml("x", "p",
                 "{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: "
                 "[{ports: [{port: web}]}]}");
  for (const std::string& policy : {Ingress("[{ports: [{port: web}]}]"), egress}) {
    const Program program = ProgramOf(world + policy);
    const auto allowed = [&](const std::string& last, uint8_t protocol = kProtocolTcp) {
      std::string ports;
      for (const uint16_t port :
           std::initializer_list<uint16_t>{0, 53, 80, 7000, 7001, 7002, 7003, 8080, 9090, 65535}) {
        const Question question{"10.0.0.1", "10.0.0." + last, port, protocol};
        if (Ask(program, question) == "allow policy") ports += std::to_string(port) + " ";
      }
      return ports;
    };
    EXPECT_EQ(allowed("11"), "8080 ");
    EXPECT_EQ(allowed("12"), "9090 ");
    EXPECT_EQ(allowed("13"), "") << "the rule is for TCP, the name for UDP";
    EXPECT_EQ(allowed("13", kProtocolUdp), "");
    EXPECT_EQ(allowed("14"), "7001 7002 ");
    EXPECT_EQ(allowed("15"), "");
  }
}

}  // namespace
}  // namespace npf::testing
