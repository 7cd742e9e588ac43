// Pods, namespaces, nodes, services and workloads.
#include <gtest/gtest.h>

#include <string>

#include "unit/load_test_util.h"

namespace npf {
namespace {

Pod OnlyPod(const Loaded& loaded) {
  EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  if (!loaded.snapshot.has_value() || loaded.snapshot->pods().size() != 1) {
    ADD_FAILURE() << "not one pod";
    return {};
  }
  return loaded.snapshot->pods()[0];
}

TEST(LoadClusterTest, Pod) {
  const Loaded loaded = Load(R"(
apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: prod
  labels: {app: web}
  creationTimestamp: 2024-01-01T00:00:00Z
  deletionTimestamp: "2024-01-02T00:00:00Z"
  ownerReferences:
  - {kind: Other, name: y}
  - {apiVersion: apps/v1, kind: ReplicaSet, name: web-5d4f, controller: true}
spec:
  nodeName: n1
  containers:
  - name: a
    ports:
    - {containerPort: 8080, name: http}
    - {containerPort: 53, name: dns, protocol: UDP}
  - name: b
  initContainers:
  - {name: c, ports: [{containerPort: 1, name: one-shot}]}
  - {name: d, restartPolicy: Always, ports: [{containerPort: 15001, name: proxy}]}
status:
  phase: Running
  podIP: 10.0.0.1
  podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
)");
  const Pod pod = OnlyPod(loaded);
  EXPECT_EQ(pod.ns + "/" + pod.name, "prod/web-1");
  EXPECT_EQ(pod.labels, (Labels{{"app", "web"}}));
  EXPECT_EQ(pod.creation_timestamp, "2024-01-01T00:00:00Z");
  EXPECT_TRUE(pod.terminating);
  EXPECT_EQ(pod.controller, "ReplicaSet/web-5d4f");
  EXPECT_EQ(pod.node_name, "n1");
  EXPECT_FALSE(pod.host_network);
  EXPECT_EQ(pod.phase, PodPhase::kRunning);
  EXPECT_EQ(pod.ips, (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  EXPECT_EQ(pod.ports, (std::vector<ContainerPort>{
                           {"http", 8080, "TCP"}, {"dns", 53, "UDP"}, {"proxy", 15001, "TCP"}}));
  EXPECT_EQ(pod.position.line, 2u);
}

TEST(LoadClusterTest, PodIpStandsInForPodIps) {
  const std::string head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nstatus: ";
  EXPECT_EQ(OnlyPod(Load(head + "{podIP: 10.0.0.1}\n")).ips, std::vector<std::string>{"10.0.0.1"});
  EXPECT_TRUE(OnlyPod(Load(head + "{podIP: \"\"}\n")).ips.empty());
  EXPECT_TRUE(OnlyPod(Load(head + "null\n")).ips.empty());
  const Loaded differing = Load(head + "{podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.2}]}\n");
  EXPECT_EQ(OnlyPod(differing).ips, std::vector<std::string>{"10.0.0.2"});
  EXPECT_NE(differing.Warnings().find("is not the first of podIPs"), std::string::npos);
}

TEST(LoadClusterTest, HostNetwork) {
  const std::string head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {hostNetwork: ";
  for (const char* yes : {"true", "yes", "on", "Y"}) {
    EXPECT_TRUE(OnlyPod(Load(head + yes + "}\n")).host_network) << yes;
  }
  for (const char* no : {"false", "no", "off", "n"}) {
    EXPECT_FALSE(OnlyPod(Load(head + no + "}\n")).host_network) << no;
  }
  EXPECT_NE(Load(head + "\"true\"}\n").Errors().find("spec.hostNetwork: must be true or false"),
            std::string::npos);
}

TEST(LoadClusterTest, PodsAreReadForWhatIsNeeded) {
  const Loaded loaded = Load(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, foo: bar}\nspec: {zzz: [1, {}]}\nx: y\n");
  EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_NE(Load("apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {v: 1.10}}\n")
                .Errors()
                .find("Pod default/p: metadata.labels.v: must be a string (found the number 1.10)"),
            std::string::npos);
}

TEST(LoadClusterTest, DuplicateKeysOfPodsAreWarnings) {
  const Loaded loaded =
      Load("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {a: b}\n  labels: {c: d}\n");
  EXPECT_EQ(OnlyPod(loaded).labels, (Labels{{"c", "d"}}));
  EXPECT_NE(
      loaded.Warnings().find("t.yaml:6:3: warning: Pod default/p: metadata.labels: duplicate"),
      std::string::npos);
}

TEST(LoadClusterTest, FaultsOfPodsHaveTheirPosition) {
  EXPECT_NE(Load("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nstatus:\n  podIPs:\n"
                 "  - ip: 10.0.0.1\n  - ip: nonsense\n")
                .Errors()
                .find("t.yaml:7:5: Pod default/p: status.podIPs[1]: must be a valid IP address"),
            std::string::npos);
}

TEST(LoadClusterTest, NamespaceNodeAndService) {
  const Loaded loaded = Load(R"(
apiVersion: v1
kind: Namespace
metadata: {name: prod, labels: {team: x}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24, "fd00:1::/64"]}
status:
  addresses:
  - {type: InternalIP, address: 192.168.0.1}
  - {type: ExternalIP, address: 203.0.113.1}
  - {type: Hostname, address: n1}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
spec: {podCIDR: 10.1.1.0/24}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: prod}
spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "fd01::1"], externalIPs: [198.51.100.1]}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: prod}
spec: {clusterIP: None}
---
apiVersion: v1
kind: Service
metadata: {name: single, namespace: prod}
spec: {clusterIP: 10.96.0.2}
)");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->namespaces()[0].labels,
            (Labels{{"kubernetes.io/metadata.name", "prod"}, {"team", "x"}}));
  const auto& nodes = loaded.snapshot->nodes();
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].addresses, (std::vector<std::string>{"192.168.0.1", "203.0.113.1"}));
  EXPECT_EQ(nodes[0].pod_cidrs, (std::vector<std::string>{"10.1.0.0/24", "fd00:1::/64"}));
  EXPECT_EQ(nodes[1].pod_cidrs, std::vector<std::string>{"10.1.1.0/24"});
  const auto& services = loaded.snapshot->services();
  ASSERT_EQ(services.size(), 3u);
  EXPECT_EQ(services[0].cluster_ips,
            (std::vector<std::string>{"10.96.0.1", "fd01::1", "198.51.100.1"}));
  EXPECT_TRUE(services[1].cluster_ips.empty());
  EXPECT_EQ(services[2].cluster_ips, std::vector<std::string>{"10.96.0.2"});
}

