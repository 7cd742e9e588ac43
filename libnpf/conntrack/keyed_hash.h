// The hash of the tables of connections and datagrams: nobody who does not know the secret can aim
// at a chain (A120, A121).
#ifndef NPF_CONNTRACK_KEYED_HASH_H_
#define NPF_CONNTRACK_KEYED_HASH_H_

#include <array>
#include <cstdint>
#include <span>

#include "base/random_bits.h"

namespace npf::conntrack {

using Secret = std::array<uint64_t, 2>;

inline Secret NewSecret() { return {RandomBits(), RandomBits()}; }

// Both halves of a product of two words.
inline uint64_t Folded(uint64_t a, uint64_t b) {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t KeyedHash64(std::span<const uint64_t> words, const Secret& secret) {
  uint64_t hash = secret[1];
  for (const uint64_t word : words) hash = Folded(hash ^ word, secret[0] | 1);
  return hash;
}

inline uint32_t KeyedHash(std::span<const uint64_t> words, const Secret& secret) {
  const uint64_t hash = KeyedHash64(words, secret);
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_KEYED_HASH_H_
