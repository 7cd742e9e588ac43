// npf-make-cluster: a benchmark's cluster as text, to try anything else on it.
//
//   npf-make-cluster --pods 10000 --policies 1000 --cidrs 100 > cluster.json
//   npf-make-cluster --workload ocp4800 --family dual > cluster.json
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "named_workloads.h"
#include "workload.h"

int main(int argc, char** argv) {
  npf::bench::ClusterShape shape;
  std::string workload;
  std::string family = "v4";
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
  app.add_option("--workload", workload, "a workload of npf-bench, in place of the numbers");
  app.add_option("--family", family, "v4, v6 or dual")
      ->check(CLI::IsMember({"v4", "v6", "dual"}))
      ->capture_default_str();
  app.add_option("-o,--output", format, "json or yaml")
      ->check(CLI::IsMember({"json", "yaml"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  shape.families = *npf::bench::ParseIpFamilies(family);
  std::optional<npf::bench::Cluster> cluster = npf::bench::MakeCluster(shape);
  if (!workload.empty()) cluster = npf::bench::MakeNamedCluster(workload, shape.families);
  if (!cluster.has_value()) {
    std::fprintf(stderr, "npf-make-cluster: no workload is called %s\n", workload.c_str());
    return 2;
  }
  const std::string text =
      format == "json" ? npf::bench::ToJson(*cluster) : npf::bench::ToYaml(*cluster);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 4;
}
