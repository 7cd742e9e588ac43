// From rules to rows: what each subject class allows to and from every peer class.
//
// A subject's rows depend only on the set of (peer, ports) pairs of the rules of the policies that
// select it, so equal sets share a row: a rule that every namespace repeats is worked out once.
// Rules of one direction are added up (R3): a peer's decision is the union of the ports of all
// rules that name it, on top of the ports of rules without peers (R18).
#ifndef NPF_RESOLVE_ROW_BUILDER_H_
#define NPF_RESOLVE_ROW_BUILDER_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "resolve/port_space.h"
#include "resolve/resolve.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class RowBuilder {
 public:
  RowBuilder(PortSpace& ports, const ResolveLimits& limits, ResolvedPolicy& out);

  // Fills decisions, rows and row_of_class.
  absl::Status Build();
  const std::vector<Cost>& costs() const { return costs_; }  // by policy

 private:
  // One rule's contribution: any peer (kNone) or an atom, and its ports: for ingress a bitset (the
  // subject is the destination, its named ports are known), for egress a port list.
  struct Item {
    uint32_t atom;
    uint32_t ports;
    auto operator<=>(const Item&) const = default;
  };
  void IndexAtoms();
  void CountCosts();
  uint32_t InternDecision(const Decision& decision);
  uint32_t RowFor(size_t direction, std::vector<Item> items);
  Row MakeRow(size_t direction, const std::vector<Item>& items);
  uint32_t PortsFor(size_t direction, uint32_t ports, uint32_t peer_class);
  void Contribute(size_t direction, const Item& item);
  void AddTo(uint32_t peer_class, uint32_t bitset);
  void ChooseDefault(uint32_t first_class, uint32_t end_class, uint32_t& side_default, Row& row);
  std::span<const uint32_t> ClassesOf(uint32_t atom) const;
  bool IsEveryPod(uint32_t atom) const;

  PortSpace& ports_;
  const ResolveLimits& limits_;
  ResolvedPolicy& out_;
  std::map<Decision, uint32_t> decision_ids_;
  std::vector<uint32_t> atom_first_;  // CSR: classes that are in an atom
  std::vector<uint32_t> atom_classes_;
  std::vector<std::vector<uint32_t>> policies_of_atom_;
  std::array<absl::flat_hash_map<std::vector<uint32_t>, uint32_t>, 2> row_ids_;
  std::vector<Cost> costs_;
  size_t entry_count_ = 0;

  // Of the row being made.
  uint32_t base_pod_ = 0;
  uint32_t base_other_ = 0;
  std::vector<uint32_t> bits_;  // by peer class, where stamped
  std::vector<uint32_t> stamp_;
  std::vector<uint32_t> touched_;
  uint32_t stamp_now_ = 0;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_ROW_BUILDER_H_
