// Terraform plans and states: what `terraform show -json` prints.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/load_test_util.h"

namespace npf {
namespace {

struct Resource {
  std::string address;
  std::string type;
  std::string values;
  std::string unknown = "{}";
  std::string mode = "managed";
};

std::string ResourceJson(const Resource& resource) {
  return R"({"address":")" + resource.address + R"(","mode":")" + resource.mode + R"(","type":")" +
         resource.type + R"(","values":)" + resource.values + "}";
}

std::string Joined(const std::vector<Resource>& resources, auto to_json) {
  std::string out;
  for (const Resource& resource : resources) {
    out += (out.empty() ? "" : ",\n") + to_json(resource);
  }
  return "[" + out + "]";
}

std::string Changes(const std::vector<Resource>& resources) {
  return Joined(resources, [](const Resource& resource) {
    return R"({"address":")" + resource.address +
           R"(","change":{"actions":["create"],"after_unknown":)" + resource.unknown + "}}";
  });
}

std::string Plan(const std::vector<Resource>& resources, const std::string& more = "") {
  return R"({"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":)"
         R"({"resources":)" +
         Joined(resources, ResourceJson) + R"(}},"resource_changes":)" + Changes(resources) + more +
         "}";
}

Loaded LoadPlan(const std::string& text) { return Load(text, "plan.json"); }

// As the provider's schema has it: every field there, "", 0, [] and null for what is not given.
constexpr char kDatabase[] = R"({"id":"shop/db","metadata":[{"annotations":null,
 "generate_name":null,"generation":1,"labels":{},"name":"db","namespace":"shop","uid":"u"}],
 "spec":[{"egress":[],"ingress":[{
   "from":[{"ip_block":[],"namespace_selector":[{"match_expressions":[],"match_labels":{"a":"b"}}],
            "pod_selector":[{"match_expressions":[{"key":"k","operator":"In","values":["v","w"]}],
                             "match_labels":null}]},
           {"ip_block":[{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}],"namespace_selector":[],
            "pod_selector":[]}],
   "ports":[{"end_port":0,"port":"5432","protocol":"TCP"},
            {"end_port":9100,"port":"09000","protocol":""},
            {"end_port":null,"port":"http","protocol":"UDP"},
            {"end_port":0,"port":"","protocol":"SCTP"}]}],
 "pod_selector":[{"match_expressions":[],"match_labels":{"app":"db"}}],
 "policy_types":["Ingress","Egress"]}]})";

constexpr char kSameInYaml[] = R"(apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {a: b}}
      podSelector: {matchExpressions: [{key: k, operator: In, values: [v, w]}]}
    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
    ports:
    - {port: 5432, protocol: TCP}
    - {port: 9000, endPort: 9100}
    - {port: http, protocol: UDP}
    - {protocol: SCTP}
)";

// A policy's meaning without where it stands.
std::string Meaning(const NetworkPolicy& policy) {
  std::string out = policy.ns + "/" + policy.name + (policy.pod_selector_given ? " given" : "");
  const auto selector = [&](const LabelSelector& labels) {
    out += " {" + std::to_string(labels.match_labels.size());
    for (const auto& requirement : labels.match_expressions) {
      out += " " + requirement.key + " " + requirement.op;
      for (const std::string& value : requirement.values) out += " " + value;
    }
    out += "}";
  };
  selector(policy.pod_selector);
  for (const std::string& type : policy.policy_types) out += " " + type;
  for (const PolicyRule& rule : policy.ingress) {
    out += " rule";
    for (const PolicyPort& port : rule.ports) {
      out += " " + port.protocol.value_or("-") + ":";
      if (!port.port.has_value()) continue;
      const auto* number = std::get_if<int64_t>(&*port.port);
      out += number == nullptr ? std::get<std::string>(*port.port) : std::to_string(*number);
      out += "-" + std::to_string(port.end_port.value_or(0));
    }
    for (const PolicyPeer& peer : rule.peers) {
      if (peer.pod_selector.has_value()) selector(*peer.pod_selector);
      if (peer.namespace_selector.has_value()) selector(*peer.namespace_selector);
      if (!peer.ip_block.has_value()) continue;
      out += " " + peer.ip_block->cidr + " but";
      for (const std::string& except : peer.ip_block->except) out += " " + except;
    }
  }
  return out;
}

