#include "compile/address_tables.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace npf {
namespace {

using resolve::Endpoint;
using resolve::Region;
using resolve::ResolvedPolicy;

constexpr size_t kFanout = 256;
using Chunk = std::array<uint32_t, kFanout>;
// As many places as an entry of 32 bits can tell.
constexpr size_t kNarrowPlaces = size_t{1} << (32 - layout::kV4BaseShift);

// What to paint, shorter prefixes first, so that longer ones end up on top.
std::vector<Region> PaintOrder(const ResolvedPolicy& policy) {
  std::vector<Region> order;
  for (const Region& region : policy.regions) {
    if (region.prefix.address.family == Family::kIpv4) order.push_back(region);
  }
  std::stable_sort(order.begin(), order.end(), [](const Region& a, const Region& b) {
    return a.prefix.length < b.prefix.length;
  });
  for (const Endpoint& endpoint : policy.endpoints) {
    if (endpoint.address.family != Family::kIpv4) continue;
    order.push_back({{endpoint.address, static_cast<uint8_t>(endpoint.address.bit_count())},
                     endpoint.address_class});
  }
  return order;
}

// Entries while painting: class << 1, or chunk number << 1 | 1.
class V4Trie {
 public:
  V4Trie() : top_(65536, 0) {}

  void Paint(const Region& region) {
    const uint32_t address = region.prefix.address.v4();
    const uint32_t length = region.prefix.length;
    const uint32_t constant = region.address_class << 1;
    if (length <= 16) {
      Fill(std::span(top_).subspan(address >> 16), 16 - length, constant);
      return;
    }
    Chunk& mid = ChunkAt(top_[address >> 16], mids_);
    if (length <= 24) {
      Fill(std::span(mid).subspan(address >> 8 & 0xff), 24 - length, constant);
      return;
    }
    Chunk& leaf = ChunkAt(mid[address >> 8 & 0xff], leaves_);
    Fill(std::span(leaf).subspan(address & 0xff), 32 - length, constant);
  }

  void Write(uint32_t class_count, ImageWriter& writer) const {
    std::vector<uint64_t> mid(class_count);
    std::vector<uint32_t> leaf(class_count);
    for (uint32_t c = 0; c < class_count; ++c) {  // the places of what no byte tells apart
      mid[c] = uint64_t{c} << layout::kV4BaseShift;
      leaf[c] = c;
    }
    const std::vector<size_t> leaf_base =
        Place(leaves_, leaf, [](uint32_t entry) { return entry >> 1; });
    const std::vector<size_t> mid_base =
        Place(mids_, mid, [&](uint32_t entry) { return Linked(entry, leaf_base); });
    std::vector<uint64_t> top(top_.size());
    for (uint32_t i = 0; i < top.size(); ++i) {
      top[(i >> 8) | (i & 0xff) << 8] = Linked(top_[i], mid_base);
    }
    const bool narrow = std::max(mid.size(), leaf.size()) <= kNarrowPlaces;
    writer.header.v4_entry_bytes = narrow ? 4 : 8;
    writer.header.leaf_bytes = narrow && class_count <= 65536 ? 2 : 4;
    writer.PutNarrow(layout::kV4Top, top, writer.header.v4_entry_bytes);
    writer.PutNarrow(layout::kV4Mid, mid, writer.header.v4_entry_bytes);
    writer.PutNarrow(layout::kV4Leaf, leaf, writer.header.leaf_bytes);
  }

 private:
  static void Fill(std::span<uint32_t> from, uint32_t size_log2, uint32_t value) {
    std::fill_n(from.begin(), size_t{1} << size_log2, value);
  }
  static uint64_t Linked(uint32_t entry, const std::vector<size_t>& base) {
    if ((entry & 1) == 0) return uint64_t{entry >> 1} << layout::kV4BaseShift;
    return uint64_t{base[entry >> 1]} << layout::kV4BaseShift | layout::kV4Mask;
  }
  static Chunk& ChunkAt(uint32_t& entry, std::vector<Chunk>& chunks) {
    if ((entry & 1) == 0) {
      Chunk chunk;
      chunk.fill(entry);
      entry = static_cast<uint32_t>(chunks.size()) << 1 | 1;
      chunks.push_back(chunk);
    }
    return chunks[entry >> 1];
  }
  // Appends each distinct chunk to `out` and returns where each chunk begins.
  template <typename Entry, typename Encode>
  static std::vector<size_t> Place(const std::vector<Chunk>& chunks, std::vector<Entry>& out,
                                   Encode encode) {
    absl::flat_hash_map<std::array<Entry, kFanout>, size_t> placed;
    std::vector<size_t> base;
    base.reserve(chunks.size());
    for (const Chunk& chunk : chunks) {
      std::array<Entry, kFanout> encoded;
      std::transform(chunk.begin(), chunk.end(), encoded.begin(), encode);
      const auto [found, inserted] = placed.try_emplace(encoded, out.size());
      if (inserted) out.insert(out.end(), encoded.begin(), encoded.end());
      base.push_back(found->second);
    }
    return base;
  }

  std::vector<uint32_t> top_;
  std::vector<Chunk> mids_;
  std::vector<Chunk> leaves_;
};

}  // namespace

void BuildV4Trie(const ResolvedPolicy& policy, ImageWriter& writer) {
  V4Trie trie;
  for (const Region& region : PaintOrder(policy)) {
    trie.Paint(region);
  }
  trie.Write(static_cast<uint32_t>(policy.classes.size()), writer);
}

}  // namespace npf
