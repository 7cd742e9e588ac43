#include "conformance/rules.h"

#include <cstdlib>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/fixture.h"
#include "conformance/tier_rules.h"
#include "npf/load.h"
#include "testing/cluster.h"

namespace npf::testing {
namespace {

// Two nodes; namespaces shop (blue) and ops (red), and `lost`, of which there is no object. Pods of
// one label, app=web, differ in what their port http is. The finished pod's address is used again.
constexpr char kCluster[] = R"(
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: blue, kubernetes.io/metadata.name: wrong}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: ops, labels: {team: red, env: ""}}}
- {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {app: web, zone: a}}, spec: {podCIDRs: [10.1.1.0/24, "fd00:1::/64"]},
   status: {addresses: [{type: InternalIP, address: 172.18.0.2}, {type: InternalIP, address: "fd00:172::2"}, {type: Hostname, address: n1}]}}
- {apiVersion: v1, kind: Node, metadata: {name: n2, labels: {zone: b}}, spec: {podCIDRs: [10.1.2.0/24]},
   status: {addresses: [{type: InternalIP, address: 172.18.0.3}, {type: ExternalIP, address: 203.0.113.3}]}}
- {apiVersion: v1, kind: Service, metadata: {namespace: shop, name: db}, spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web, labels: {app: web, tier: front}},
   spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 5353, protocol: UDP}]}]},
   status: {phase: Running, podIP: 10.1.1.10, podIPs: [{ip: 10.1.1.10}, {ip: "fd00:1::10"}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db, labels: {app: db}},
   spec: {nodeName: n2, containers: [{name: c, ports: [{name: http, containerPort: 9090}, {name: sql, containerPort: 5432}]}]},
   status: {phase: Running, podIP: 10.1.2.10, podIPs: [{ip: 10.1.2.10}, {ip: "fd00:2::10"}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: bare}, spec: {nodeName: n1, containers: [{name: c}]},
   status: {phase: Running, podIP: 10.1.1.11, podIPs: [{ip: 10.1.1.11}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: web, labels: {app: web, tier: ""}},
   spec: {nodeName: n2, containers: [{name: a, ports: [{name: http, containerPort: 7070}]}, {name: b, ports: [{name: http, containerPort: 7071}, {name: http, containerPort: 7072, protocol: UDP}]}],
          initContainers: [{name: sidecar, restartPolicy: Always, ports: [{name: admin, containerPort: 9901}]}, {name: setup, ports: [{name: admin, containerPort: 9902}]}]},
   status: {phase: Running, podIP: 10.1.2.20, podIPs: [{ip: 10.1.2.20}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: mon, labels: {app: mon}}, spec: {nodeName: n1, containers: [{name: c}]},
   status: {phase: Pending, podIP: 10.1.1.21, podIPs: [{ip: 10.1.1.21}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: lost, name: x, labels: {app: web}}, spec: {containers: [{name: c}]},
   status: {podIP: 10.1.2.30, podIPs: [{ip: 10.1.2.30}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: done, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c}]},
   status: {phase: Succeeded, podIP: 10.1.1.12, podIPs: [{ip: 10.1.1.12}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: reuse, labels: {app: reuse}}, spec: {nodeName: n1, containers: [{name: c}]},
   status: {phase: Running, podIP: 10.1.1.12, podIPs: [{ip: 10.1.1.12}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: failed, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c}]},
   status: {phase: Failed, podIP: 10.9.9.9, podIPs: [{ip: 10.9.9.9}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: agent, labels: {app: web}}, spec: {nodeName: n1, hostNetwork: true, containers: [{name: c}]},
   status: {phase: Running, podIP: 172.18.0.99, podIPs: [{ip: 172.18.0.99}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: old, labels: {app: old}, creationTimestamp: "2026-01-01T00:00:00Z"},
   spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.1.1.40, podIPs: [{ip: 10.1.1.40}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: new, labels: {app: new}, creationTimestamp: "2026-01-02T00:00:00Z"},
   spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.1.1.40, podIPs: [{ip: 10.1.1.40}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: dying, labels: {app: dying}, creationTimestamp: "2026-01-03T00:00:00Z", deletionTimestamp: "2026-01-04T00:00:00Z"},
   spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.1.1.40, podIPs: [{ip: 10.1.1.40}]}}
)";

// What `domainNames` of cluster-wide policies can match.
const std::vector<ResolvedName>& Names() {
  static const std::vector<ResolvedName> kNames = {
      {"example.com", "192.0.2.7", 0, {}},       {"www.Example.com.", "192.0.2.8", 0, {}},
      {"www.example.com", "10.1.2.10", 0, {}},   {"a.b.example.com", "192.0.2.9", 0, {}},
      {"six.example.com", "2001:db8::7", 0, {}}, {"badexample.com", "192.0.2.10", 0, {}}};
  return kNames;
}

const std::map<std::string, std::string>& Addresses() {
  static const std::map<std::string, std::string> kAddresses = {
      {"web", "10.1.1.10"},      {"web6", "fd00:1::10"},    {"db", "10.1.2.10"},
      {"db6", "fd00:2::10"},     {"bare", "10.1.1.11"},     {"ops-web", "10.1.2.20"},
      {"mon", "10.1.1.21"},      {"lost", "10.1.2.30"},     {"reuse", "10.1.1.12"},
      {"failed", "10.9.9.9"},    {"agent", "172.18.0.99"},  {"shared", "10.1.1.40"},
      {"n1", "172.18.0.2"},      {"n1-6", "fd00:172::2"},   {"n2", "172.18.0.3"},
      {"n2-ext", "203.0.113.3"}, {"service", "10.96.0.10"}, {"unknown", "10.1.1.99"},
      {"world", "192.0.2.7"},    {"world6", "2001:db8::7"}};
  return kAddresses;
}

// A policy of namespace shop; `spec` continues a flow mapping.
std::string Policy(const std::string& name, const std::string& spec,
                   const std::string& ns = "shop") {
  return absl::StrCat(
      "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
      "{namespace: ",
      ns, ", name: ", name, "}\nspec: {", spec, "}\n");
}

constexpr char kWeb[] = "podSelector: {matchLabels: {app: web}}";
constexpr char kDb[] = "podSelector: {matchLabels: {app: db}}";
constexpr char kAll[] = "podSelector: {}";

std::string From(const char* subject, const std::string& rule) {
  return Policy("p", absl::StrCat(subject, ", policyTypes: [Ingress], ingress: [", rule, "]"));
}
std::string To(const char* subject, const std::string& rule) {
  return Policy("p", absl::StrCat(subject, ", policyTypes: [Egress], egress: [", rule, "]"));
}

std::vector<RuleExample> IsolationExamples() {
  return {
      {"R1 isolation per direction, R2 default allow",
       Policy("p", "podSelector: {}, policyTypes: [Ingress]"),
       {"ops-web db TCP/80 in policy", "db ops-web TCP/80 allow no_policy",
        "mon ops-web TCP/80 allow no_policy", "ops-web web TCP/0 in policy"}},
      {"R1 isolation of egress only",
       Policy("p", "podSelector: {}, policyTypes: [Egress]"),
       {"db mon TCP/80 out policy", "mon db TCP/80 allow no_policy", "web db TCP/80 out policy"}},
      {"R3 policies add up",
       absl::StrCat(
           From(kDb, "{ports: [{port: 80}]}"),
           Policy("q", "podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 81}]}]"),
           Policy("r", "podSelector: {}, policyTypes: [Ingress]")),
       {"web db TCP/80 allow policy", "web db TCP/81 allow policy", "web db TCP/82 in policy",
        "db web TCP/80 in policy", "db web TCP/81 allow policy"}},
      {"R4 both ends must allow",
       absl::StrCat(From(kDb, "{from: [{podSelector: {}}]}"),
                    Policy("q", "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]")),
       {"web db TCP/80 out policy", "bare db TCP/80 allow policy", "mon db TCP/80 in policy",
        "web world TCP/80 out policy", "world db TCP/80 in policy"}},
      {"R4 both ends deny",
       Policy("p", "podSelector: {}, policyTypes: [Ingress, Egress]"),
       {"web db TCP/80 both policy", "web world TCP/80 out policy", "world db TCP/80 in policy"}},
      {"R5 no rules allow nothing, R6 a rule {} allows everything",
       absl::StrCat(Policy("q", absl::StrCat(kDb, ", ingress: []")), From(kWeb, "{}"),
                    Policy("r", "podSelector: {matchLabels: {app: new}}, ingress: null")),
       {"web db TCP/80 in policy", "world db UDP/53 in policy", "world web SCTP/7 allow policy",
        "world web ICMP allow policy", "world web 47 allow policy", "web shared TCP/80 in policy"}},
      {"R7 policyTypes absent: ingress, and egress where there are egress rules",
       absl::StrCat(Policy("p", absl::StrCat(kDb, ", egress: [{ports: [{port: 80}]}]")),
                    Policy("q", absl::StrCat(kWeb, ", ingress: [{ports: [{port: 80}]}]"))),
       {"db mon TCP/80 allow policy", "db mon TCP/81 out policy", "mon db TCP/80 in policy",
        "web mon TCP/81 allow no_policy", "mon web TCP/80 allow policy",
        "mon web TCP/81 in policy"}},
      {"R7 an empty egress list adds nothing",
       Policy("p", absl::StrCat(kDb, ", egress: []")),
       {"db mon TCP/80 allow no_policy", "mon db TCP/80 in policy"}},
      {"R7 an empty list of types is as absent",
       Policy("p", absl::StrCat(kDb, ", policyTypes: [], egress: [{}]")),
       {"db mon TCP/80 allow policy", "mon db TCP/80 in policy"}},
      {"R8 rules of a direction that is not a type are ignored",
       Policy("p", absl::StrCat(
                       kDb, ", policyTypes: [Egress, Egress], ingress: [{ports: [{port: 80}]}]")),
       {"mon db TCP/81 allow no_policy", "db mon TCP/80 out policy"}},
      {"R9 podSelector {} or absent: the policy's own namespace only",
       Policy("p", "ingress: []", "ops"),
       {"web ops-web TCP/80 in policy", "web mon TCP/80 in policy",
        "mon web TCP/80 allow no_policy"}},
  };
}

std::vector<RuleExample> SelectorExamples() {
  const auto expression = [](const std::string& text) {
    return From(
        kDb, absl::StrCat("{from: [{namespaceSelector: {}, podSelector: {matchExpressions: [", text,
                          "]}}]}"));
  };
  return {
      {"R10 In",
       expression("{key: tier, operator: In, values: [front, back]}"),
       {"web db TCP/80 allow policy", "ops-web db TCP/80 in policy", "bare db TCP/80 in policy"}},
      {"R10 NotIn: an absent key matches",
       expression("{key: tier, operator: NotIn, values: [front]}"),
       {"web db TCP/80 in policy", "ops-web db TCP/80 allow policy",
        "bare db TCP/80 allow policy"}},
      {"R10 Exists",
       expression("{key: tier, operator: Exists}"),
       {"web db TCP/80 allow policy", "ops-web db TCP/80 allow policy",
        "bare db TCP/80 in policy"}},
      {"R10 DoesNotExist: an empty value exists",
       expression("{key: tier, operator: DoesNotExist}"),
       {"web db TCP/80 in policy", "ops-web db TCP/80 in policy", "bare db TCP/80 allow policy"}},
      {"R10 all must hold",
       expression("{key: app, operator: In, values: [web]}, {key: tier, operator: NotIn, values: "
                  "[front]}"),
       {"web db TCP/80 in policy", "ops-web db TCP/80 allow policy", "mon db TCP/80 in policy"}},
      {"R13 an empty value is a value",
       From(kDb, "{from: [{namespaceSelector: {}, podSelector: {matchLabels: {tier: ''}}}]}"),
       {"ops-web db TCP/80 allow policy", "bare db TCP/80 in policy", "web db TCP/80 in policy"}},
      {"R13 case counts",
       From(kDb, "{from: [{podSelector: {matchLabels: {app: Web}}}]}"),
       {"web db TCP/80 in policy"}},
      {"R12 metadata.name is the namespace's name, whatever its object says",
       From(kDb,
            "{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}"),
       {"web db TCP/80 allow policy", "mon db TCP/80 in policy", "lost db TCP/80 in policy"}},
      {"R63 a namespace without an object has its name only",
       From(kDb,
            "{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: "
            "DoesNotExist}]}}]}"),
       {"lost db TCP/80 allow policy", "web db TCP/80 in policy"}},
  };
}

std::vector<RuleExample> PeerExamples() {
  return {
      {"R11 R14 podSelector alone: pods of the policy's namespace",
       From(kDb, "{from: [{podSelector: {matchLabels: {app: web}}}]}"),
       {"web db TCP/80 allow policy", "ops-web db TCP/80 in policy", "lost db TCP/80 in policy"}},
      {"R15 namespaceSelector alone: all its pods, not the own namespace",
       From(kDb, "{from: [{namespaceSelector: {matchLabels: {team: red}}}]}"),
       {"ops-web db TCP/80 allow policy", "mon db TCP/80 allow policy", "web db TCP/80 in policy"}},
      {"R15 namespaceSelector {}: every pod, own namespace too; R19 nothing that is no pod",
       From(kDb, "{from: [{namespaceSelector: {}}]}"),
       {"ops-web db TCP/80 allow policy", "web db TCP/80 allow policy",
        "lost db TCP/80 allow policy", "world db TCP/80 in policy", "n1 db TCP/80 in policy",
        "unknown db TCP/80 in policy", "agent db TCP/80 in policy", "failed db TCP/80 in policy"}},
      {"R16 both selectors in one item must match",
       From(kDb,
            "{from: [{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: "
            "{app: web}}}]}"),
       {"ops-web db TCP/80 allow policy", "web db TCP/80 in policy", "mon db TCP/80 in policy"}},
      {"R17 one of several items is enough",
       From(kDb,
            "{from: [{namespaceSelector: {matchLabels: {team: red}}}, {podSelector: {matchLabels: "
            "{app: web}}}]}"),
       {"ops-web db TCP/80 allow policy", "web db TCP/80 allow policy",
        "bare db TCP/80 in policy"}},
      {"R18 from absent, null or []: anyone, pods or not",
       From(kDb,
            "{from: [], ports: [{port: 80}]}, {from: null, ports: [{port: 81}]}, {ports: [{port: "
            "82}]}"),
       {"world db TCP/80 allow policy", "unknown db TCP/81 allow policy",
        "web db TCP/82 allow policy", "n1 db TCP/82 allow policy", "web db TCP/83 in policy"}},
  };
}

std::vector<RuleExample> PortExamples() {
  return {
      {"R20 peers and ports must both match; no ports is every protocol",
       From(kDb,
            "{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}, {port: 53, "
            "protocol: UDP}]}, "
            "{from: [{podSelector: {matchLabels: {app: old}}}], ports: []}, "
            "{from: [{namespaceSelector: {matchLabels: {team: red}}}], ports: null}"),
       {"web db TCP/80 allow policy", "web db UDP/53 allow policy", "web db UDP/80 in policy",
        "bare db TCP/80 in policy", "mon db SCTP/9 allow policy", "mon db ICMP allow policy",
        "web db ICMP in policy"}},
      {"R21 port absent: every port of the protocol, R22 protocol absent: TCP",
       From(kDb, "{ports: [{}]}"),
       {"web db TCP/1 allow policy", "web db TCP/65535 allow policy", "web db TCP/0 allow policy",
        "web db UDP/1 in policy", "web db ICMP in policy"}},
      {"R21 the port is the destination's, in egress too",
       To(kWeb, "{ports: [{port: 80}]}"),
       {"web db TCP/80 allow policy", "web db TCP/8080 out policy",
        "web world TCP/80 allow policy"}},
      {"R22 a number alone is TCP",
       From(kDb, "{ports: [{port: 53}]}"),
       {"web db TCP/53 allow policy", "web db UDP/53 in policy", "web db SCTP/53 in policy"}},
      {"R23 protocols are apart",
       From(kDb, "{ports: [{port: 80, protocol: SCTP}]}"),
       {"web db SCTP/80 allow policy", "web db TCP/80 in policy", "web db UDP/80 in policy"}},
      {"R24 endPort is inclusive",
       From(kDb, "{ports: [{port: 80, endPort: 90}, {port: 7, endPort: 7, protocol: UDP}]}"),
       {"web db TCP/79 in policy", "web db TCP/80 allow policy", "web db TCP/85 allow policy",
        "web db TCP/90 allow policy", "web db TCP/91 in policy", "web db UDP/7 allow policy",
        "web db UDP/8 in policy"}},
      {"R24 up to the last port",
       From(kDb, "{ports: [{port: 1, endPort: 65535}]}"),
       {"web db TCP/65535 allow policy", "web db TCP/1 allow policy", "web db TCP/0 in policy"}},
      {"R25 port 0 matches where no port is asked",
       From(kDb, "{ports: [{port: http}, {protocol: UDP}]}"),
       {"web db TCP/0 in policy", "web db UDP/0 allow policy"}},
      {"R26 a name is looked up on each selected pod, with its protocol",
       absl::StrCat(From(kAll, "{ports: [{port: http}]}"),
                    Policy("q", "podSelector: {}, ingress: [{ports: [{port: dns}]}]", "ops")),
       {"mon web TCP/8080 allow policy", "mon web TCP/9090 in policy",
        "mon db TCP/9090 allow policy", "mon db TCP/8080 in policy", "mon web UDP/8080 in policy",
        "mon bare TCP/8080 in policy", "web ops-web TCP/7070 in policy"}},
      {"R26 the protocol of the rule is the port's",
       From(kAll, "{ports: [{port: dns, protocol: UDP}, {port: dns}]}"),
       {"mon web UDP/5353 allow policy", "mon web TCP/5353 in policy"}},
      {"R27 in egress a name is looked up on the destination",
       To(kWeb, "{ports: [{port: http}]}"),
       {"web db TCP/9090 allow policy", "web db TCP/8080 out policy",
        "web ops-web TCP/7070 allow policy", "web world TCP/8080 out policy",
        "web world TCP/9090 out policy"}},
      {"R27 a block that covers a pod: the name is that pod's",
       To(kWeb, "{to: [{ipBlock: {cidr: 10.1.2.0/24}}], ports: [{port: http}]}"),
       {"web db TCP/9090 allow policy", "web db TCP/8080 out policy",
        "web 10.1.2.99 TCP/9090 out policy"}},
      {"R28 a name twice in a pod is both; sidecars count, other init containers do not",
       To(kWeb, "{ports: [{port: http}, {port: http, protocol: UDP}, {port: admin}]}"),
       {"web ops-web TCP/7070 allow policy", "web ops-web TCP/7071 allow policy",
        "web ops-web TCP/7072 out policy", "web ops-web UDP/7072 allow policy",
        "web ops-web TCP/9901 allow policy", "web ops-web TCP/9902 out policy"}},
      {"R28 a name that a pod lacks matches nothing, and isolates",
       From(kDb, "{ports: [{port: nosuch}]}"),
       {"web db TCP/80 in policy", "web db TCP/0 in policy"}},
  };
}

std::vector<RuleExample> BlockExamples() {
  return {
      {"R30 in cidr and in no except; an except cuts its own block only",
       From(kDb,
            "{from: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.0/29]}}, {ipBlock: {cidr: "
            "192.0.2.4/32}}]}"),
       {"192.0.1.255 db TCP/80 in policy", "192.0.2.0 db TCP/80 in policy",
        "192.0.2.4 db TCP/80 allow policy", "192.0.2.7 db TCP/80 in policy",
        "192.0.2.8 db TCP/80 allow policy", "192.0.2.255 db TCP/80 allow policy",
        "192.0.3.0 db TCP/80 in policy"}},
      {"R30 another rule may still allow what is excepted",
       absl::StrCat(
           From(kDb, "{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [192.0.2.0/24]}}]}"),
           Policy("q",
                  absl::StrCat(kDb, ", ingress: [{from: [{ipBlock: {cidr: 192.0.2.7/32}}]}]"))),
       {"world db TCP/80 allow policy", "192.0.2.8 db TCP/80 in policy",
        "203.0.113.9 db TCP/80 allow policy"}},
      {"R31 blocks match pods",
       From(kDb, "{from: [{ipBlock: {cidr: 10.1.1.0/24, except: [10.1.1.11/32]}}]}"),
       {"web db TCP/80 allow policy", "mon db TCP/80 allow policy", "bare db TCP/80 in policy",
        "ops-web db TCP/80 in policy", "unknown db TCP/80 allow policy"}},
      {"R32 families are apart",
       From("podSelector: {}",
            "{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 4}]}, "
            "{from: [{ipBlock: {cidr: '::/0', except: ['2001:db8::/33']}}], ports: [{port: 6}]}"),
       {"world web TCP/4 allow policy", "world web TCP/6 in policy", "world6 web6 TCP/4 in policy",
        "world6 web6 TCP/6 in policy", "2001:db8:8000:: web6 TCP/6 allow policy",
        "db6 web6 TCP/6 allow policy", "db web TCP/4 allow policy"}},
      {"R35 nested blocks of several policies",
       absl::StrCat(
           From(kDb, "{from: [{ipBlock: {cidr: 20.0.0.0/8, except: [20.1.0.0/16, 20.1.2.0/24]}}]}"),
           Policy("q", absl::StrCat(kDb, ", ingress: [{from: [{ipBlock: {cidr: 20.1.2.0/24}}]}]"))),
       {"20.1.2.3 db TCP/80 allow policy", "20.1.3.1 db TCP/80 in policy",
        "20.2.0.1 db TCP/80 allow policy"}},
  };
}

std::vector<RuleExample> AddressExamples() {
  const std::string deny_all = Policy("p", "podSelector: {}, policyTypes: [Ingress, Egress]");
  return {
      {"R36 a pod to itself, even where all is denied",
       deny_all,
       {"web web TCP/80 allow loopback", "web6 web6 TCP/80 allow loopback",
        "db db ICMP allow loopback"}},
      {"R37 from the pod's own node, every address of it; not from another; R38 not to it",
       deny_all,
       {"n1 web TCP/80 allow local_node", "n1 web ICMP allow local_node",
        "n1-6 web6 UDP/9 allow local_node", "agent web TCP/80 allow local_node",
        "n2 web TCP/80 in policy", "n2 db TCP/80 allow local_node",
        "n2-ext db TCP/80 allow local_node", "n1 db TCP/80 in policy", "web n1 TCP/80 out policy"}},
      {"R37 is no matter where all is allowed", From(kDb, "{}"), {"n2 db TCP/80 allow policy"}},
      {"R41 protocols without ports match rules without ports",
       From(kDb,
            "{from: [{podSelector: {}}], ports: [{port: 80}, {}, {protocol: UDP}]}, {from: "
            "[{podSelector: {matchLabels: {app: web}}}]}"),
       {"bare db ICMP in policy", "bare db 47 in policy", "bare db TCP/80 allow policy",
        "web db ICMP allow policy", "web6 db6 ICMPv6 allow policy", "web db 255 allow policy"}},
      {"R44 multicast is no pod",
       To(kWeb, "{to: [{ipBlock: {cidr: 224.0.0.0/4}}]}"),
       {"web 224.0.0.251 UDP/5353 allow policy", "web 239.255.255.255 UDP/1 allow policy",
        "web 240.0.0.0 UDP/1 out policy", "db 224.0.0.251 UDP/5353 allow no_policy"}},
      {"R49 both families are one pod",
       From("podSelector: {}", "{from: [{podSelector: {matchLabels: {app: db}}}]}"),
       {"db web TCP/80 allow policy", "db6 web6 TCP/80 allow policy", "bare web TCP/80 in policy"}},
      {"R50 a finished pod is not there; its address is the next pod's",
       absl::StrCat(
           From(kAll, "{from: [{podSelector: {matchLabels: {app: web}}}]}"),
           Policy("q", "podSelector: {matchLabels: {app: reuse}}, policyTypes: [Ingress]", "ops")),
       {"reuse db TCP/80 in policy", "web reuse TCP/80 in policy",
        "reuse mon TCP/80 allow no_policy", "failed db TCP/80 in policy",
        "world failed TCP/80 allow not_a_pod"}},
      {"R51 of pods with one address: not terminating, then newest",
       From("podSelector: {matchExpressions: [{key: app, operator: In, values: [old, dying]}]}",
            ""),
       {"web shared TCP/80 allow no_policy"}},
      {"R51 the winner is isolated",
       From("podSelector: {matchLabels: {app: new}}", ""),
       {"web shared TCP/80 in policy"}},
      {"R52 hostNetwork pods are no subjects and no selected peers",
       absl::StrCat(
           From(kWeb, ""),
           Policy("q",
                  absl::StrCat(kDb,
                               ", ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]"))),
       {"mon agent TCP/80 allow no_policy", "agent db TCP/80 in policy",
        "web db TCP/80 allow policy"}},
      {"R54 neither end a pod",
       deny_all,
       {"world n1 TCP/80 allow not_a_pod", "world world6 TCP/80 both malformed",
        "n1 n2 TCP/80 allow not_a_pod", "unknown world TCP/80 allow unknown_pod",
        "service unknown TCP/80 allow service_address"}},
      {"Service addresses and unknown pods are judged as external",
       From(kDb, "{from: [{namespaceSelector: {}}]}"),
       {"web service TCP/80 allow service_address", "unknown db TCP/80 in policy",
        "unknown web TCP/80 allow unknown_pod", "service db TCP/80 in service_address"}},
  };
}

}  // namespace

const std::vector<RuleExample>& RuleExamples() {
  static const std::vector<RuleExample> kExamples = [] {
    std::vector<RuleExample> all;
    for (const auto& group : {IsolationExamples(), SelectorExamples(), PeerExamples(),
                              PortExamples(), BlockExamples(), AddressExamples(), TierExamples()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }();
  return kExamples;
}

absl::StatusOr<Snapshot> RuleSnapshot(const RuleExample& example) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(absl::StrCat(kCluster, example.policies), example.rules, {.lenient = example.lenient},
           builder, diagnostics, report);
  for (const ResolvedName& name : Names()) builder.Add(name);
  return Finish(builder, diagnostics);
}

RuleRow ReadRow(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  const auto address = [](const std::string& name) {
    const auto known = Addresses().find(name);
    return Address(known == Addresses().end() ? name : known->second);
  };
  const std::pair<std::string, std::string> protocol = absl::StrSplit(words.at(2), '/');
  const std::string& outcome = words.at(3);
  RuleRow row;
  row.question = {address(words.at(0)), address(words.at(1)), ProtocolNumber(protocol.first),
                  static_cast<uint16_t>(std::atoi(protocol.second.c_str()))};
  row.ingress = outcome == "allow" || outcome == "out";
  row.egress = outcome == "allow" || outcome == "in";
  row.reason = words.at(4);
  return row;
}

}  // namespace npf::testing
