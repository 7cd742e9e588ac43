// What list and diff answer from: names of ends, sets of ports and addresses, and what rows say of
// small clusters that people can check by eye. analysis_brute_test.cc has the proof at large.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analysis/addresses.h"
#include "analysis/difference.h"
#include "analysis/ends.h"
#include "analysis/exposure.h"
#include "analysis/listing.h"
#include "npf/compiler.h"
#include "npf/load.h"

namespace npf::analysis {
namespace {

using Lines = std::vector<std::string>;

Snapshot Load(const std::string& yaml, bool new_pods = false) {
  SnapshotOptions options;
  options.assume_addresses = true;
  options.new_pods = new_pods;
  SnapshotBuilder builder(options);
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(yaml, "test.yaml", {}, builder, diagnostics, report);
  auto snapshot = builder.Build(diagnostics);
  EXPECT_TRUE(snapshot.ok());
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) ADD_FAILURE() << diagnostic.detail;
  }
  return *snapshot;
}

SceneSide SideOf(const Snapshot& snapshot) { return {*Compile(snapshot), snapshot}; }

std::string Join(const Lines& labels) {
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

std::string Text(const Scene& scene, const std::vector<uint32_t>& from,
                 const std::vector<uint32_t>& to, const std::string& ports, uint8_t families) {
  const EndNamer namer(scene);
  const uint8_t shown = families & FamiliesOf(scene, from, to);
  const std::string note = families == kIpv4Only ? " v4" : families == kIpv6Only ? " v6" : "";
  return Join(namer.Labels(namer.Of(from, shown))) + " > " +
         Join(namer.Labels(namer.Of(to, shown))) + ": " + ports + note;
}

Lines List(const std::string& yaml) {
  const Scene scene({SideOf(Load(yaml))});
  PortSets ports;
  Connectivity side(scene.side(0).program, {}, ports);
  const Listing listing = ListConnections(scene, side, ports);
  Lines lines;
  for (const ListingRow& row : listing.rows) {
    lines.push_back(Text(scene, row.from, row.to, ToString(ports.Get(row.ports)), row.families));
  }
  for (const OwnNodeRow& row : listing.own_node) {
    lines.push_back("own node" +
                    Text(scene, {}, row.to, ToString(ports.Get(row.ports)), kBothFamilies));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

Lines Diff(const std::string& before, const std::string& after,
           const DifferenceOptions& options = {}) {
  const Scene scene({SideOf(Load(before)), SideOf(Load(after))});
  PortSets ports;
  Connectivity was(scene.side(0).program, {}, ports);
  Connectivity is(scene.side(1).program, {}, ports);
  const Difference difference = Compare(scene, was, is, ports, options);
  Lines lines;
  for (const ChangeRow& row : difference.rows) {
    std::string line = row.kind == ChangeKind::kAllowed ? "+ " : "- ";
    line += Text(scene, row.from, row.to, ToString(ports.Get(row.ports)), row.families);
    for (const CausePart& cause : row.causes) {
      line += std::string("; ") + (cause.direction == Direction::kIngress ? "in " : "out ") +
              std::string(Name(cause.role)) + " " + cause.policy;
      if (cause.rule) line += " " + cause.rule->FieldPath();
    }
    lines.push_back(line);
  }
  for (const uint32_t workload : difference.added) {
    lines.push_back("added " + scene.workloads()[workload].ToString());
  }
  for (const uint32_t workload : difference.removed) {
    lines.push_back("removed " + scene.workloads()[workload].ToString());
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string PodYaml(const std::string& name, const std::string& ip, const std::string& app,
                    const std::string& more = "") {
  return "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: shop, name: " + name +
         ", labels: {app: " + app + more + "}}\nspec: {nodeName: node-a}\nstatus: {podIPs: [" + ip +
         "]}\n";
}

std::string PolicyYaml(const std::string& name, const std::string& spec) {
  return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, "
         "name: " +
         name + "}\nspec: " + spec + "\n";
}

const std::string kShop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
const std::string kWebAndDb =
    kShop + PodYaml("web", "{ip: 10.0.0.1}", "web") + PodYaml("db", "{ip: 10.0.0.2}", "db");
const std::string kDbFromWeb = PolicyYaml(
    "db",
    "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: "
    "{app: web}}}], ports: [{port: 5432}]}]}");

TEST(AnalysisPortsTest, AreShownAsPeopleWriteThem) {
  PortSets sets;
  const uint32_t udp = PlaceOf(kProtocolUdp, 0);
  EXPECT_EQ(ToString(PortSet{}), "none");
  EXPECT_EQ(ToString(sets.Get(PortSets::kAll)), "all");
  EXPECT_EQ(ToString(PortSet{{80, 80}, {443, 444}, {udp + 53, udp + 53}}),
            "TCP 80,443-444; UDP 53");
  EXPECT_EQ(ToString(PortSet{{0, 65535}}), "TCP");
  EXPECT_EQ(ToString(PortSet{{0, 79}, {81, kWithoutPorts}}), "all except TCP 80");
  EXPECT_EQ(ToString(PortSet{{kWithoutPorts, kWithoutPorts}}), "other protocols");
  // Neighbours on the line are not one range for people: the last TCP port and the first of UDP.
  EXPECT_EQ(ToString(PortSet{{65535, 65536}}), "TCP 65535; UDP 0");
}

TEST(AnalysisPortsTest, SetsAreEqualWhereTheirNumbersAre) {
  PortSets sets;
  const PortSetId web = sets.Intern({{80, 80}, {443, 443}});
  const PortSetId low = sets.Intern({{0, 1023}});
  EXPECT_EQ(sets.Intersection(web, low), web);
  EXPECT_EQ(sets.Difference(web, low), PortSets::kNone);
  EXPECT_EQ(sets.Union(sets.Difference(low, web), web), low);
  EXPECT_EQ(sets.Difference(PortSets::kAll, PortSets::kAll), PortSets::kNone);
  EXPECT_EQ(sets.Union(web, sets.Difference(PortSets::kAll, web)), PortSets::kAll);
}

TEST(AnalysisAddressesTest, TheShorterFormIsChosen) {
  const auto text = [](const AddressRanges& set) {
    std::string all;
    for (const CidrList& list : ToCidrs(set)) all += ToString(list) + ";";
    return all;
  };
  const auto at = [](const char* address) { return *ParseIpAddress(address); };
  EXPECT_EQ(text({{at("0.0.0.0"), at("255.255.255.255")}}), "0.0.0.0/0;");
  EXPECT_EQ(text({{at("0.0.0.0"), at("9.255.255.255")}, {at("11.0.0.0"), at("255.255.255.255")}}),
            "0.0.0.0/0 except 10.0.0.0/8;");
  EXPECT_EQ(text({{at("10.0.0.1"), at("10.0.0.2")}}), "10.0.0.1, 10.0.0.2;");
  EXPECT_EQ(text({{at("10.0.0.0"), at("10.0.0.255")}, {at("fd00::"), at("fd00::1")}}),
            "10.0.0.0/24;fd00::/127;");
}

TEST(AnalysisListTest, ClusterWithoutPoliciesIsAFewRows) {
  EXPECT_EQ(List(kWebAndDb), (Lines{"external > shop/*: all", "shop/* > shop/*, external: all"}));
}

TEST(AnalysisListTest, RowsSayWhoReachesWhomByWhichPorts) {
  EXPECT_EQ(List(kWebAndDb + kDbFromWeb),
            (Lines{"external > shop/web: all", "shop/db > shop/web, external: all",
                   "shop/web > shop/db: TCP 5432", "shop/web > shop/web, external: all"}));
}

TEST(AnalysisListTest, PodsAreOfTheirWorkloadAndKeptApartWhereTheyDiffer) {
  const auto pod = [](const std::string& name, const std::string& ip, const std::string& app) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: shop, name: " + name +
           ", labels: {app: " + app +
           ", pod-template-hash: 5d4f}, ownerReferences: [{apiVersion: "
           "apps/v1, kind: ReplicaSet, name: web-5d4f, controller: true}]}\nstatus: {podIPs: "
           "[{ip: " +
           ip + "}]}\n";
  };
  const std::string closed = PolicyYaml(
      "closed", "{podSelector: {matchLabels: {app: odd}}, policyTypes: [Ingress, Egress]}");
  EXPECT_EQ(List(kShop + pod("web-a", "10.0.0.1", "web") + pod("web-b", "10.0.0.2", "web") +
                 pod("web-c", "10.0.0.3", "odd") + closed),
            (Lines{"external > shop/web (2 of 3 pods: web-a, web-b): all",
                   "shop/web (2 of 3 pods: web-a, web-b) > shop/web (2 of 3 pods: web-a, web-b), "
                   "external: all"}));
}

TEST(AnalysisListTest, WorkloadsStandForTheirPods) {
  const std::string deployment =
      "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: shop, name: web}\nspec: "
      "{selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}\n";
  // Its pods reach each other, though there is one here.
  EXPECT_EQ(List(kShop + deployment),
            (Lines{"external > shop/web: all", "shop/web > shop/web, external: all"}));
}

TEST(AnalysisListTest, FamiliesAreApartWhereTheyDiffer) {
  const std::string dual = kShop + PodYaml("web", "{ip: 10.0.0.1}, {ip: 'fd00::1'}", "web") +
                           PodYaml("db", "{ip: 10.0.0.2}, {ip: 'fd00::2'}", "db");
  EXPECT_EQ(List(dual + PolicyYaml("db",
                                   "{podSelector: {matchLabels: {app: db}}, ingress: [{from: "
                                   "[{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}]}")),
            (Lines{"external 0.0.0.0/0 except 10.0.0.0/8; ::/0 > shop/web: all",
                   "external 10.0.0.0/8 > shop/db: TCP 80", "external 10.0.0.0/8 > shop/web: all",
                   "shop/* > shop/db: TCP 80 v4", "shop/* > shop/web, external: all"}));
}

TEST(AnalysisListTest, OwnNodesAreTold) {
  const std::string nodes =
      "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-a}\nstatus: {addresses: [{type: "
      "InternalIP, address: 192.168.0.1}]}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: "
      "node-b}\nstatus: {addresses: [{type: InternalIP, address: 192.168.0.2}]}\n";
  const std::string closed =
      PolicyYaml("closed", "{podSelector: {}, policyTypes: [Ingress, Egress]}");
  EXPECT_EQ(List(kShop + PodYaml("web", "{ip: 10.0.0.1}", "web") + nodes + closed),
            (Lines{"own node > shop/web: all"}));
}

TEST(AnalysisExposureTest, TellsWhatIsOpenToWhoIsNotThere) {
  const std::string other = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n";
  const std::string rules = PolicyYaml(
      "web",
      "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{from: "
      "[{namespaceSelector: {}}], ports: [{port: 80}]}, {from: [{podSelector: {}}], ports: [{port: "
      "81}]}, {from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]}");
  const Scene scene(
      {SideOf(Load(kShop + other + PodYaml("web", "{ip: 10.0.0.1}", "web") + rules, true))});
  PortSets ports;
  Connectivity side(scene.side(0).program, {}, ports);
  const EndNamer namer(scene);
  Lines lines;
  for (const ExposureRow& row : ListExposure(scene, side, ports)) {
    const std::string peers = row.open_to == OpenTo::kEveryNamespace
                                  ? "every namespace"
                                  : Join(namer.Labels(namer.Of(row.peers, 1)));
    lines.push_back(peers + ": " + ToString(ports.Get(row.ports)));
    EXPECT_EQ(row.direction, Direction::kIngress);
  }
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (Lines{"a new pod in shop: TCP 81", "every namespace: TCP 80",
                          "external 203.0.113.0/24: TCP 443"}));
}

TEST(AnalysisDiffTest, NothingChangesNothing) {
  EXPECT_EQ(Diff(kWebAndDb + kDbFromWeb, kWebAndDb + kDbFromWeb), Lines{});
}

TEST(AnalysisDiffTest, ARuleThatChangesIsNamedOnBothSides) {
  std::string other = kDbFromWeb;
  other.replace(other.find("5432"), 4, "5433");
  EXPECT_EQ(
      Diff(kWebAndDb + kDbFromWeb, kWebAndDb + other),
      (Lines{
          "+ shop/web > shop/db: TCP 5433; in allowed by shop/db spec.ingress[0].from[0].ports[0]",
          "- shop/web > shop/db: TCP 5432; in no longer allowed by shop/db "
          "spec.ingress[0].from[0].ports[0]; in nearest rule shop/db spec.ingress[0].ports[0]"}));
}

TEST(AnalysisDiffTest, APolicyThatComesOrGoesIsNamed) {
  const std::string closed = PolicyYaml("closed", "{podSelector: {matchLabels: {app: db}}}");
  EXPECT_EQ(Diff(kWebAndDb, kWebAndDb + closed),
            (Lines{"- shop/web, external > shop/db: all; in isolated by shop/closed"}));
  EXPECT_EQ(Diff(kWebAndDb + closed, kWebAndDb),
            (Lines{"+ shop/web, external > shop/db: all; in no longer isolated by shop/closed"}));
}

TEST(AnalysisDiffTest, EgressAndIngressAreToldApart) {
  const std::string egress =
      PolicyYaml("out", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}");
  const std::string ingress = PolicyYaml("in", "{podSelector: {matchLabels: {app: db}}}");
  const Lines lines = Diff(kWebAndDb + egress + ingress, kWebAndDb);
  EXPECT_NE(std::find(lines.begin(), lines.end(),
                      "+ shop/web > shop/db: all; out no longer isolated by shop/out; in no longer "
                      "isolated by shop/in"),
            lines.end())
      << Join(lines);
}

TEST(AnalysisDiffTest, WorkloadsComeAndGo) {
  const std::string web = kShop + PodYaml("web", "{ip: 10.0.0.1}", "web");
  EXPECT_EQ(Diff(web, kWebAndDb), (Lines{"+ shop/db > shop/web, external: all",
                                         "+ shop/web, external > shop/db: all", "added shop/db"}));
  EXPECT_EQ(Diff(kWebAndDb, web).back(), "removed shop/db");
}

TEST(AnalysisDiffTest, ARolloutIsNoChange) {
  const auto pod = [](const std::string& hash, const std::string& ip) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: shop, name: web-" + hash +
           "-x, labels: {app: web, pod-template-hash: " + hash +
           "}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-" + hash +
           ", controller: true}]}\nstatus: {podIPs: [{ip: " + ip + "}]}\n";
  };
  EXPECT_EQ(Diff(kShop + pod("aaa", "10.0.0.1"), kShop + pod("bbb", "10.0.0.9")), Lines{});
}

TEST(AnalysisDiffTest, WithoutExplanationsNothingIsMissing) {
  const std::string closed = PolicyYaml("closed", "{podSelector: {matchLabels: {app: db}}}");
  const Lines lines = Diff(kWebAndDb, kWebAndDb + closed, {.explanations_max = 0});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("- shop/web, external > shop/db: all")) << lines[0];
}

}  // namespace
}  // namespace npf::analysis
