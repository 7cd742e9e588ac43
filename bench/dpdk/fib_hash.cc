#include "dpdk/fib_hash.h"

#include <rte_hash.h>
#include <rte_hash_crc.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dpdk/eal.h"
#include "dpdk/rival.h"
#include "dpdk/routes.h"

namespace npf::bench {
namespace {

constexpr size_t kBurst = AddressFib::kBurst;
static_assert(kBurst <= RTE_HASH_LOOKUP_BULK_MAX);

// A combination takes 32 bytes and more of DPDK's memory.
constexpr size_t kCombinationsMax = 2'000'000;

constexpr uint64_t kClassBits = 24;
constexpr uint64_t Combine(uint64_t src_class, uint64_t dst_class, uint64_t port_class) {
  return src_class << (64 - kClassBits) | dst_class << (64 - 2 * kClassBits) | port_class;
}

bool IsOpen(uint64_t src_hop, uint64_t dst_hop) {
  return ((src_hop & kEgressIsolated) | (dst_hop & kIngressIsolated)) == 0;
}

// The combinations that are allowed of those that some policy could deny; nullopt where they are
// too many.
class Combinations {
 public:
  explicit Combinations(const ProgramView& view) : view_(view) {}

  std::optional<std::vector<uint64_t>> Allowed() {
    std::vector<uint32_t> hops;  // of the classes that an IPv4 address can have
    for (uint32_t c = 0; c < view_.header().class_count; ++c) {
      if (HasIpv4(c)) hops.push_back(NextHopOf(view_, c));
    }
    for (const uint32_t dst : hops) {
      for (const uint32_t src : hops) {
        if (!IsOpen(src, dst)) AppendPair(src & kClassMask, dst & kClassMask);
      }
      if (allowed_.size() > kCombinationsMax) return std::nullopt;
    }
    return std::move(allowed_);
  }

 private:
  bool HasIpv4(uint32_t address_class) const {
    return view_.Section<layout::ClassRecord>(layout::kClasses)[address_class].representatives[0] !=
           0;
  }

  std::span<const uint32_t> AllowBits(Direction direction, uint32_t subject, uint32_t peer) const {
    return view_.AllowBits(view_.DecisionOf(static_cast<uint32_t>(direction), subject, peer));
  }

  void AppendPair(uint32_t src, uint32_t dst) {
    const std::span<const uint32_t> ingress = AllowBits(Direction::kIngress, dst, src);
    if (std::ranges::all_of(ingress, [](uint32_t bits) { return bits == 0; })) return;
    const std::span<const uint32_t> egress = AllowBits(Direction::kEgress, src, dst);
    for (uint32_t word = 0; word < egress.size(); ++word) {
      for (uint32_t bits = egress[word] & ingress[word]; bits != 0; bits &= bits - 1) {
        const auto bit = static_cast<uint32_t>(std::countr_zero(bits));
        allowed_.push_back(Combine(src, dst, word * 32 + bit));
      }
    }
  }

  const ProgramView& view_;
  std::vector<uint64_t> allowed_;
};

class VerdictHash {
 public:
  static absl::StatusOr<std::unique_ptr<VerdictHash>> Make(std::span<const uint64_t> allowed,
                                                           int socket) {
    auto hash = std::make_unique<VerdictHash>();
    const absl::Status status = hash->Build(allowed, socket);
    if (!status.ok()) return status;
    return hash;
  }
  VerdictHash() = default;
  ~VerdictHash() { rte_hash_free(hash_); }
  VerdictHash(const VerdictHash&) = delete;
  VerdictHash& operator=(const VerdictHash&) = delete;

  // A bit for each of the combinations, which are 1 to kBurst.
  uint64_t Find(const std::array<uint64_t, kBurst>& combinations, size_t count) const {
    std::array<const void*, kBurst> keys;
    std::array<void*, kBurst> data;
    for (size_t i = 0; i < count; ++i) keys[i] = &combinations[i];
    uint64_t hits = 0;
    rte_hash_lookup_bulk_data(hash_, keys.data(), static_cast<uint32_t>(count), &hits, data.data());
    return hits;
  }
  size_t table_bytes() const { return table_bytes_; }

 private:
  absl::Status Build(std::span<const uint64_t> allowed, int socket) {
    const size_t before = AllocatedBytes(socket);
    const std::string name = FreshTableName();
    // Half empty, so that a bucket seldom overflows; DPDK wants room for eight at least.
    const rte_hash_parameters parameters = {
        .name = name.c_str(),
        .entries = static_cast<uint32_t>(std::max<size_t>(2 * allowed.size(), 8)),
        .key_len = sizeof(uint64_t),
        .hash_func = rte_hash_crc,
        .socket_id = socket};
    hash_ = rte_hash_create(&parameters);
    if (hash_ == nullptr) return absl::ResourceExhaustedError("rte_hash_create");
    for (const uint64_t combination : allowed) {
      if (rte_hash_add_key_data(hash_, &combination, nullptr) != 0) {
        return absl::ResourceExhaustedError("rte_hash_add_key_data");
      }
    }
    table_bytes_ = AllocatedBytes(socket) - before;
    return absl::OkStatus();
  }