TEST(Terraform, ABlockIsTheSamePolicyAsYaml) {
  for (const char* type : {"kubernetes_network_policy", "kubernetes_network_policy_v1"}) {
    const Loaded plan =
        LoadPlan(Plan({{.address = std::string(type) + ".db", .type = type, .values = kDatabase}}));
    ASSERT_TRUE(plan.snapshot.has_value()) << plan.Errors();
    const Loaded yaml = Load(kSameInYaml);
    ASSERT_TRUE(yaml.snapshot.has_value()) << yaml.Errors();
    // "" is no protocol, and none is TCP: the provider leaves the choice to the server.
    EXPECT_EQ(Meaning(plan.snapshot->policies()[0]), Meaning(yaml.snapshot->policies()[0]));
    EXPECT_EQ(plan.snapshot->files()[plan.snapshot->policies()[0].position.file],
              "plan.json#" + std::string(type) + ".db");
    EXPECT_EQ(plan.Warnings(), "");
  }
}

std::string Policy(const std::string& spec, const std::string& name = R"("name":"p")") {
  return R"({"metadata":[{)" + name + R"(,"namespace":"shop"}],"spec":[)" + spec + "]}";
}

TEST(Terraform, AnEmptyBlockSelectsAllAndAnEmptyRuleAllowsAll) {
  const Loaded loaded = LoadPlan(Plan({{.address = "kubernetes_network_policy.p",
                                        .type = "kubernetes_network_policy",
                                        .values = Policy(R"({"ingress":[{"from":[],"ports":[]},
                {"from":[{"ip_block":[],"namespace_selector":[{"match_labels":null}],
                          "pod_selector":[]}]}],
                "pod_selector":[{"match_expressions":[],"match_labels":null}],
                "policy_types":["Ingress"]})")}}));
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  const NetworkPolicy& policy = loaded.snapshot->policies()[0];
  EXPECT_TRUE(policy.pod_selector_given);
  ASSERT_EQ(policy.ingress.size(), 2u);
  EXPECT_TRUE(policy.ingress[0].peers.empty());
  ASSERT_EQ(policy.ingress[1].peers.size(), 1u);
  EXPECT_TRUE(policy.ingress[1].peers[0].namespace_selector.has_value());
  EXPECT_FALSE(policy.ingress[1].peers[0].pod_selector.has_value());
}

struct UnknownCase {
  const char* unknown;
  const char* field;
};

TEST(Terraform, WhatAPolicyMeansMustBeKnown) {
  const char* spec = R"({"ingress":[{"from":[{"ip_block":[{}],"pod_selector":[
      {"match_labels":{}}]}],"ports":[{"protocol":"TCP"}]}],"pod_selector":[{}],
      "policy_types":["Ingress"]})";
  const UnknownCase cases[] = {
      {R"({"spec":[{"ingress":[{"from":[{"ip_block":[{"cidr":true}]}]}]}]})",
       "spec.ingress[0].from[0].ipBlock.cidr"},
      {R"({"spec":[{"ingress":[{"from":[{"ip_block":[{"except":[true]}]}]}]}]})",
       "spec.ingress[0].from[0].ipBlock.except"},
      {R"({"spec":[{"ingress":[{"from":[{"pod_selector":[{"match_labels":{"app":true}}]}]}]}]})",
       "spec.ingress[0].from[0].podSelector.matchLabels.app"},
      {R"({"spec":[{"ingress":[{"from":[{"pod_selector":[{"match_labels":true}]}]}]}]})",
       "spec.ingress[0].from[0].podSelector.matchLabels"},
      {R"({"spec":[{"ingress":[{"ports":[{"port":true}]}]}]})", "spec.ingress[0].ports[0].port"},
      {R"({"spec":[{"ingress":[true]}]})", "spec.ingress[0]"},
      {R"({"spec":[{"ingress":true}]})", "spec.ingress"},
      {R"({"spec":[{"egress":true}]})", "spec.egress"},
      {R"({"spec":[{"ingress":[{},true]}]})", "spec.ingress[1]"},
      {R"({"spec":[{"policy_types":[true]}]})", "spec.policyTypes[0]"},
      {R"({"spec":true})", "spec"},
      {R"({"metadata":[{"namespace":true}]})", "metadata.namespace"},
  };
  for (const UnknownCase& c : cases) {
    const Loaded loaded = LoadPlan(Plan({{.address = "module.m.kubernetes_network_policy.p[0]",
                                          .type = "kubernetes_network_policy",
                                          .values = Policy(spec),
                                          .unknown = c.unknown}}));
    EXPECT_FALSE(loaded.snapshot.has_value()) << c.field;
    EXPECT_NE(loaded.Errors().find(std::string(c.field) + ": is not known before"),
              std::string::npos)
        << c.field << "\n"
        << loaded.Errors();
    EXPECT_TRUE(loaded.Errors().starts_with("plan.json#module.m.kubernetes_network_policy.p[0]:"))
        << loaded.Errors();
  }
}

