#include "conntrack/fragment_table.h"

#include <bit>
#include <cstring>

namespace npf::conntrack {

bool Datagram::Cover(const ParsedPacket& fragment) {
  const Part part{fragment.fragment_begin, fragment.fragment_end};
  bool fits = !poisoned_ && part_count_ < kPartsMax;
  for (size_t i = 0; i < part_count_; ++i) {
    fits = fits && (part.end <= parts_[i].begin || parts_[i].end <= part.begin);
    // The last one stands behind all others.
    if (!fragment.fragment_more) fits = fits && parts_[i].end <= part.begin;
  }
  if (end_known_) fits = fits && fragment.fragment_more && part.end <= end_;
  if (!fits) {
    poisoned_ = true;
    return false;
  }
  parts_[part_count_++] = part;
  covered_ = static_cast<uint16_t>(covered_ + part.end - part.begin);
  if (!fragment.fragment_more) {
    end_known_ = true;
    end_ = part.end;
  }
  return true;
}

FragmentTable::FragmentTable(size_t capacity)
    : datagrams_(capacity + 1),
      heads_(std::bit_ceil(capacity)),
      links_(capacity + 1),
      slots_(links_),
      secret_(NewSecret()) {}

FragmentTable::Name FragmentTable::NameOf(const ParsedPacket& fragment) {
  Name name;
  std::memcpy(name.data(), fragment.key.src, 16);
  std::memcpy(name.data() + 2, fragment.key.dst, 16);
  const uint64_t protocol = fragment.key.family == 4 ? fragment.fragment_protocol : 0;
  name[4] = uint64_t{fragment.fragment_id} << 32 | protocol << 8 | fragment.key.family;
  name[5] = fragment.network;
  return name;
}

Datagram* FragmentTable::Find(const ParsedPacket& fragment, uint64_t now_ns) {
  const Name name = NameOf(fragment);
  const uint32_t hash = KeyedHash(name, secret_);
  dropped_count_ = 0;
  for (uint32_t i = heads_[hash & (heads_.size() - 1)]; i != 0; i = datagrams_[i].chain_) {
    Datagram& datagram = datagrams_[i];
    if (datagram.hash_ != hash || datagram.name_ != name) continue;
    if (datagram.expires_ns_ > now_ns) return &datagram;
    Drop(datagram);
    return nullptr;
  }
  return nullptr;
}

Datagram* FragmentTable::Begin(const ParsedPacket& fragment, uint64_t now_ns) {
  DropExpired(now_ns);
  const Name name = NameOf(fragment);
  constexpr size_t kWordsOfSource = 2;
  const uint32_t source = KeyedHash(std::span(name).first(kWordsOfSource), secret_);
  const auto holder = static_cast<uint16_t>(source % kHolders);
  const size_t capacity = datagrams_.size() - 1;
  if (held_[holder] >= capacity / 8) return nullptr;
  uint32_t slot = slots_.Take();
  if (slot == 0) {
    Drop(datagrams_[slots_.oldest()]);
    slot = slots_.Take();
  }
  slots_.Add(slot);
  Datagram& made = datagrams_[slot];
  made = Datagram();
  made.name_ = name;
  made.hash_ = KeyedHash(name, secret_);
  made.holder_ = holder;
  made.expires_ns_ = now_ns + kLifetimeNs;
  ++held_[holder];
  uint32_t& head = heads_[made.hash_ & (heads_.size() - 1)];
  made.chain_ = head;
  head = slot;
  return &made;
}

// A few at a time, so that no packet waits for many.
bool FragmentTable::DropExpired(uint64_t now_ns) {
  dropped_count_ = 0;
  for (size_t i = 0; i < kExpiredAtATime; ++i) {
    if (slots_.count() == 0) return false;
    Datagram& oldest = datagrams_[slots_.oldest()];
    if (oldest.expires_ns_ > now_ns) return false;
    Drop(oldest);
  }
  return true;
}

void FragmentTable::Drop(Datagram& datagram) {
  dropped_[dropped_count_++] = PlaceOf(datagram);
  Erase(datagram);
}

void FragmentTable::Erase(Datagram& datagram) {
  const uint32_t slot = PlaceOf(datagram);
  uint32_t* link = &heads_[datagram.hash_ & (heads_.size() - 1)];
  while (*link != slot) link = &datagrams_[*link].chain_;
  *link = datagram.chain_;
  --held_[datagram.holder_];
  slots_.Remove(slot);
  slots_.Release(slot);
}

}  // namespace npf::conntrack
