#include "dpdk/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace npf::bench {
namespace {

constexpr char kHeap[] = "tables";
constexpr size_t kHugePageBytes = size_t{2} << 20;
// Room for a routing table and for the rules and combinations of any workload. DPDK writes zeros to
// all of it.
constexpr size_t kHeapBytes = size_t{512} << 20;

absl::Status Failure(const char* what) {
  return absl::InternalError(absl::StrCat("DPDK: ", what, ": ", LastEalError()));
}

// Where the environment keeps its main thread is the caller's business again afterwards.
class AffinityKeeper {
 public:
  AffinityKeeper() { sched_getaffinity(0, sizeof before_, &before_); }
  ~AffinityKeeper() { sched_setaffinity(0, sizeof before_, &before_); }
  AffinityKeeper(const AffinityKeeper&) = delete;
  AffinityKeeper& operator=(const AffinityKeeper&) = delete;

 private:
  cpu_set_t before_;
};

// EAL finds processors there, and prints its manual where it does not.
constexpr char kProcessors[] = "/sys/devices/system/cpu";

absl::Status InitEal() {
  if (access(kProcessors, R_OK) != 0) return absl::ErrnoToStatus(errno, kProcessors);
  const AffinityKeeper keeper;
  std::vector<std::string> arguments = {"npf-bench",
                                        "-l",
                                        absl::StrCat(sched_getcpu()),
                                        "--no-huge",
                                        "-m",
                                        "64",
                                        "--no-pci",
                                        "--no-telemetry",
                                        "--no-shconf",
                                        "--log-level=error",
                                        "--force-max-simd-bitwidth=512"};
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0) {
    return Failure("rte_eal_init");
  }
  return absl::OkStatus();
}

// Huge pages as the kernel gives them to anybody who asks (madvise), because those who run these
// tables in earnest have huge pages, and a table of 64 MB is much slower without.
absl::StatusOr<int> AddHeap() {
  void* const reserved = mmap(nullptr, kHeapBytes + kHugePageBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return absl::ErrnoToStatus(errno, "memory for DPDK's tables");
  const auto begin =
      (reinterpret_cast<uintptr_t>(reserved) + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  void* const heap = reinterpret_cast<void*>(begin);
  madvise(heap, kHeapBytes, MADV_HUGEPAGE);  // without them it is slower, and as right
  if (rte_malloc_heap_create(kHeap) != 0) return Failure("rte_malloc_heap_create");
  if (rte_malloc_heap_memory_add(kHeap, heap, kHeapBytes, nullptr, 0, kHugePageBytes) != 0) {
    return Failure("rte_malloc_heap_memory_add");
  }
  return rte_malloc_heap_get_socket(kHeap);
}

absl::StatusOr<int> Start() {
  const absl::Status status = InitEal();
  if (!status.ok()) return status;
  return AddHeap();
}

}  // namespace

absl::StatusOr<int> StartEal() {
  static const absl::StatusOr<int> socket = Start();
  return socket;
}

size_t AllocatedBytes(int socket) {
  rte_malloc_socket_stats stats;
  return rte_malloc_get_socket_stats(socket, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

std::string FreshTableName() {
  static std::atomic<uint32_t> count = 0;
  return absl::StrCat("npf-", count++);
}

std::string LastEalError() { return rte_strerror(rte_errno); }

}  // namespace npf::bench
