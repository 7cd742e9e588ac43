// The hash of the tables of connections and datagrams: nobody who does not know the secret can aim
// at a chain (A120, A121).
#ifndef NPF_CONNTRACK_KEYED_HASH_H_
#define NPF_CONNTRACK_KEYED_HASH_H_

#include <array>
#include <cstdint>
#include <random>
#include <span>

namespace npf::conntrack {

using Secret = std::array<uint64_t, 2>;

inline Secret NewSecret() {
  std::random_device random;
  Secret secret;
  for (uint64_t& word : secret) word = uint64_t{random()} << 32 | random();
  return secret;
}

inline uint32_t KeyedHash(std::span<const uint64_t> words, const Secret& secret) {
  __extension__ using Product = unsigned __int128;
  uint64_t hash = secret[1];
  for (const uint64_t word : words) {
    const Product product = static_cast<Product>(hash ^ word) * (secret[0] | 1);
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_KEYED_HASH_H_