std::string WorkloadText(const std::string& api_version, const std::string& kind,
                         const std::string& before_template) {
  return "apiVersion: " + api_version + "\nkind: " + kind +
         "\nmetadata: {name: web, namespace: prod, labels: {of: workload}}\nspec:\n" +
         before_template +
         "  template:\n    metadata: {labels: {app: web}}\n"
         "    spec: {hostNetwork: true, containers: [{ports: [{containerPort: 80, name: "
         "http}]}]}\n";
}

TEST(LoadClusterTest, AWorkloadStandsForItsPods) {
  for (const auto& [api_version, kind] :
       std::vector<std::pair<std::string, std::string>>{{"apps/v1", "Deployment"},
                                                        {"apps/v1", "StatefulSet"},
                                                        {"apps/v1", "DaemonSet"},
                                                        {"apps/v1", "ReplicaSet"},
                                                        {"extensions/v1beta1", "Deployment"},
                                                        {"batch/v1", "Job"}}) {
    const Loaded loaded =
        Load(WorkloadText(api_version, kind, "  selector: {matchLabels: {app: web}}\n"));
    const Pod pod = OnlyPod(loaded);
    EXPECT_EQ(pod.owner_kind, kind);
    EXPECT_EQ(pod.ns + "/" + pod.name, "prod/web");
    EXPECT_EQ(pod.labels, (Labels{{"app", "web"}}));
    EXPECT_EQ(pod.ports, (std::vector<ContainerPort>{{"http", 80, "TCP"}}));
    EXPECT_TRUE(pod.host_network);
    EXPECT_TRUE(pod.ips.empty());
  }
}

TEST(LoadClusterTest, ACronJobsTemplateIsDeeper) {
  const Pod& pod =
      OnlyPod(Load("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: backup}\nspec:\n"
                   "  jobTemplate: {spec: {template: {metadata: {labels: {app: backup}}}}}\n"));
  EXPECT_EQ(pod.owner_kind, "CronJob");
  EXPECT_EQ(pod.labels, (Labels{{"app", "backup"}}));
}

TEST(LoadClusterTest, AWorkloadOfNoReplicasHasNoPods) {
  const Loaded loaded = Load(WorkloadText("apps/v1", "ReplicaSet", "  replicas: 0\n"));
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_TRUE(loaded.snapshot->pods().empty());
}

TEST(LoadClusterTest, AWorkloadWithPodsStandsForNone) {
  const std::string pod =
      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: prod, labels: {app: web}}\n";
  const Loaded loaded =
      Load(WorkloadText("apps/v1", "Deployment", "  selector: {matchLabels: {app: web}}\n") + pod);
  EXPECT_EQ(OnlyPod(loaded).owner_kind, "");
}

}  // namespace
}  // namespace npf
