// Atoms: the distinct conditions that policies put on an address. A selector pair in its scope, a
// block of addresses, a selector of nodes, a domain name; the same condition in a thousand policies
// is one atom.
#ifndef NPF_RESOLVE_ATOMS_H_
#define NPF_RESOLVE_ATOMS_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "npf/snapshot.h"
#include "resolve/prefix_forest.h"
#include "resolve/resolved_policy.h"
#include "resolve/selector_index.h"

namespace npf::resolve {

class AtomTable {
 public:
  explicit AtomTable(const Snapshot& snapshot);

  // The pods of one namespace that a selector matches (R9, R14).
  uint32_t InternPods(const std::string& ns, const LabelSelector& pods);
  // The pods of all namespaces that a selector matches (R15, R16).
  uint32_t InternPods(const LabelSelector& namespaces, const LabelSelector& pods);
  uint32_t InternBlock(const IpBlock& block);
  // The addresses of nodes that a selector matches (R86).
  uint32_t InternNodes(const LabelSelector& nodes);
  // The addresses that a name, or a name below "*.", stood for (R87).
  uint32_t InternNames(const std::string& pattern);
  // No address at all: a peer that this version does not know (R89).
  uint32_t InternUnknown();

  // The atoms of kind kPods that each of these pods is in, sorted; equal sets share a number.
  // Matching is done once for each distinct namespace and projection of labels.
  struct PodIdentity {
    uint32_t atom_set = 0;
    uint32_t labels = 0;  // index of label_texts()
  };
  PodIdentity Identify(const Pod& pod);
  // The atoms of kind kNodes that a node is in, sorted.
  std::vector<uint32_t> NodeAtomsOf(const Node& node) const;
  const std::vector<std::vector<uint32_t>>& atom_sets() const { return atom_sets_; }
  const std::vector<std::string>& label_texts() const { return label_texts_; }

  const std::vector<Atom>& atoms() const { return atoms_; }
  PrefixForest& forest() { return forest_; }

 private:
  struct LabelSet {
    std::vector<uint32_t> pod_selectors;  // that match it
  };
  // Namespace, namespace selector (the other is kNone), pod selector.
  using PodsKey = std::tuple<uint32_t, uint32_t, uint32_t>;
  std::pair<uint32_t, bool> Intern(const PodsKey& key);  // and whether it is new
  uint32_t LabelSetOf(const Pod& pod);
  // Whether selectors of pods speak of the key of a pod's label. `place` is that of the label among
  // the pod's: most pods have the keys of the pod before in the same places.
  bool IsSelectedBy(const std::string& key, size_t place);
  uint32_t MatchAtoms(uint32_t ns, uint32_t label_set);
  const std::vector<uint32_t>& NamespaceSelectorsOf(uint32_t ns);

  const Snapshot& snapshot_;
  absl::flat_hash_map<std::string, uint32_t> ns_index_;
  SelectorIndex ns_selectors_;
  SelectorIndex pod_selectors_;
  SelectorIndex node_selectors_;
  std::vector<Atom> atoms_;
  absl::flat_hash_map<PodsKey, uint32_t> pod_atoms_;
  std::map<std::pair<IpPrefix, std::vector<IpPrefix>>, uint32_t> block_atoms_;
  std::vector<uint32_t> node_atoms_;  // by node selector
  std::map<std::string, uint32_t> name_atoms_;
  uint32_t unknown_atom_ = kNone;
  struct Scoped {
    uint32_t pod_selector;
    uint32_t atom;
  };
  absl::flat_hash_map<uint32_t, std::vector<Scoped>> by_ns_;
  absl::flat_hash_map<uint32_t, std::vector<Scoped>> by_ns_selector_;
  PrefixForest forest_;

  uint32_t last_ns_ = kNone;  // of the pod before
  struct Key {
    std::string key;
    bool is_selected_by;
  };
  std::vector<Key> last_keys_;  // of the pods before, by place
  std::string projection_;      // of LabelSetOf: labels that selectors speak of
  std::vector<LabelSet> label_sets_;
  std::vector<std::string> label_texts_;
  absl::flat_hash_map<std::string, uint32_t> label_set_ids_;
  absl::flat_hash_map<uint64_t, uint32_t> identities_;  // ns << 32 | label set: atom set
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> ns_selectors_of_;
  std::vector<uint32_t> stamp_;  // by pod selector
  uint32_t stamp_now_ = 0;
  std::vector<std::vector<uint32_t>> atom_sets_;
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> atom_set_ids_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_ATOMS_H_