TEST(Terraform, WhatTheServerDecidesMayBeUnknown) {
  const Loaded loaded = LoadPlan(Plan(
      {{.address = "kubernetes_network_policy.p",
        .type = "kubernetes_network_policy",
        .values = Policy(R"({"pod_selector":[{}],"policy_types":["Ingress"]})",
                         R"("generate_name":"p-","annotations":{"x":"y"})"),
        .unknown = R"({"id":true,"metadata":[{"name":true,"uid":true,"generation":true,
                       "resource_version":true,"annotations":{"z":true}}],"spec":[{}]})"},
       {.address = "kubernetes_service.s",
        .type = "kubernetes_service",
        .values =
            R"({"metadata":[{"name":"s","namespace":"shop"}],"spec":[{"port":[{"port":80}]}]})",
        .unknown = R"({"status":true,"spec":[{"cluster_ip":true,"port":[{"node_port":true}]}]})"},
       {.address = "kubernetes_deployment.d",
        .type = "kubernetes_deployment",
        .values = R"({"metadata":[{"name":"d","namespace":"shop"}],"spec":[{"selector":[
          {"match_labels":{"app":"d"}}],"template":[{"metadata":[{"labels":{"app":"d"}}],
          "spec":[{"container":[{"name":"c","env":[{"name":"E"}]}]}]}]}]})",
        .unknown = R"({"spec":[{"replicas":true,"template":[{"metadata":[{"name":true}],
          "spec":[{"node_name":true,"container":[{"env":[{"value":true}],"image":true}]}]}]}]})"}}));
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->policies()[0].name, "p");
  EXPECT_EQ(loaded.snapshot->pods().size(), 1u);
}

TEST(Terraform, ALabelOfAPodMustBeKnown) {
  const Loaded loaded = LoadPlan(Plan(
      {{.address = "kubernetes_deployment.d",
        .type = "kubernetes_deployment_v1",
        .values = R"({"metadata":[{"name":"d"}],"spec":[{"selector":[{"match_labels":{"a":"d"}}],
          "template":[{"metadata":[{"labels":{"a":"d"}}],"spec":[{}]}]}]})",
        .unknown = R"({"spec":[{"template":[{"metadata":[{"labels":{"v":true}}]}]}]})"}}));
  EXPECT_NE(loaded.Errors().find("spec.template.metadata.labels.v: is not known before"),
            std::string::npos)
      << loaded.Errors();
}

