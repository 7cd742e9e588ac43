// Cluster-wide policies over a generated cluster: half select every pod, the others the namespaces
// of a team or a tier, so that they overlap widely.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "npf/address.h"
#include "workload.h"

namespace npf::bench {
namespace {

class TierMaker {
 public:
  explicit TierMaker(uint64_t seed) : random_(seed) {}

  ClusterPolicy Make(uint32_t number) {
    ClusterPolicy policy{.name = absl::StrCat("guard-", number),
                         .tier = random_.Percent(80) ? "Admin" : "Baseline",
                         .priority = int64_t{random_.Below(1001)},
                         .subject = ClusterPods{Namespaces(50), std::nullopt},
                         .subject_field_count = 1};
    const uint32_t directions = random_.Below(100);
    if (directions < 70) policy.ingress = MakeRules(/*egress=*/false);
    if (directions >= 40) policy.egress = MakeRules(/*egress=*/true);
    return policy;
  }

 private:
  LabelSelector Namespaces(uint32_t all_percent) {
    if (random_.Percent(all_percent)) return {};
    if (random_.Percent(70)) return {{{"team", absl::StrCat("team-", random_.Below(10))}}, {}};
    return {{{"tier", random_.Percent(50) ? "prod" : "dev"}}, {}};
  }

  std::vector<ClusterRule> MakeRules(bool egress) {
    std::vector<ClusterRule> rules(1 + random_.Below(3));
    for (size_t i = 0; i < rules.size(); ++i) {
      const uint32_t action = random_.Below(100);
      rules[i].name = absl::StrCat("rule-", i);
      rules[i].action = action < 40 ? "Deny" : action < 70 ? "Accept" : "Pass";
      for (uint32_t peers = 1 + random_.Below(3); peers != 0; --peers) {
        rules[i].peers.push_back(MakePeer(egress));
      }
      if (random_.Percent(80)) rules[i].ports = {MakePort()};
    }
    return rules;
  }

  ClusterPeer MakePeer(bool egress) {
    ClusterPeer peer;
    peer.field_count = 1;
    if (egress && random_.Percent(30)) {
      const uint32_t network = 0xc6120000 + (random_.Below(64) << 8);
      peer.networks = {absl::StrCat(ToString(IpAddress::V4(network)), "/24")};
      return peer;
    }
    peer.pods = ClusterPods{Namespaces(20), std::nullopt};
    if (random_.Percent(30)) {
      peer.pods->pod_selector =
          LabelSelector{{{"role", absl::StrCat("role-", random_.Below(7))}}, {}};
    }
    return peer;
  }

  ClusterPort MakePort() {
    return {.form = ClusterPort::Form::kNumber,
            .protocol = random_.Percent(12) ? "UDP" : "TCP",
            .first = 1000 + 37 * int64_t{random_.Below(40)}};
  }

  Random random_;
};

}  // namespace

void AddClusterPolicies(uint32_t count, uint64_t seed, Cluster& cluster) {
  TierMaker maker(seed);
  for (uint32_t i = 0; i < count; ++i) cluster.cluster_policies.push_back(maker.Make(i));
}

}  // namespace npf::bench
