// Rules' port lists, and the port classes that they cut the ports into.
//
// A list is a set of ranges and of named ports; a named port has a number only on a destination pod
// (R26, R27), so a list has one set of ports for each port signature (the named ports of a pod that
// policies refer to). Two ports are of one class where every list's ranges hold both or neither and
// neither is some pod's named port on its own. Class 0 is "no port": only rules without ports match
// it (R20, R41). Port 0 is a port like others: only items without a port match it (R25).
#ifndef NPF_RESOLVE_PORT_SPACE_H_
#define NPF_RESOLVE_PORT_SPACE_H_

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "npf/model.h"
#include "resolve/bitset_table.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class PortSpace {
 public:
  static constexpr uint32_t kAllPorts = 0;  // the list of a rule without ports

  static std::vector<RulePort> Read(const std::vector<PolicyPort>& ports);
  static std::vector<RulePort> ReadCluster(const std::vector<ClusterPort>& ports);
  uint32_t InternList(const std::vector<RulePort>& ports);
  // The part of a pod's container ports that any list names. All lists must be interned before.
  uint32_t InternSignature(const Pod& pod);

  // Cuts the classes, once all lists and signatures are interned.
  void Cut();

  const PortClasses& classes() const { return classes_; }
  BitsetTable& bitsets() { return bitsets_; }
  const std::vector<std::vector<NamedPort>>& signatures() const { return signatures_; }
  bool HasNames(uint32_t list) const { return !lists_[list].names.empty(); }
  // The ports that a list stands for where the destination has the signature (0: no pod).
  uint32_t Resolve(uint32_t list, uint32_t signature);
  // A rule's ports at a peer with this signature: of ingress they are a bitset already, as the
  // subject is the destination; of egress a list, as the peer is.
  uint32_t OnPeer(size_t direction, uint32_t ports, uint32_t signature) {
    return direction == kIngress ? ports : Resolve(ports, signature);
  }

 private:
  using Name = std::pair<std::string, uint8_t>;  // and protocol index
  struct List {
    std::vector<PortRange> ranges;
    std::vector<Name> names;
    auto operator<=>(const List&) const = default;
  };
  using Cuts = std::array<std::vector<uint32_t>, 3>;  // first ports of elementary intervals

  Cuts CutPoints(const std::vector<std::vector<PortRange>>& sets) const;
  std::vector<std::vector<PortRange>> BasicSets() const;
  uint32_t BitsOf(const std::vector<PortRange>& ranges);

  std::vector<List> lists_ = {{}};
  std::map<List, uint32_t> list_ids_ = {{{}, kAllPorts}};
  std::set<Name> names_;
  std::vector<std::vector<NamedPort>> signatures_ = {{}};
  std::map<std::vector<NamedPort>, uint32_t> signature_ids_ = {{{}, 0}};
  PortClasses classes_;
  BitsetTable bitsets_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> resolved_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_PORT_SPACE_H_
