// Draws packets from what the policies of a snapshot speak of: a pod that one selects, a peer that
// one of its rules names, a port of that rule.
#ifndef NPF_BENCH_POLICY_SAMPLER_H_
#define NPF_BENCH_POLICY_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "npf/address.h"
#include "npf/flow.h"
#include "npf/snapshot.h"
#include "workload.h"

namespace npf::bench {

struct Port {
  uint8_t protocol = kProtocolTcp;
  uint16_t number = 0;
};

class PolicySampler {
 public:
  explicit PolicySampler(const Snapshot& snapshot);

  bool HasPods(Family family) const { return !Reachable(family).empty(); }
  IpAddress AnyPod(Family family, Random& random) const;
  // Half of them of some policy, half any.
  Port AnyPort(Random& random) const;
  // Half of them in some policy's block, half anywhere.
  IpAddress AnyExternal(Family family, Random& random) const;
  // Anywhere that a packet can come from.
  static IpAddress Anywhere(Family family, Random& random);
  struct Drawn {
    FlowKey key;
    bool between_pods;  // else a rule's ipBlock is one end
  };
  // nullopt where the drawn rule names nobody of that family.
  std::optional<Drawn> FromPolicy(Family family, Random& random) const;

  // A pod by one of its addresses, and the policies with ingress rules that select it.
  struct Target {
    uint32_t pod;
    Family family;
    std::vector<const NetworkPolicy*> policies;
  };
  // Of those addresses that pods have and that some ingress rule speaks of.
  std::vector<Target> TargetsOf(std::span<const IpAddress> destinations) const;
  std::optional<Drawn> Towards(const Target& target, Random& random) const;
  const IpAddress& AddressOf(const Target& target) const {
    return *AddressOf(target.pod, target.family);
  }

 private:
  struct Addresses {
    std::optional<IpAddress> v4;
    std::optional<IpAddress> v6;
  };

  void ReadPods();
  void ReadPolicies();
  void ReadRule(const PolicyRule& rule);
  const std::vector<uint32_t>& Reachable(Family family) const {
    return family == Family::kIpv4 ? v4_pods_ : v6_pods_;
  }
  const std::vector<IpBlock>& Blocks(Family family) const {
    return family == Family::kIpv4 ? v4_blocks_ : v6_blocks_;
  }
  const std::optional<IpAddress>& AddressOf(uint32_t pod, Family family) const {
    return family == Family::kIpv4 ? addresses_[pod].v4 : addresses_[pod].v6;
  }
  // The place of the namespace, or nullopt.
  std::optional<uint32_t> FindNamespace(std::string_view name) const;
  std::optional<uint32_t> DrawNamespace(const LabelSelector& selector, Random& random) const;
  std::optional<uint32_t> DrawPod(uint32_t ns, const LabelSelector& selector, Family family,
                                  Random& random) const;
  // A rule, and the pod that it is for.
  struct Applied {
    const NetworkPolicy& policy;
    const PolicyRule& rule;
    Direction direction;
    uint32_t pod;
  };
  std::optional<Drawn> FromRule(const Applied& applied, Family family, Random& random) const;
  struct Peer {
    IpAddress address;
    std::optional<uint32_t> pod;
  };
  std::optional<Peer> DrawPeer(uint32_t ns, const PolicyRule& rule, Family family,
                               Random& random) const;
  std::optional<Port> DrawPort(const PolicyRule& rule, std::optional<uint32_t> destination,
                               Random& random) const;

  const Snapshot snapshot_;
  std::vector<std::pair<uint32_t, uint32_t>> pods_of_;  // by namespace: first, behind the last
  std::vector<Addresses> addresses_;                    // by pod
  std::vector<uint32_t> v4_pods_, v6_pods_;             // those that have an address
  std::vector<IpBlock> v4_blocks_, v6_blocks_;          // that policies name
  std::vector<Port> ports_;                             // that policies name
};

// An address of the block, outside its excepts where that is soon found.
IpAddress DrawAddress(const IpBlock& block, Random& random);
// What a packet can come from: not loopback, multicast or unspecified.
bool IsUnicast(const IpAddress& address);

}  // namespace npf::bench

#endif  // NPF_BENCH_POLICY_SAMPLER_H_
