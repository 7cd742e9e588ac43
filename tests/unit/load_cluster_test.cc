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

TEST(LoadClusterTest, WhereServicesLead) {
  const Loaded loaded = Load(R"(apiVersion: v1
kind: Service
metadata: {name: web, namespace: prod}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.1
  externalIPs: [198.51.100.1]
  selector: {app: web}
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [203.0.113.0/24]
  ports:
  - {name: http, port: 80, targetPort: web, nodePort: 30080}
  - {name: dns, port: 53, targetPort: 5353, protocol: UDP}
  - {port: 443}
status: {loadBalancer: {ingress: [{ip: 192.0.2.7}, {hostname: lb.example.com}]}}
---
apiVersion: v1
kind: Service
metadata: {name: zone, namespace: prod}
spec: {type: ExternalName, externalName: db.example.com}
)");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  const Service& web = loaded.snapshot->services()[0];
  EXPECT_EQ(web.type, "LoadBalancer");
  EXPECT_EQ(web.selector, (Labels{{"app", "web"}}));
  EXPECT_EQ(web.cluster_ips, (std::vector<std::string>{"10.96.0.1", "198.51.100.1"}));
  EXPECT_EQ(web.external_ips, std::vector<std::string>{"198.51.100.1"});
  EXPECT_EQ(web.load_balancer_ips, std::vector<std::string>{"192.0.2.7"});
  EXPECT_EQ(web.source_ranges, std::vector<std::string>{"203.0.113.0/24"});
  EXPECT_EQ(web.external_traffic, "Local");
  ASSERT_EQ(web.ports.size(), 3u);
  EXPECT_EQ(web.ports[0].name, "http");
  EXPECT_EQ(web.ports[0].target_port, IntOrString("web"));
  EXPECT_EQ(web.ports[0].node_port, 30080);
  EXPECT_EQ(web.ports[1].protocol, "UDP");
  EXPECT_EQ(web.ports[1].target_port, IntOrString(5353));
  EXPECT_EQ(web.ports[2].target_port, std::nullopt);
  EXPECT_EQ(web.ports[2].port, 443);
  EXPECT_EQ(web.ports[0].position.line, 12u);
  const Service& zone = loaded.snapshot->services()[1];
  EXPECT_EQ(zone.external_name, "db.example.com");
  EXPECT_EQ(zone.external_traffic, "Cluster");
  EXPECT_TRUE(zone.ports.empty());
}

// None of these fields decides about a packet, so none of these faults refuses the input.
TEST(LoadClusterTest, FaultsInWhereAServiceLeadsAreWarnings) {
  const Loaded loaded = Load(R"(apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  type: 5
  clusterIP: 10.96.0.1
  externalTrafficPolicy: Near
  loadBalancerSourceRanges: [203.0.113.0/99]
  ports: [{port: 0, targetPort: NO, protocol: XTP, nodePort: 70000}, x]
---
{apiVersion: v1, kind: Namespace, metadata: {name: default}}
)");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->services()[0].cluster_ips, std::vector<std::string>{"10.96.0.1"});
  EXPECT_EQ(loaded.snapshot->services()[0].ports.size(), 1u);
  const std::string warnings = loaded.Warnings();
  for (const char* field :
       {"5:9: warning: Service default/web: spec.type: must be a string",
        "spec.externalTrafficPolicy: supported values", "spec.loadBalancerSourceRanges[0]: ",
        "9:18: warning: Service default/web: spec.ports[0].port: must be between",
        "spec.ports[0].targetPort: ", "spec.ports[0].protocol: supported values",
        "spec.ports[0].nodePort: must be between", "spec.ports[1]: must be a map"}) {
    EXPECT_NE(warnings.find(field), std::string::npos) << field << "\n" << warnings;
  }
}

TEST(LoadClusterTest, IngressesAndTheServicesBehindThem) {
  const Loaded loaded = Load(R"(apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: prod}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: fallback, port: {number: 80}}}
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
      - {path: /files, pathType: Prefix, backend: {resource: {kind: Bucket, name: files}}}
  - http: {paths: [{path: /api, backend: {service: {name: api, port: {number: 8080}}}}]}
)");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.report.used.at("Ingress"), 1u);
  EXPECT_EQ(loaded.Warnings(), "");
  EXPECT_TRUE(loaded.snapshot->namespaces().empty());  // compiled as if it were not there
  ASSERT_EQ(loaded.snapshot->ingresses().size(), 1u);
  const Ingress& shop = loaded.snapshot->ingresses()[0];
  EXPECT_EQ(shop.class_name, "nginx");
  ASSERT_EQ(shop.backends.size(), 3u);
  EXPECT_EQ(shop.backends[0].host, "");
  EXPECT_EQ(shop.backends[0].service, "fallback");
  EXPECT_EQ(shop.backends[1].host, "shop.example.com");
  EXPECT_EQ(shop.backends[1].path, "/");
  EXPECT_EQ(shop.backends[1].port, IntOrString("http"));
  EXPECT_EQ(shop.backends[1].position.line, 11u);
  EXPECT_EQ(shop.backends[2].host, "");
  EXPECT_EQ(shop.backends[2].port, IntOrString(8080));
}

TEST(LoadClusterTest, FaultsInAnIngressAreWarnings) {
  const Loaded loaded = Load(R"(apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: fallback}}
  rules: [{host: 5, http: {paths: [{backend: {service: x}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
)");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->ingresses().size(), 1u);
  const std::string warnings = loaded.Warnings();
  for (const char* fault :
       {"spec.defaultBackend: names no Service and port", "spec.rules[0].host: must be a string",
        "spec.rules[0].http.paths[0].backend.service: must be a map",
        "replaces the object of this name"}) {
    EXPECT_NE(warnings.find(fault), std::string::npos) << fault << "\n" << warnings;
  }
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
