// Addresses for pods that have none yet, so that policies can be judged before anything runs: a
// Deployment that stands for its pods, a manifest of a pod that was never started.
//
// Where a pod will be is not known, but a verdict should not depend on it. So all of them get
// addresses of one stretch that no CIDR of the input cuts, chosen, in this order,
//
//   from a declared pod CIDR, where there is one with room;
//   in as few ipBlocks as can be: "0.0.0.0/0 except 10.0.0.0/8" is why not any private block does;
//   from 10.0.0.0/8, then the other private blocks (IPv6: fd00::/8);
//   with the lowest first address.
//
// None is an address that anything else of the input has. A family that the input says nothing of
// is left out: everybody gets IPv4, unless all declared pod CIDRs are IPv6, and IPv6 where any
// address or CIDR is.
#ifndef NPF_MODEL_ASSUMED_ADDRESSES_H_
#define NPF_MODEL_ASSUMED_ADDRESSES_H_

#include <map>
#include <string>
#include <vector>

#include "npf/address.h"
#include "npf/model.h"

namespace npf::model {

class AddressAssumer {
 public:
  // Everything that has to do with addresses. CIDRs and addresses that are no such are ignored.
  void AddBlock(const std::string& cidr, const std::vector<std::string>& excepts);
  void AddPodRange(const IpPrefix& prefix);
  void AddPodRange(const std::string& cidr);
  void AddTaken(const IpPrefix& prefix);  // of Services
  void AddTaken(const std::string& address);
  void AddRules(const NetworkPolicy& policy);
  void AddRules(const ClusterPolicy& policy);

  // Gives each pod that would have addresses (HasPodAddresses) and has none its own, and marks it.
  // Pods in one order get the same addresses, whatever order the rest was added in.
  void Assign(std::vector<Pod>& pods);

 private:
  // What changes at an address, compared to the one before.
  struct Change {
    int blocks = 0;  // ipBlocks that the address is in
    int taken = 0;
    int ranges = 0;  // pod CIDRs
  };
  using Changes = std::map<IpAddress, Change>;

  Changes& Of(Family family) { return changes_[family == Family::kIpv4 ? 0 : 1]; }
  void Add(const IpPrefix& prefix, int Change::*what, int amount);
  void AssignFamily(Family family, const std::vector<Pod*>& pods);

  Changes changes_[2];
  bool named_v6_ = false;
  bool has_v4_range_ = false;
  bool has_v6_range_ = false;
};

}  // namespace npf::model

#endif  // NPF_MODEL_ASSUMED_ADDRESSES_H_
