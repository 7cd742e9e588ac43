#include "resolve/peer_states.h"

namespace npf::resolve {

AtomClasses::AtomClasses(const std::vector<Atom>& atoms, const std::vector<AddressClass>& classes,
                         uint32_t pod_class_count)
    : first_(atoms.size() + 1, 0), every_pod_(atoms.size(), false) {
  for (const AddressClass& c : classes) {
    for (const uint32_t atom : c.atoms) ++first_[atom + 1];
  }
  for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  classes_.resize(first_.back());
  std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
  for (uint32_t c = 0; c < classes.size(); ++c) {
    for (const uint32_t atom : classes[c].atoms) classes_[next[atom]++] = c;
  }
  for (uint32_t atom = 0; atom < atoms.size(); ++atom) {
    every_pod_[atom] = atoms[atom].kind == AtomKind::kPods && Of(atom).size() == pod_class_count;
  }
}

}  // namespace npf::resolve