TEST(Terraform, WorkloadsNamespacesAndPods) {
  const std::string workload = R"({"metadata":[{"name":"w","namespace":"shop"}],"spec":[{
      "replicas":"2","selector":[{"match_labels":{"app":"w"}}],"template":[{"metadata":[
      {"labels":{"app":"w"}}],"spec":[{"host_network":false,"container":[{"port":[
      {"name":"web","container_port":8080,"protocol":"TCP"}]}],"init_container":[]}]}]}]})";
  const std::string cron = R"({"metadata":[{"name":"c","namespace":"shop"}],"spec":[{
      "job_template":[{"metadata":[{}],"spec":[{"template":[{"metadata":[{"labels":{"app":"c"}}],
      "spec":[{}]}]}]}]}]})";
  const std::string none = R"({"metadata":[{"name":"n","namespace":"shop"}],"spec":[{
      "replicas":"0","selector":[],"template":[{"metadata":[{"labels":{"app":"n"}}],"spec":[{}]}]}]})";
  const Loaded loaded = LoadPlan(Plan(
      {{.address = "kubernetes_stateful_set.w",
        .type = "kubernetes_stateful_set",
        .values = workload},
       {.address = "kubernetes_cron_job_v1.c", .type = "kubernetes_cron_job_v1", .values = cron},
       {.address = "kubernetes_deployment.n", .type = "kubernetes_deployment", .values = none},
       {.address = "kubernetes_namespace_v1.s",
        .type = "kubernetes_namespace_v1",
        .values = R"({"metadata":[{"name":"shop","labels":{"tier":"a"}}]})"},
       {.address = "kubernetes_pod.p",
        .type = "kubernetes_pod",
        .values = R"({"metadata":[{"name":"p","namespace":"shop","labels":{"app":"p"}}],
                      "spec":[{"host_network":true,"node_name":""}]})"},
       {.address = "aws_vpc.main", .type = "aws_vpc", .values = R"({"cidr_block":"10.0.0.0/16"})"},
       {.address = "data.kubernetes_pod.x",
        .type = "kubernetes_pod",
        .values = "{}",
        .mode = "data"}}));
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  ASSERT_EQ(loaded.snapshot->pods().size(), 3u);
  EXPECT_EQ(loaded.snapshot->pods()[0].owner_kind, "CronJob");
  EXPECT_TRUE(loaded.snapshot->pods()[1].host_network);
  ASSERT_EQ(loaded.snapshot->pods()[2].ports.size(), 1u);
  EXPECT_EQ(loaded.snapshot->pods()[2].ports[0].port, 8080);
  EXPECT_EQ(loaded.report.skipped.at("terraform aws_vpc"), 1u);
  EXPECT_EQ(loaded.report.used.at("Namespace"), 1u);
}

TEST(Terraform, ModulesAndInstances) {
  const auto policy = [](const std::string& address, const std::string& name) {
    return Resource{.address = address,
                    .type = "kubernetes_network_policy",
                    .values = Policy(R"({"pod_selector":[{}],"policy_types":["Ingress"]})",
                                     R"("name":")" + name + R"(")")};
  };
  const std::vector<Resource> all = {
      policy(R"(kubernetes_network_policy.p[0])", "p0"),
      policy(R"(kubernetes_network_policy.p[1])", "p1"),
      policy(R"(module.m[\"eu\"].module.n.kubernetes_network_policy.q)", "q")};
  const std::string text =
      R"({"format_version":"1.2","planned_values":{"root_module":{"resources":)" +
      Joined({all[0], all[1]}, ResourceJson) +
      R"(,"child_modules":[{"address":"module.m","child_modules":[{"resources":)" +
      Joined({all[2]}, ResourceJson) + R"(}]}]}},"resource_changes":)" + Changes(all) + "}";
  const Loaded loaded = LoadPlan(text);
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  ASSERT_EQ(loaded.snapshot->policies().size(), 3u);
  EXPECT_EQ(loaded.files[loaded.snapshot->policies()[2].position.file],
            R"(plan.json#module.m["eu"].module.n.kubernetes_network_policy.q)");
}

