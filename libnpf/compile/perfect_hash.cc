#include "compile/perfect_hash.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "program/layout.h"

namespace npf {
namespace {

constexpr uint32_t kKeysPerGroup = 4;
constexpr uint32_t kSeeds = 64;
constexpr uint32_t kPilots = 65536;

// Groups of hashes: by group, and the groups largest first.
class Groups {
 public:
  Groups(const std::vector<uint64_t>& hashes, uint32_t group_count)
      : first_(group_count + 1, 0), keys_(hashes.size()), order_(group_count) {
    for (const uint64_t hash : hashes) ++first_[layout::PilotOf(hash, group_count) + 1];
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
    for (uint32_t key = 0; key < hashes.size(); ++key) {
      keys_[next[layout::PilotOf(hashes[key], group_count)]++] = key;
    }
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(),
                     [&](uint32_t a, uint32_t b) { return KeysOf(a).size() > KeysOf(b).size(); });
  }

  std::span<const uint32_t> KeysOf(uint32_t group) const {
    return std::span(keys_).subspan(first_[group], first_[group + 1] - first_[group]);
  }
  const std::vector<uint32_t>& order() const { return order_; }

 private:
  std::vector<uint32_t> first_;  // CSR
  std::vector<uint32_t> keys_;
  std::vector<uint32_t> order_;
};

class Builder {
 public:
  Builder(std::vector<uint64_t> hashes, PerfectHash& out)
      : hashes_(std::move(hashes)),
        out_(out),
        groups_(hashes_, static_cast<uint32_t>(out.pilots.size())),
        taken_(out.place_count, false) {}

  bool Build() {
    return std::all_of(groups_.order().begin(), groups_.order().end(),
                       [&](uint32_t group) { return PlaceGroup(group); });
  }

 private:
  bool PlaceGroup(uint32_t group) {
    const auto keys = groups_.KeysOf(group);
    for (uint32_t number = 0; number < kPilots; ++number) {
      const uint32_t pilot = number * layout::kPilotFactor;
      if (!Fits(keys, pilot)) continue;
      out_.pilots[group] = pilot;
      return true;
    }
    return false;
  }

  // Takes the places where all are free.
  bool Fits(std::span<const uint32_t> keys, uint32_t pilot) {
    for (size_t i = 0; i < keys.size(); ++i) {
      const uint32_t place = layout::PlaceOf(hashes_[keys[i]], pilot, out_.place_count);
      if (taken_[place]) {
        while (i-- > 0) taken_[out_.places[keys[i]]] = false;
        return false;
      }
      taken_[place] = true;
      out_.places[keys[i]] = place;
    }
    return true;
  }

  std::vector<uint64_t> hashes_;
  PerfectHash& out_;
  Groups groups_;
  std::vector<bool> taken_;
};

}  // namespace

absl::StatusOr<PerfectHash> MakePerfectHash(size_t key_count,
                                            const std::function<uint64_t(size_t, uint32_t)>& hash) {
  PerfectHash result;
  result.places.resize(key_count);
  result.place_count = static_cast<uint32_t>(key_count + key_count / 7 + 1);
  std::vector<uint64_t> hashes(key_count);
  for (result.seed = 0; result.seed < kSeeds; ++result.seed) {
    for (size_t i = 0; i < key_count; ++i) hashes[i] = hash(i, result.seed);
    result.pilots.assign(key_count / kKeysPerGroup + 1, 0);
    if (Builder(hashes, result).Build()) return result;
  }
  return absl::ResourceExhaustedError("no hash function tells the keys of a table apart");
}

}  // namespace npf
