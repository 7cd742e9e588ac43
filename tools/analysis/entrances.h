// The ways in that Services and Ingresses open, and what policy leaves of them.
//
//   client ──► node:30080 ──► pod      NodePort; LoadBalancer and externalIPs likewise
//   client ──► controller ──► pod      Ingress
//
// Policy judges the pod that a connection ends at, by the address that the pod sees. For a NodePort
// that is not one address: with externalTrafficPolicy Cluster, kube-proxy puts the node's in place
// of the client's, other dataplanes keep the client's; with Local the client's stays. So a Cluster
// Service is judged both ways. For an Ingress it is the controller's: some workload that is itself
// entered from outside; each of those that may reach the pods is named.
#ifndef NPF_TOOLS_ANALYSIS_ENTRANCES_H_
#define NPF_TOOLS_ANALYSIS_ENTRANCES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/connections.h"
#include "analysis/scene.h"

namespace npf::analysis {

enum class SeenAs : uint8_t { kClient, kNode, kController };
std::string_view Name(SeenAs seen);  // "client", "node", "controller"

// Each of `from` may reach each of `to` on these ports. Pods are named one by one, because a group
// has others beside those behind a Service.
struct EntranceRow {
  std::string service;  // "shop/web"
  std::string way;      // "NodePort 30080/TCP", "Ingress shop/shop: shop.example.com/"
  SeenAs seen = SeenAs::kClient;
  std::vector<uint32_t> from_groups;   // external ones, or nodes
  std::vector<uint32_t> from_pods;     // of the Scene: of an Ingress
  std::vector<uint32_t> to;            // pods of the Scene
  PortSetId ports = PortSets::kNone;   // of the pods: what is open; kNone where policy denies all
  PortSetId wanted = PortSets::kNone;  // what the Service leads to
};

// Of side 0, which has a Snapshot; of pods that the Scene's destinations choose. In the order of
// Services, then of Ingresses. A Service whose pods are not known is in no row.
std::vector<EntranceRow> ListEntrances(const Scene& scene, Connectivity& side, PortSets& ports);
// As a way in, seen as the client, for every port of every Service: who of the cluster's workloads
// and nodes may reach the pods behind it. One row that nobody is in where nobody may.
std::vector<EntranceRow> ListServices(const Scene& scene, Connectivity& side, PortSets& ports);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_ENTRANCES_H_
