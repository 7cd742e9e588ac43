// Where a Program's tables lie. By default in ordinary memory; where they are larger than a
// translation buffer covers in pages of 4 KiB, huge pages save a miss on nearly every look-up.
#ifndef NPF_MEMORY_H_
#define NPF_MEMORY_H_

#include <cstddef>

namespace npf {

// A caller's allocator: rte_malloc with a socket, hugetlbfs, ... `allocate` gives zeroed memory or
// nullptr; `release` gets what it gave. Both may be called from any thread, and `context` outlives
// every Program that was made with it.
struct MemoryHook {
  void* (*allocate)(size_t bytes, size_t alignment, void* context) = nullptr;
  void (*release)(void* memory, size_t bytes, void* context) = nullptr;
  void* context = nullptr;
};

// Anonymous memory, aligned to 2 MiB, for which the kernel is asked for transparent huge pages; it
// works where there are none, too.
MemoryHook TransparentHugePages() noexcept;

}  // namespace npf

#endif  // NPF_MEMORY_H_