TEST(Terraform, AManifestIsReadAsItIs) {
  const std::string manifest = R"({"manifest":{"apiVersion":"networking.k8s.io/v1",
    "kind":"NetworkPolicy","metadata":{"name":"m","namespace":"shop","labels":null},
    "spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":null}]}},
    "object":{"not":"read"}})";
  const Resource resource = {.address = "kubernetes_manifest.m",
                             .type = "kubernetes_manifest",
                             .values = manifest,
                             .unknown = R"({"object":{"status":true}})"};
  const Loaded loaded = LoadPlan(Plan({resource}));
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->policies()[0].ingress[0].peers[0].ip_block->cidr, "10.0.0.0/8");
  EXPECT_EQ(loaded.Warnings(), "");

  for (const auto& [unknown, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"manifest":{"spec":{"podSelector":{"matchLabels":{"a":true}}}}})",
            "spec.podSelector.matchLabels"},
           {R"({"manifest":{"spec":{"ingress":[{"from":[true]}]}}})", "spec.ingress[0].from[0]"},
           {R"({"manifest":{"spec":true}})", "spec"},
           {R"({"manifest":true})", "manifest"}}) {
    Resource changed = resource;
    changed.unknown = unknown;
    const Loaded refused = LoadPlan(Plan({changed}));
    EXPECT_NE(refused.Errors().find(field + ": is not known before"), std::string::npos)
        << field << "\n"
        << refused.Errors();
  }
}

TEST(Terraform, StrictDecodingHolds) {
  const Loaded block = LoadPlan(Plan({{.address = "kubernetes_network_policy.p",
                                       .type = "kubernetes_network_policy",
                                       .values = Policy(R"({"pod_selector":[{"match_lables":{"a":
                                         "b"}}],"policy_types":["Ingress"]})")}}));
  EXPECT_NE(block.Errors().find("spec.podSelector.match_lables: unknown field"), std::string::npos)
      << block.Errors();
  const Loaded manifest = LoadPlan(
      Plan({{.address = "kubernetes_manifest.m",
             .type = "kubernetes_manifest",
             .values = R"({"manifest":{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",
          "metadata":{"name":"m"},"spec":{"podSelector":{},"ingres":[]}}})"}}));
  EXPECT_NE(manifest.Errors().find("spec.ingres: unknown field"), std::string::npos)
      << manifest.Errors();
  const Loaded two = LoadPlan(
      Plan({{.address = "kubernetes_network_policy.p",
             .type = "kubernetes_network_policy",
             .values = Policy(R"({"pod_selector":[{},{}],"policy_types":["Ingress"]})")}}));
  EXPECT_NE(two.Errors().find("spec.podSelector: must be a map"), std::string::npos)
      << two.Errors();
}

TEST(Terraform, ManifestsAsText) {
  const Resource resource = {.address = "kubectl_manifest.m",
                             .type = "kubectl_manifest",
                             .values = R"({"yaml_body":"apiVersion: networking.k8s.io/v1\nkind: )"
                                       R"(NetworkPolicy\nmetadata: {name: m}\nspec: {podSelektor: )"
                                       R"({}}\n"})"};
  EXPECT_EQ(LoadPlan(Plan({resource})).Errors().substr(0, 38),
            "plan.json#kubectl_manifest.m:4:8: Netw");
  Resource unknown = resource;
  unknown.unknown = R"({"yaml_body":true})";
  EXPECT_NE(LoadPlan(Plan({unknown})).Errors().find("yaml_body: is not known before"),
            std::string::npos);
  Resource nested = resource;
  nested.values = R"({"yaml_body":"{\"format_version\":\"1.0\",\"planned_values\":{}}"})";
  EXPECT_NE(LoadPlan(Plan({nested})).Errors().find("a plan within a plan"), std::string::npos);
  Resource bad = resource;
  bad.values = R"({"yaml_body":"a: \u0000"})";
  EXPECT_NE(LoadPlan(Plan({bad})).Errors().find("NUL byte"), std::string::npos);
}

