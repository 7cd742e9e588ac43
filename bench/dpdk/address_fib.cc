#include "dpdk/address_fib.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dpdk/eal.h"
#include "dpdk/rival.h"

namespace npf::bench {
namespace {

constexpr size_t kFirstEntries = size_t{1} << 24;
constexpr size_t kSecondEntries = 256;  // of a group, for a /24 that a longer prefix tells apart

size_t CountGroups(std::span<const Route> routes) {
  size_t groups = 0;
  uint32_t before = 0;
  for (const Route& route : routes) {
    const uint32_t range = route.block.address >> 8;
    if (route.block.length <= 24 || (groups != 0 && range == before)) continue;
    before = range;
    ++groups;
  }
  return groups;
}

class FibPair : public Rival {
 public:
  FibPair(std::string name, std::shared_ptr<AddressFib> fib, rte_fib_lookup_type type)
      : Rival({std::move(name), fib->table_bytes(), fib->build_ns()}),
        fib_(std::move(fib)),
        type_(type) {}

  void Run(std::span<const FlowKey> keys, std::span<uint8_t>) override {
    fib_->Select(type_);
    AddressFib::Hops hops;
    for (size_t done = 0; done < keys.size(); done += AddressFib::kBurst) {
      fib_->LookUp(keys.subspan(done, std::min(AddressFib::kBurst, keys.size() - done)), hops);
    }
  }
  Scope scope() const override { return Scope::kNone; }
  bool Covers(const FlowKey&) const override { return false; }

 private:
  std::shared_ptr<AddressFib> fib_;
  rte_fib_lookup_type type_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<AddressFib>> AddressFib::Make(std::span<const Route> routes,
                                                             int socket) {
  auto fib = std::make_shared<AddressFib>();
  const absl::Status status = fib->Build(routes, socket);
  if (!status.ok()) return status;
  return fib;
}

absl::Status AddressFib::Build(std::span<const Route> routes, int socket) {
  const Stopwatch watch;
  const size_t groups = CountGroups(routes) + 1;
  rte_fib_conf config = {.type = RTE_FIB_DIR24_8,
                         .default_nh = routes[0].next_hop,
                         .max_routes = static_cast<int>(routes.size())};
  config.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = static_cast<uint32_t>(groups)};
  fib_ = rte_fib_create(FreshTableName().c_str(), socket, &config);
  if (fib_ == nullptr) return absl::ResourceExhaustedError("rte_fib_create");
  for (const Route& route : routes.subspan(1)) {
    const int failure = rte_fib_add(fib_, route.block.address, route.block.length, route.next_hop);
    if (failure != 0) return absl::ResourceExhaustedError("rte_fib_add");
  }
  build_ns_ = watch.ns();
  table_bytes_ = (kFirstEntries + groups * kSecondEntries) * sizeof(uint32_t);
  return absl::OkStatus();
}

// Only where it changes: DPDK asks the processor what it can do each time, which takes a virtual
// machine longer than a thousand look-ups.
bool AddressFib::Select(rte_fib_lookup_type type) {
  if (selected_ == type) return true;
  if (rte_fib_select_lookup(fib_, type) != 0) return false;
  selected_ = type;
  return true;
}

void AddressFib::LookUp(std::span<const FlowKey> keys, Hops& hops) {
  std::array<uint32_t, kBurst> src;
  std::array<uint32_t, kBurst> dst;
  for (size_t i = 0; i < keys.size(); ++i) {
    src[i] = HostOrder(keys[i].src);
    dst[i] = HostOrder(keys[i].dst);
  }
  const int count = static_cast<int>(keys.size());
  rte_fib_lookup_bulk(fib_, src.data(), hops.src.data(), count);
  rte_fib_lookup_bulk(fib_, dst.data(), hops.dst.data(), count);
}

void AddFibPairs(const std::shared_ptr<AddressFib>& fib, Rivals& rivals) {
  const std::pair<const char*, rte_fib_lookup_type> ways[] = {
      {"rte_fib x2 scalar", RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO},
      {"rte_fib x2 avx512", RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512}};
  for (const auto& [name, type] : ways) {
    if (fib->Select(type)) {
      rivals.contenders.push_back(std::make_unique<FibPair>(name, fib, type));
    } else {
      rivals.missing.push_back(absl::StrCat(name, ": not for this processor"));
    }
  }
}

}  // namespace npf::bench
