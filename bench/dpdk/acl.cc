#include "dpdk/acl.h"

#include <rte_acl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "dpdk/eal.h"
#include "dpdk/rival.h"

namespace npf::bench {
namespace {

using Algorithm = enum rte_acl_classify_alg;  // which is a function, too

constexpr size_t kBurst = 32;
constexpr uint32_t kAllow = 1;  // 0 is "no rule matches"
constexpr uint32_t kDeny = 2;

// What rte_acl reads of a packet, network order. It reads the first byte and then four at a time.
struct AclKey {
  uint8_t protocol;
  uint8_t padding[3];
  uint8_t src[4];
  uint8_t dst[4];
  uint16_t src_port;
  uint16_t dst_port;
};

enum Field : uint8_t { kProtocol, kSource, kDestination, kSourcePort, kDestinationPort, kFields };
RTE_ACL_RULE_DEF(AclRule, kFields);

rte_acl_config MakeConfig() {
  rte_acl_config config = {.num_categories = 1, .num_fields = kFields};
  config.defs[kProtocol] = {RTE_ACL_FIELD_TYPE_BITMASK, 1, kProtocol, 0,
                            offsetof(AclKey, protocol)};
  config.defs[kSource] = {RTE_ACL_FIELD_TYPE_MASK, 4, kSource, 1, offsetof(AclKey, src)};
  config.defs[kDestination] = {RTE_ACL_FIELD_TYPE_MASK, 4, kDestination, 2, offsetof(AclKey, dst)};
  config.defs[kSourcePort] = {RTE_ACL_FIELD_TYPE_RANGE, 2, kSourcePort, 3,
                              offsetof(AclKey, src_port)};
  config.defs[kDestinationPort] = {RTE_ACL_FIELD_TYPE_RANGE, 2, kDestinationPort, 3,
                                   offsetof(AclKey, dst_port)};
  return config;
}

AclRule MakeRule(const FiveTupleRule& rule) {
  AclRule made = {};
  // All rules that allow come before the one that denies, and their order is of no matter.
  made.data = {
      .category_mask = 1, .priority = rule.allow ? 2 : 1, .userdata = rule.allow ? kAllow : kDeny};
  made.field[kProtocol].value.u8 = rule.protocol;
  made.field[kProtocol].mask_range.u8 = rule.protocol == kAnyProtocol ? 0 : 0xff;
  made.field[kSource].value.u32 = rule.src;
  made.field[kSource].mask_range.u32 = rule.src_length;
  made.field[kDestination].value.u32 = rule.dst;
  made.field[kDestination].mask_range.u32 = 32;
  made.field[kSourcePort].mask_range.u16 = 65535;
  made.field[kDestinationPort].value.u16 = rule.first_port;
  made.field[kDestinationPort].mask_range.u16 = rule.last_port;
  return made;
}

class AclTable {
 public:
  static absl::StatusOr<std::shared_ptr<AclTable>> Make(const RuleSet& set, int socket) {
    auto table = std::make_shared<AclTable>();
    const absl::Status status = table->Build(set, socket);
    if (!status.ok()) return status;
    return table;
  }
  AclTable() = default;
  ~AclTable() { rte_acl_free(context_); }
  AclTable(const AclTable&) = delete;
  AclTable& operator=(const AclTable&) = delete;

  bool Supports(Algorithm algorithm) { return rte_acl_set_ctx_classify(context_, algorithm) == 0; }
  const rte_acl_ctx* context() const { return context_; }
  size_t table_bytes() const { return table_bytes_; }
  uint64_t build_ns() const { return build_ns_; }