  rte_hash* hash_ = nullptr;
  size_t table_bytes_ = 0;
};

// From a packet's protocol and port to the Program's port class, which somebody who writes this by
// hand has a table for as well.
template <typename Stored>
class PortClasses {
 public:
  explicit PortClasses(const ProgramView& view)
      : protocols_(view.Section<layout::Protocol>(layout::kProtocols)),
        index_(view.Section<Stored>(layout::kPortIndex)) {}

  uint64_t Of(const FlowKey& key) const {
    const layout::Protocol& protocol = protocols_[key.protocol];
    return index_[protocol.base + (key.dst_port & protocol.mask)];
  }
  size_t table_bytes() const { return protocols_.size_bytes() + index_.size_bytes(); }

 private:
  std::span<const layout::Protocol> protocols_;
  std::span<const Stored> index_;
};

template <typename Ports>
class FibHash : public Rival {
 public:
  FibHash(RivalFacts facts, const Ports& ports, std::shared_ptr<AddressFib> fib,
          std::unique_ptr<VerdictHash> hash)
      : Rival(std::move(facts)), ports_(ports), fib_(std::move(fib)), hash_(std::move(hash)) {}

  void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) override {
    fib_->Select(RTE_FIB_LOOKUP_DEFAULT);  // the widest vectors that this processor has
    for (size_t done = 0; done < keys.size(); done += kBurst) {
      const size_t count = std::min(kBurst, keys.size() - done);
      Judge(keys.subspan(done, count), allowed.subspan(done, count));
    }
  }
  Scope scope() const override { return Scope::kAll; }
  bool Covers(const FlowKey& key) const override { return key.family == 4; }

 private:
  // Only what some policy could deny is asked of the hash.
  void Judge(std::span<const FlowKey> keys, std::span<uint8_t> allowed) {
    AddressFib::Hops hops;
    fib_->LookUp(keys, hops);
    std::array<uint64_t, kBurst> combinations;
    std::array<uint8_t, kBurst> places;
    size_t asked = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      const FlowKey& key = keys[i];
      const bool open =
          IsOpen(hops.src[i], hops.dst[i]) || HostOrder(key.src) == HostOrder(key.dst);
      allowed[i] = open;
      combinations[asked] =
          Combine(hops.src[i] & kClassMask, hops.dst[i] & kClassMask, ports_.Of(key));
      places[asked] = static_cast<uint8_t>(i);
      asked += open ? 0 : 1;
    }
    if (asked == 0) return;
    const uint64_t hits = hash_->Find(combinations, asked);
    for (size_t i = 0; i < asked; ++i) allowed[places[i]] = hits >> i & 1;
  }

  Ports ports_;
  std::shared_ptr<AddressFib> fib_;
  std::unique_ptr<VerdictHash> hash_;
};

template <typename Ports>
void AddWith(RivalFacts facts, const Ports& ports, const std::shared_ptr<AddressFib>& fib,
             std::unique_ptr<VerdictHash> hash, Rivals& rivals) {
  facts.table_bytes = fib->table_bytes() + hash->table_bytes() + ports.table_bytes();
  rivals.contenders.push_back(
      std::make_unique<FibHash<Ports>>(std::move(facts), ports, fib, std::move(hash)));
}

constexpr char kName[] = "rte_fib + rte_hash";

}  // namespace

void AddFibHash(const Program& program, const std::shared_ptr<AddressFib>& fib, int socket,
                Rivals& rivals) {
  const ProgramView& view = program.view();
  const Stopwatch watch;
  std::optional<std::vector<uint64_t>> allowed;
  if (view.header().class_count <= uint64_t{1} << kClassBits)
    allowed = Combinations(view).Allowed();
  if (!allowed) {
    rivals.missing.push_back(absl::StrCat(kName, ": the policies allow more than ",
                                          kCombinationsMax, " combinations of classes and ports"));
    return;
  }
  absl::StatusOr<std::unique_ptr<VerdictHash>> hash = VerdictHash::Make(*allowed, socket);
  if (!hash.ok()) {
    rivals.missing.push_back(
        absl::StrCat(kName, ": ", std::string(hash.status().message()), " failed"));
    return;
  }
  RivalFacts facts{.name = kName, .build_ns = fib->build_ns() + watch.ns()};
  if (view.header().port_class_bytes == 1) {
    AddWith(std::move(facts), PortClasses<uint8_t>(view), fib, *std::move(hash), rivals);
  } else {
    AddWith(std::move(facts), PortClasses<uint16_t>(view), fib, *std::move(hash), rivals);
  }
}

}  // namespace npf::bench
