// npf-make-cluster: a benchmark's cluster as text, to try anything else on it.
//
//   npf-make-cluster --pods 10000 --policies 1000 --cidrs 100 > cluster.json
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "workload.h"

int main(int argc, char** argv) {
  npf::bench::ClusterShape shape;
  std::string format = "json";
  CLI::App app("a cluster of Kubernetes objects, made from a few numbers and a seed");
  app.add_option("--pods", shape.pods, "pods")->capture_default_str();
  app.add_option("--policies", shape.policies, "NetworkPolicies")->capture_default_str();
  app.add_option("--cidrs", shape.cidrs, "distinct ipBlocks")->capture_default_str();
  app.add_option("--cluster-policies", shape.cluster_policies, "ClusterNetworkPolicies")
      ->capture_default_str();
  app.add_option("--namespaces", shape.namespaces, "namespaces; 0: one for 100 pods")
      ->capture_default_str();
  app.add_option("--ports", shape.port_numbers, "distinct ports")->capture_default_str();
  app.add_option("--seed", shape.seed, "seed")->capture_default_str();
  app.add_flag("--ipv6", shape.ipv6, "dual stack");
  app.add_option("-o,--output", format, "json or yaml")
      ->check(CLI::IsMember({"json", "yaml"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const npf::bench::Cluster cluster = npf::bench::MakeCluster(shape);
  const std::string text =
      format == "json" ? npf::bench::ToJson(cluster) : npf::bench::ToYaml(cluster);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 4;
}