 private:
  absl::Status Build(const RuleSet& set, int socket) {
    const std::string name = FreshTableName();
    const rte_acl_param parameters = {.name = name.c_str(),
                                      .socket_id = socket,
                                      .rule_size = RTE_ACL_RULE_SZ(kFields),
                                      .max_rule_num = static_cast<uint32_t>(set.rules.size())};
    const Stopwatch watch;
    context_ = rte_acl_create(&parameters);
    if (context_ == nullptr) return absl::ResourceExhaustedError("rte_acl_create");
    std::vector<AclRule> rules(set.rules.size());
    std::transform(set.rules.begin(), set.rules.end(), rules.begin(), MakeRule);
    const auto* first = reinterpret_cast<const rte_acl_rule*>(rules.data());
    if (rte_acl_add_rules(context_, first, static_cast<uint32_t>(rules.size())) != 0) {
      return absl::InternalError("rte_acl_add_rules");
    }
    // The rules themselves are of no use to a look-up, and are not counted.
    const size_t before = AllocatedBytes(socket);
    const rte_acl_config config = MakeConfig();
    if (rte_acl_build(context_, &config) != 0) return absl::ResourceExhaustedError("rte_acl_build");
    table_bytes_ = AllocatedBytes(socket) - before;
    build_ns_ = watch.ns();
    return absl::OkStatus();
  }

  rte_acl_ctx* context_ = nullptr;
  size_t table_bytes_ = 0;
  uint64_t build_ns_ = 0;
};

uint16_t NetworkOrder(uint16_t port) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(port) : port;
}

class AclContender : public IngressRival {
 public:
  AclContender(std::string name, std::shared_ptr<const RuleSet> set,
               std::shared_ptr<const AclTable> table, Algorithm algorithm)
      : IngressRival({std::move(name), table->table_bytes(), table->build_ns()}, std::move(set)),
        table_(std::move(table)),
        algorithm_(algorithm) {
    for (size_t i = 0; i < kBurst; ++i) {
      pointers_[i] = reinterpret_cast<const uint8_t*>(&packets_[i]);
    }
  }

  void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) override {
    for (size_t done = 0; done < keys.size(); done += kBurst) {
      const size_t count = std::min(kBurst, keys.size() - done);
      for (size_t i = 0; i < count; ++i) Fill(keys[done + i], packets_[i]);
      std::array<uint32_t, kBurst> results;
      rte_acl_classify_alg(table_->context(), pointers_.data(), results.data(),
                           static_cast<uint32_t>(count), 1, algorithm_);
      for (size_t i = 0; i < count; ++i) allowed[done + i] = results[i] != kDeny;
    }
  }

 private:
  static void Fill(const FlowKey& key, AclKey& packet) {
    packet.protocol = key.protocol;
    std::memcpy(packet.src, key.src, sizeof packet.src);
    std::memcpy(packet.dst, key.dst, sizeof packet.dst);
    packet.src_port = NetworkOrder(key.src_port);
    packet.dst_port = NetworkOrder(key.dst_port);
  }

  std::shared_ptr<const AclTable> table_;
  Algorithm algorithm_;
  std::array<AclKey, kBurst> packets_ = {};
  std::array<const uint8_t*, kBurst> pointers_ = {};
};

struct NamedAlgorithm {
  const char* name;
  Algorithm id;
};
constexpr NamedAlgorithm kAlgorithms[] = {{"scalar", RTE_ACL_CLASSIFY_SCALAR},
                                          {"avx2", RTE_ACL_CLASSIFY_AVX2},
                                          {"avx512x32", RTE_ACL_CLASSIFY_AVX512X32}};

}  // namespace

void AddAcl(const NamedRules& rules, int socket, Rivals& rivals) {
  const std::string prefix = absl::StrCat("rte_acl ", rules.size);
  const absl::StatusOr<std::shared_ptr<AclTable>> table = AclTable::Make(*rules.set, socket);
  if (!table.ok()) {
    rivals.missing.push_back(absl::StrCat(prefix, ": ", std::string(table.status().message()),
                                          " failed, most likely for want of memory"));
    return;
  }
  for (const NamedAlgorithm& algorithm : kAlgorithms) {
    std::string name = absl::StrCat(prefix, " ", algorithm.name);
    if (!(*table)->Supports(algorithm.id)) {
      rivals.missing.push_back(absl::StrCat(name, ": not for this processor"));
      continue;
    }
    rivals.contenders.push_back(
        std::make_unique<AclContender>(std::move(name), rules.set, *table, algorithm.id));
  }
}

}  // namespace npf::bench
