#include "conformance/tier_rules.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace npf::testing {
namespace {

constexpr char kEveryone[] = "namespaces: {}";
constexpr char kDb[] = "pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}";
constexpr char kWeb[] = "pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}";
constexpr char kShopWeb[] =
    "pods: {namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: "
    "web}}}";
// By address: what is no pod too.
constexpr char kDenyAllNetworks[] = "{action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}";

// `rules` continues a flow mapping: "ingress: [...]".
std::string Cluster(const std::string& tier, int priority, const std::string& name,
                    const std::string& subject, const std::string& rules) {
  return absl::StrCat("---\napiVersion: policy.networking.k8s.io/v1alpha2\n",
                      "kind: ClusterNetworkPolicy\nmetadata: {name: ", name,
                      "}\nspec: {tier: ", tier, ", priority: ", priority, ", subject: {", subject,
                      "}, ", rules, "}\n");
}
std::string Admin(int priority, const std::string& name, const std::string& subject,
                  const std::string& rules) {
  return Cluster("Admin", priority, name, subject, rules);
}
std::string Baseline(int priority, const std::string& name, const std::string& subject,
                     const std::string& rules) {
  return Cluster("Baseline", priority, name, subject, rules);
}

// v1alpha1: AdminNetworkPolicy, or BaselineAdminNetworkPolicy.
std::string Old(const std::string& kind, const std::string& name, const std::string& spec) {
  return absl::StrCat("---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: ", kind,
                      "\nmetadata: {name: ", name, "}\nspec: {", spec, "}\n");
}

// A NetworkPolicy of namespace shop.
std::string Policy(const std::string& app, const std::string& spec) {
  return absl::StrCat("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: ",
                      "{namespace: shop, name: p-", app,
                      "}\nspec: {podSelector: {matchLabels: ", "{app: ", app, "}}, ", spec, "}\n");
}

// "ingress: [{action: ACTION, from: [{PEER}]MORE}]".
std::string Ingress(const std::string& action, const std::string& peer,
                    const std::string& more = "") {
  return absl::StrCat("ingress: [{action: ", action, ", from: [{", peer, "}]", more, "}]");
}
std::string Egress(const std::string& action, const std::string& peer,
                   const std::string& more = "") {
  return absl::StrCat("egress: [{action: ", action, ", to: [{", peer, "}]", more, "}]");
}

std::vector<RuleExample> OrderExamples() {
  return {
      {"R80 Admin, then NetworkPolicies, then Baseline, then allow",
       absl::StrCat(
           Admin(5, "admin", kDb,
                 absl::StrCat("ingress: [{action: Deny, from: [{", kWeb,
                              "}], protocols: [{tcp: {destinationPort: {number: 1}}}]}, {action: "
                              "Accept, from: [{",
                              kWeb, "}], protocols: [{tcp: {destinationPort: {number: 2}}}]}]")),
           Policy("db", "ingress: [{ports: [{port: 1}, {port: 3}]}]"),
           Baseline(5, "baseline", kEveryone,
                    Ingress("Deny", kEveryone,
                            ", protocols: [{tcp: {destinationPort: {range: {start: 1, end: "
                            "4}}}}]"))),
       {"web db TCP/1 in tier", "web db TCP/2 allow tier", "web db TCP/3 allow policy",
        "web db TCP/4 in policy", "web bare TCP/4 in tier", "web bare TCP/5 allow no_policy"}},
      {"R80 both directions must allow: Accept of egress does not speak for ingress",
       absl::StrCat(Admin(5, "admin", kWeb, Egress("Accept", kEveryone)),
                    Policy("db", "policyTypes: [Ingress]"),
                    Baseline(5, "baseline", "namespaces: {matchLabels: {team: red}}",
                             Ingress("Deny", kWeb))),
       {"web db TCP/80 in policy", "web mon TCP/80 in tier", "web bare TCP/80 allow tier"}},
      {"R80 each direction has its own tier",
       absl::StrCat(Admin(5, "admin", kWeb, Egress("Deny", kDb)),
                    Policy("db", "policyTypes: [Ingress]")),
       {"web db TCP/80 both tier", "bare db TCP/80 in policy", "web bare TCP/80 allow no_policy"}},
      {"R81 the lower priority number is asked first, whatever the name",
       absl::StrCat(Admin(1, "z", kDb, Ingress("Accept", kWeb)),
                    Admin(2, "a", kDb, Ingress("Deny", kEveryone))),
       {"web db TCP/80 allow tier", "bare db TCP/80 in tier"}},
      {"R81 of the rules of a policy the first that matches decides",
       Admin(1, "a", kDb,
             absl::StrCat("ingress: [{action: Accept, from: [{", kWeb,
                          "}], protocols: [{tcp: {destinationPort: {number: 80}}}]}, {action: "
                          "Deny, from: [{",
                          kEveryone, "}]}, {action: Accept, from: [{", kEveryone, "}]}]")),
       {"web db TCP/80 allow tier", "web db TCP/81 in tier", "bare db TCP/80 in tier"}},
      {"R81 a policy that does not match isolates nothing",
       absl::StrCat(Admin(1, "a", kDb, Ingress("Accept", kWeb)),
                    Admin(2, "b", kDb, Ingress("Pass", kWeb)),
                    Baseline(1, "c", kDb, Ingress("Deny", kWeb))),
       {"web db TCP/80 allow tier", "bare db TCP/80 allow no_policy"}},
      {"R83 of equal priorities the name decides",
       absl::StrCat(Admin(5, "b", kDb, Ingress("Deny", kEveryone)),
                    Admin(5, "a", kDb, Ingress("Accept", kWeb))),
       {"web db TCP/80 allow tier", "bare db TCP/80 in tier"}},
      {"R83 of equal names the kind decides",
       absl::StrCat(
           Old("AdminNetworkPolicy", "a",
               absl::StrCat("priority: 5, subject: {", kDb, "}, ", Ingress("Deny", kEveryone))),
           Admin(5, "a", kDb, Ingress("Accept", kWeb))),
       {"web db TCP/80 allow tier", "bare db TCP/80 in tier"}},
  };
}

std::vector<RuleExample> PassExamples() {
  return {
      {"R82 Pass leaves the Admin tier, for NetworkPolicies",
       absl::StrCat(Admin(1, "a", kDb, Ingress("Pass", kWeb)),
                    Admin(2, "b", kDb, Ingress("Deny", kEveryone)),
                    Policy("db", "ingress: [{ports: [{port: 80}]}]"),
                    Baseline(1, "c", kDb, Ingress("Accept", kEveryone))),
       {"web db TCP/80 allow policy", "web db TCP/81 in policy", "bare db TCP/80 in tier"}},
      {"R82 Pass leaves the Admin tier, for Baseline where nothing isolates",
       absl::StrCat(Admin(1, "a", kDb, Ingress("Pass", kEveryone)),
                    Admin(2, "b", kDb, Ingress("Accept", kEveryone)),
                    Baseline(1, "c", kDb, Ingress("Deny", kWeb))),
       {"web db TCP/80 in tier", "bare db TCP/80 allow no_policy"}},
      {"R82 Pass leaves the Baseline tier, and all is allowed",
       absl::StrCat(Baseline(1, "a", kDb, Ingress("Pass", kWeb)),
                    Baseline(2, "b", kDb, Ingress("Deny", kEveryone))),
       {"web db TCP/80 allow no_policy", "bare db TCP/80 in tier"}},
      {"R84 NetworkPolicies are final only in the direction that they isolate",
       absl::StrCat(Policy("web", "policyTypes: [Ingress]"),
                    Baseline(1, "a", kWeb, Egress("Deny", kEveryone))),
       {"web mon TCP/80 out tier", "mon web TCP/80 in policy", "web world TCP/80 allow no_policy"}},
      {"R84 where they isolate, Baseline is not asked",
       absl::StrCat(Policy("db", "policyTypes: [Egress], egress: [{ports: [{port: 80}]}]"),
                    Baseline(1, "a", kEveryone,
                             absl::StrCat("egress: [{action: Deny, to: [{", kEveryone,
                                          "}], protocols: [{tcp: {destinationPort: {number: "
                                          "80}}}]}, {action: Accept, to: [{",
                                          kEveryone, "}]}]"))),
       {"db mon TCP/80 allow policy", "db mon TCP/81 out policy", "bare mon TCP/80 out tier",
        "bare mon TCP/81 allow tier"}},
      {"R91 the baseline of v1alpha1 comes before priority 1",
       absl::StrCat(Old("BaselineAdminNetworkPolicy", "default",
                        absl::StrCat("subject: {", kDb, "}, ", Ingress("Allow", kWeb))),
                    Baseline(1, "a", kDb, Ingress("Deny", kEveryone))),
       {"web db TCP/80 allow tier", "bare db TCP/80 in tier"}},
      {"R94 a policy without rules in a direction does not affect it",
       absl::StrCat(Admin(1, "a", kEveryone, Egress("Deny", kDb)),
                    Cluster("Admin", 2, "b", kEveryone, "ingress: []")),
       {"web db TCP/80 out tier", "web mon TCP/80 allow no_policy",
        "world db TCP/80 allow no_policy"}},
      {"R95 a pod to itself precedes all tiers; R37 only NetworkPolicies yield to the own node",
       absl::StrCat(Admin(1, "a", kEveryone, Egress("Deny", kEveryone)),
                    Policy("web", "policyTypes: [Ingress]"),
                    Baseline(1, "b", kEveryone, Ingress("Deny", kEveryone))),
       {"web web TCP/80 allow loopback", "web db TCP/80 both tier",
        "n1 web TCP/80 allow local_node", "n2 web TCP/80 in policy",
        "n2 db TCP/80 allow no_policy"}},
  };
}

std::vector<RuleExample> ClusterPeerExamples() {
  return {
      {"R85 namespaces: {} is every pod, and nothing that is no pod",
       Admin(1, "a", kEveryone,
             absl::StrCat(Ingress("Deny", kEveryone), ", ", Egress("Deny", kEveryone))),
       {"web db TCP/80 both tier", "lost mon TCP/80 both tier", "world db TCP/80 allow no_policy",
        "web world TCP/80 allow no_policy", "web n2 TCP/80 allow no_policy",
        "agent db TCP/80 allow no_policy", "unknown db TCP/80 allow unknown_pod"}},
      {"R85 namespaces and pods of them",
       Admin(1, "a", "namespaces: {matchLabels: {team: blue}}",
             Ingress("Deny",
                     "pods: {namespaceSelector: {matchLabels: {team: red}}, podSelector: "
                     "{matchLabels: {app: web}}}")),
       {"ops-web db TCP/80 in tier", "mon db TCP/80 allow no_policy",
        "web db TCP/80 allow no_policy", "ops-web mon TCP/80 allow no_policy"}},
      {"R85 the subject's selectors are ANDed",
       Admin(1, "a", kShopWeb, Ingress("Deny", kEveryone)),
       {"db web TCP/80 in tier", "db ops-web TCP/80 allow no_policy",
        "web db TCP/80 allow no_policy"}},
      {"R85 R52 pods on their host's network are no subjects",
       Admin(1, "a", kWeb, Ingress("Deny", kEveryone)),
       {"db agent TCP/80 allow no_policy", "db web TCP/80 in tier"}},
      {"R86 nodes are addresses of Nodes, not pods with their labels",
       Admin(1, "a", kEveryone, Egress("Deny", "nodes: {matchLabels: {app: web}}")),
       {"db n1 TCP/80 out tier", "db6 n1-6 TCP/80 out tier", "db n2 TCP/80 allow no_policy",
        "db web TCP/80 allow no_policy", "db agent TCP/80 allow no_policy"}},
      {"R86 nodes: {} is every address of every Node, and only these",
       Admin(1, "a", kEveryone, Egress("Deny", "nodes: {}")),
       {"db n2-ext ICMP out tier", "db n2 TCP/80 out tier", "db agent TCP/80 allow no_policy",
        "db world TCP/80 allow no_policy", "n1 n2 TCP/80 allow not_a_pod"}},
      {"R86 networks are addresses, those of pods too; R32 families are apart",
       Admin(1, "a", kEveryone, Egress("Deny", "networks: [10.1.2.0/28, 192.0.2.0/29]")),
       {"web db TCP/80 out tier", "web6 db6 TCP/80 allow no_policy",
        "web ops-web TCP/80 allow no_policy", "web world ICMP out tier",
        "web 192.0.2.8 TCP/80 allow no_policy", "web 10.1.2.15 TCP/80 out tier",
        "web 10.1.2.16 TCP/80 allow unknown_pod"}},
      {"R86 a whole family is no more than that; a Service's address is named as such",
       Admin(1, "a", kEveryone, Egress("Deny", "networks: [0.0.0.0/0]")),
       {"web world TCP/80 out tier", "web6 world6 TCP/80 allow no_policy",
        "web service TCP/80 out service_address", "world web TCP/80 allow no_policy"}},
      {"R87 *. is one or more labels, not the domain itself",
       Admin(1, "a", kWeb,
             absl::StrCat("egress: [{action: Accept, to: [{domainNames: ['*.example.com']}]}, ",
                          kDenyAllNetworks, "]")),
       {"web 192.0.2.8 TCP/443 allow tier", "web 192.0.2.9 TCP/443 allow tier",
        "web world TCP/443 out tier", "web 192.0.2.10 TCP/443 out tier",
        "web db TCP/443 allow tier", "web6 world6 TCP/443 allow tier"}},
      {"R87 a name is itself, whatever its case and with a dot or without",
       Admin(1, "a", kWeb,
             absl::StrCat("egress: [{action: Accept, to: [{domainNames: [Example.COM.]}]}, ",
                          kDenyAllNetworks, "]")),
       {"web world TCP/443 allow tier", "web 192.0.2.8 TCP/443 out tier",
        "web 192.0.2.10 TCP/443 out tier"}},
  };
}

std::vector<RuleExample> ClusterPortExamples() {
  const auto deny = [](const std::string& protocols) {
    return Admin(1, "a", kEveryone,
                 Ingress("Deny", kEveryone, absl::StrCat(", protocols: [", protocols, "]")));
  };
  const auto old_deny = [](const std::string& ports) {
    return Old("AdminNetworkPolicy", "a",
               absl::StrCat("priority: 1, subject: {namespaces: {}}, ",
                            Ingress("Deny", kEveryone, absl::StrCat(", ports: [", ports, "]"))));
  };
  return {
      {"R88 R92 without protocols a rule is about everything, ICMP too",
       Admin(1, "a", kDb, Ingress("Deny", kEveryone)),
       {"web db ICMP in tier", "web db 47 in tier", "web db SCTP/9 in tier", "web db TCP/0 in tier",
        "web6 db6 ICMPv6 in tier"}},
      {"R88 a number, of its protocol",
       deny("{tcp: {destinationPort: {number: 80}}}, {sctp: {destinationPort: {number: 81}}}"),
       {"web db TCP/80 in tier", "web db UDP/80 allow no_policy", "web db TCP/81 allow no_policy",
        "web db SCTP/81 in tier", "web db ICMP allow no_policy"}},
      {"R88 a range has both its ends",
       deny("{udp: {destinationPort: {range: {start: 80, end: 90}}}}"),
       {"web db UDP/79 allow no_policy", "web db UDP/80 in tier", "web db UDP/90 in tier",
        "web db UDP/91 allow no_policy", "web db TCP/85 allow no_policy"}},
      {"R88 tcp: {} is all of TCP",
       deny("{tcp: {}}"),
       {"web db TCP/0 in tier", "web db TCP/65535 in tier", "web db UDP/1 allow no_policy",
        "web db ICMP allow no_policy"}},
      {"R88 a name is of any protocol, and of the destination",
       Admin(1, "a", kWeb,
             Egress("Deny", kEveryone, ", protocols: [{destinationNamedPort: http}]")),
       {"web ops-web TCP/7070 out tier", "web ops-web TCP/7071 out tier",
        "web ops-web UDP/7072 out tier", "web ops-web TCP/7072 allow no_policy",
        "web db TCP/9090 out tier", "web db TCP/8080 allow no_policy",
        "web bare TCP/8080 allow no_policy", "web db TCP/0 allow no_policy"}},
      {"R88 a name is of the subject in ingress",
       deny("{destinationNamedPort: dns}"),
       {"db web UDP/5353 in tier", "db web TCP/5353 allow no_policy",
        "web db UDP/5353 allow no_policy"}},
      {"R88 ports of v1alpha1: TCP where no protocol is said, a range of one port",
       old_deny("{portNumber: {port: 80}}, {portRange: {protocol: UDP, start: 7, end: 7}}, "
                "{namedPort: sql}"),
       {"web db TCP/80 in tier", "web db UDP/80 allow no_policy", "web db UDP/7 in tier",
        "web db UDP/8 allow no_policy", "web db TCP/5432 in tier",
        "db web TCP/5432 allow no_policy"}},
      {"R88 an empty list of v1alpha1 is as absent",
       old_deny(""),
       {"web db TCP/80 in tier", "web db ICMP in tier"}},
  };
}

std::vector<RuleExample> UnknownExamples() {
  const std::string unknown = "}, {martians: {}";
  const std::string deny_all = Admin(2, "b", kDb, Ingress("Deny", kEveryone));
  return {
      {"R89 Deny with an unknown peer denies everything, from the own node too",
       Admin(1, "a", kDb,
             Ingress("Deny", absl::StrCat(kWeb, unknown),
                     ", protocols: [{tcp: {destinationPort: {number: 80}}}]")),
       {"web db TCP/80 in tier", "bare db UDP/81 in tier", "world db ICMP in tier",
        "n2 db TCP/80 in tier", "world web TCP/80 allow no_policy"},
       /*lenient=*/true},
      {"R89 Accept with an unknown peer matches nothing",
       absl::StrCat(Admin(1, "a", kDb, Ingress("Accept", absl::StrCat(kWeb, unknown))), deny_all),
       {"web db TCP/80 in tier", "world db TCP/80 allow no_policy"},
       /*lenient=*/true},
      {"R89 Pass with an unknown peer denies everything",
       Admin(1, "a", kWeb, Egress("Pass", absl::StrCat(kDb, unknown))),
       {"web db TCP/80 out tier", "web world UDP/9 out tier", "bare db TCP/80 allow no_policy"},
       /*lenient=*/true},
      {"R89 a protocol of an unknown kind is as an unknown peer",
       Baseline(1, "a", kDb, Ingress("Deny", kWeb, ", protocols: [{quic: {}}]")),
       {"web db TCP/80 in tier", "world db ICMP in tier"},
       /*lenient=*/true},
      {"R89 a subject of an unknown kind selects nothing",
       absl::StrCat(Admin(1, "a", "martians: {}", Ingress("Accept", kEveryone)), deny_all),
       {"web db TCP/80 in tier", "db web TCP/80 allow no_policy"},
       /*lenient=*/true},
  };
}

}  // namespace

std::vector<RuleExample> TierExamples() {
  std::vector<RuleExample> all;
  for (const auto& group : {OrderExamples(), PassExamples(), ClusterPeerExamples(),
                            ClusterPortExamples(), UnknownExamples()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace npf::testing
