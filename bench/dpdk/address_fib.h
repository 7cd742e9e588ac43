// rte_fib: the routing table that DPDK offers for finding what an IPv4 address belongs to.
#ifndef NPF_BENCH_DPDK_ADDRESS_FIB_H_
#define NPF_BENCH_DPDK_ADDRESS_FIB_H_

#include <rte_fib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dpdk/routes.h"
#include "npf/flow.h"
#include "rivals.h"

namespace npf::bench {

class AddressFib {
 public:
  static constexpr size_t kBurst = 64;
  struct Hops {
    std::array<uint64_t, kBurst> src;
    std::array<uint64_t, kBurst> dst;
  };

  static absl::StatusOr<std::shared_ptr<AddressFib>> Make(std::span<const Route> routes,
                                                          int socket);
  AddressFib() = default;
  ~AddressFib() { rte_fib_free(fib_); }
  AddressFib(const AddressFib&) = delete;
  AddressFib& operator=(const AddressFib&) = delete;

  // How LookUp goes about it from now on; false where that is not for this processor.
  bool Select(rte_fib_lookup_type type);
  // The next hops of both addresses of each of at most kBurst keys.
  void LookUp(std::span<const FlowKey> keys, Hops& hops);

  // What a look-up reads; the tree behind it, which only changes read, is not counted.
  size_t table_bytes() const { return table_bytes_; }
  uint64_t build_ns() const { return build_ns_; }

 private:
  absl::Status Build(std::span<const Route> routes, int socket);

  rte_fib* fib_ = nullptr;
  std::optional<rte_fib_lookup_type> selected_;
  size_t table_bytes_ = 0;
  uint64_t build_ns_ = 0;
};

// Both addresses looked up and nothing decided: less than any filter can do.
void AddFibPairs(const std::shared_ptr<AddressFib>& fib, Rivals& rivals);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_ADDRESS_FIB_H_
