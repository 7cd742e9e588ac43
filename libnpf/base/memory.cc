#include "npf/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace npf {
namespace {

constexpr size_t kHugeBytes = size_t{2} << 20;

size_t RoundedUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Maps more than is needed and gives back what is not aligned.
void* MapHuge(size_t bytes, size_t alignment, void*) {
  const size_t unit = std::max(alignment, kHugeBytes);
  const size_t wanted = RoundedUp(bytes, kHugeBytes);
  void* const mapped =
      mmap(nullptr, wanted + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const size_t before =
      RoundedUp(reinterpret_cast<uintptr_t>(mapped), unit) - reinterpret_cast<uintptr_t>(mapped);
  if (before != 0) munmap(begin, before);
  if (before != unit) munmap(begin + before + wanted, unit - before);
  madvise(begin + before, wanted, MADV_HUGEPAGE);  // a wish; without it, pages are small
  return begin + before;
}

void UnmapHuge(void* memory, size_t bytes, void*) { munmap(memory, RoundedUp(bytes, kHugeBytes)); }

}  // namespace

MemoryHook TransparentHugePages() noexcept {
  return {.allocate = MapHuge, .release = UnmapHuge, .context = nullptr};
}

}  // namespace npf