TEST(Terraform, WhatThePlanDoesNotSayIsTold) {
  const Loaded loaded =
      LoadPlan(Plan({{.address = "helm_release.r", .type = "helm_release", .values = "{}"}}));
  EXPECT_NE(loaded.Warnings().find("plan.json#helm_release.r:1:"), std::string::npos);
  EXPECT_NE(loaded.Warnings().find("what helm template prints"), std::string::npos);
  const Loaded empty = LoadPlan(Plan({}));
  EXPECT_NE(empty.Warnings().find("no object of Kubernetes"), std::string::npos);
  EXPECT_TRUE(empty.snapshot.has_value());
}

std::string ErrorOf(const std::string& text, const std::string& name = "plan.json") {
  return Load(text, name).Errors();
}

TEST(Terraform, WhatIsNoPlanIsRefused) {
  const Resource pod = {.address = "kubernetes_pod.p", .type = "kubernetes_pod", .values = "{}"};
  EXPECT_NE(ErrorOf(Plan({pod}, R"(,"errored":true)")).find("not whole"), std::string::npos);
  EXPECT_NE(ErrorOf(R"({"format_version":"7.0"})").find("unknown version"), std::string::npos);
  EXPECT_NE(ErrorOf(R"({"@level":"info"})").find("the log of"), std::string::npos);
  EXPECT_NE(ErrorOf(R"({"version":4,"terraform_version":"1.1","lineage":"x"})").find("state file"),
            std::string::npos);
  EXPECT_NE(ErrorOf("PK\x03\x04\xff", "p.bin").find("terraform show -json"), std::string::npos);
  EXPECT_NE(ErrorOf(Plan({pod}, R"(,"format_version":"1.2")")).find("duplicate key"),
            std::string::npos);
  EXPECT_NE(ErrorOf(Plan({}, R"(,"deferred_changes":[{"resource_change":{"address":"a.b",
                                 "type":"kubernetes_network_policy"}}])"))
                .find("a.b is put off"),
            std::string::npos);
  EXPECT_NE(ErrorOf(Plan({{.address = "kubernetes_network_policy_v2.p",
                           .type = "kubernetes_network_policy_v2",
                           .values = "{}"}}))
                .find("unknown type of policy"),
            std::string::npos);
}

// Without resource_changes nobody could tell what is left out of the values.
TEST(Terraform, AResourceWithoutItsChangeIsRefused) {
  const Resource policy = {.address = "kubernetes_network_policy.p",
                           .type = "kubernetes_network_policy",
                           .values = Policy(R"({"pod_selector":[{}],"policy_types":["Ingress"]})")};
  const std::string resources = Joined({policy}, ResourceJson);
  EXPECT_NE(ErrorOf(R"({"format_version":"1.2","planned_values":{"root_module":{"resources":)" +
                    resources + "}}}")
                .find("what of it is known cannot be told"),
            std::string::npos);
  const Loaded state = LoadPlan(R"({"format_version":"1.0","values":{"root_module":{"resources":)" +
                                resources + "}}}");
  EXPECT_TRUE(state.snapshot.has_value()) << state.Errors();
}

TEST(Terraform, WhatWasBeforeCostsNothing) {
  std::string old = R"(,"prior_state":[)";
  for (int i = 0; i < 2'100'000; ++i) old += "0,";
  old += "0]";
  const Loaded loaded = LoadPlan(Plan({}, old));
  EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
}

}  // namespace
}  // namespace npf
