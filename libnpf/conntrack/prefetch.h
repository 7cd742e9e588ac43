// A prefetch that stays: GCC takes a function that only prefetches for one without effect, and
// drops calls of it. What is asked for is to be changed, unless said otherwise.
#ifndef NPF_CONNTRACK_PREFETCH_H_
#define NPF_CONNTRACK_PREFETCH_H_

namespace npf::conntrack {

inline void Prefetch(const void* line) {
  __builtin_prefetch(line, 1);
  asm volatile("" : : "r"(line));
}

inline void PrefetchToRead(const void* line) {
  __builtin_prefetch(line, 0);
  asm volatile("" : : "r"(line));
}

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_PREFETCH_H_
