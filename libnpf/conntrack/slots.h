// Slots 1 to `capacity` of an array: which are free, and a list of some of the others, oldest
// first. The lists stand beside the array, and only beginnings and ends touch them.
#ifndef NPF_CONNTRACK_SLOTS_H_
#define NPF_CONNTRACK_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace npf::conntrack {

class Slots {
 public:
  struct Links {
    uint32_t newer;
    uint32_t older;
  };

  // Of slots 1 to the last of `links`, all free. `links` outlives it.
  explicit Slots(std::span<Links> links) : links_(links) {
    links_[0] = {};
    for (size_t slot = links.size() - 1; slot != 0; --slot) Release(static_cast<uint32_t>(slot));
  }

  // The slot that Take() gives, or 0; NewerThan() of it is the next one.
  uint32_t free() const { return free_; }

  // A free slot, or 0.
  uint32_t Take() {
    const uint32_t slot = free_;
    if (slot != 0) free_ = links_[slot].newer;
    return slot;
  }
  void Release(uint32_t slot) {
    links_[slot] = {.newer = free_, .older = 0};
    free_ = slot;
  }

  // To the list, where the slot 0 stands for both ends.
  void Add(uint32_t slot) {
    const uint32_t newest = links_[0].older;
    links_[slot] = {.newer = 0, .older = newest};
    links_[newest].newer = slot;
    links_[0].older = slot;
    ++count_;
  }
  void Remove(uint32_t slot) {
    const Links links = links_[slot];
    links_[links.older].newer = links.newer;
    links_[links.newer].older = links.older;
    --count_;
  }
  uint32_t oldest() const { return links_[0].newer; }                     // or 0
  uint32_t NewerThan(uint32_t slot) const { return links_[slot].newer; }  // or 0
  size_t count() const { return count_; }

 private:
  std::span<Links> links_;
  uint32_t free_ = 0;
  size_t count_ = 0;
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_SLOTS_H_
