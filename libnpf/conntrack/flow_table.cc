#include "conntrack/flow_table.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

#include "conntrack/sctp.h"
#include "conntrack/tcp.h"
#include "npf/memory.h"

namespace npf::conntrack {
namespace {

constexpr char kMagic[8] = {'N', 'P', 'F', 'F', 'L', 'O', 'W', '2'};
constexpr size_t kLineBytes = 64;
constexpr uint64_t kCapacityMax = uint64_t{1} << 29;

Flow NewFlow(const FlowKey& key, FlowSide side) {
  const Ends ends = side == FlowSide::kForward ? EndsOf(key) : EndsOf(key).Reversed();
  Flow flow{};
  for (const size_t i : {size_t{0}, size_t{1}}) {
    std::memcpy(flow.address[i], &ends.high[i], 8);
    std::memcpy(flow.address[i] + 8, &ends.low[i], 8);
    flow.port[i] = static_cast<uint16_t>(ends.rest >> (16 * i));
  }
  flow.protocol = key.protocol;
  flow.family = key.family;
  return flow;
}

}  // namespace

struct alignas(kLineBytes) FlowTable::Header {
  char magic[8];
  uint64_t capacity;
  uint64_t bucket_count;
  uint64_t base_ns;  // of tick 0
  uint64_t last_ns;  // the latest time that was told
};

FlowKey KeyOf(const Flow& flow) {
  FlowKey key{};
  std::memcpy(key.src, flow.address[0], 16);
  std::memcpy(key.dst, flow.address[1], 16);
  key.src_port = flow.port[0];
  key.dst_port = IsIcmp(flow.protocol) ? uint16_t{0} : flow.port[1];
  key.protocol = flow.protocol;
  key.family = flow.family;
  return key;
}

bool MayHaveSent(const FoundFlow& found, const ParsedPacket& quoted) {
  const size_t side = found.is_reply;
  const Flow& flow = *found.flow;
  if (flow.protocol == kProtocolTcp) return HasInFlight(flow, side, quoted.tcp_sequence);
  return flow.protocol != kProtocolSctp || BearsTag(flow, side, quoted.sctp_tag);
}

uint32_t PairHash(const FlowKey& key, uint64_t secret) {
  const auto end = [secret](const uint8_t* address) {
    return Folded(Word(address) ^ secret, Word(address, 8) ^ ~secret);
  };
  const uint64_t hash = Folded(end(key.src) + end(key.dst), secret | 1);
  return static_cast<uint32_t>(hash >> 32);
}

// A look-up goes anywhere: with small pages, it would miss their translation each time.
FlowTable::Memory FlowTable::Allocate(size_t bytes) {
  const MemoryHook hook = TransparentHugePages();
  void* const memory = hook.allocate(bytes, kLineBytes, hook.context);
  if (memory == nullptr) throw std::bad_alloc();
  return Memory(static_cast<std::byte*>(memory), Release{bytes});
}

void FlowTable::Release::operator()(std::byte* memory) const {
  const MemoryHook hook = TransparentHugePages();
  hook.release(memory, bytes, hook.context);
}

size_t FlowTable::BytesFor(size_t capacity) {
  return sizeof(Header) + FlowIndex::BucketsFor(capacity) * sizeof(FlowBucket) +
         (capacity + 1) * (sizeof(Flow) + sizeof(Slots::Links));
}

FlowTable::FlowTable(const FlowTableOptions& options) : FlowTable(options, {}) {}

FlowTable::FlowTable(const FlowTableOptions& options, std::span<std::byte> memory)
    : capacity_(options.capacity),
      openings_max_(options.openings_max != 0 ? options.openings_max
                                              : std::max<size_t>(capacity_ / 4, 1)),
      per_source_max_(options.per_source_max != 0 ? options.per_source_max
                                                  : std::max<size_t>(capacity_ / 4, 1)),
      own_(memory.empty() ? Allocate(BytesFor(capacity_)) : Memory(nullptr, Release{0})),
      header_(reinterpret_cast<Header*>(own_ != nullptr ? own_.get() : memory.data())),
      index_({reinterpret_cast<FlowBucket*>(header_ + 1), FlowIndex::BucketsFor(capacity_)}),
      flows_(reinterpret_cast<Flow*>(&index_.bucket(0) + index_.bucket_count())),
      openings_({reinterpret_cast<Slots::Links*>(flows_ + capacity_ + 1), capacity_ + 1}),
      secret_(options.secret.has_value() ? *options.secret : NewSecret()) {
  if (own_ == nullptr)
    std::memset(header_, 0, BytesFor(capacity_) - sizeof(Slots::Links) * (capacity_ + 1));
  header_->capacity = capacity_;
  header_->bucket_count = index_.bucket_count();
  std::memcpy(header_->magic, kMagic, sizeof kMagic);
}

uint64_t FlowTable::SourceHash(const Flow& flow) const {
  const uint64_t words[] = {Word(flow.address[0]), Word(flow.address[0], 8), flow.family};
  return KeyedHash64(words, secret_);
}

// Ticks count from the first time that is told; their number wraps after two years. What is two
// hours old has expired, so that of a longer pause only its being long counts.
void FlowTable::Advance(uint64_t now_ns) {
  constexpr uint32_t kPauseTicks = 1 << 20;  // nearly five hours
  static_assert(kPauseTicks > kTcpEstablishedNs >> kTickShift);
  if (header_->last_ns == 0) header_->base_ns = header_->last_ns = std::max<uint64_t>(now_ns, 1);
  if (now_ns <= header_->last_ns) return;
  const uint64_t ticks = (now_ns - header_->base_ns) >> kTickShift;
  const bool paused = (now_ns - header_->last_ns) >> kTickShift > kPauseTicks;
  header_->last_ns = now_ns;
  if (!paused) {
    tick_ = static_cast<uint32_t>(ticks);
    return;
  }
  tick_ += kPauseTicks;
  Sweep(index_.bucket_count());
  header_->base_ns = now_ns;
  tick_ = 0;
}

FoundFlow FlowTable::Seek(const Ends& ends, uint64_t hash) {
  const Ends reversed = ends.Reversed();
  FoundFlow found;
  index_.Find(hash, [&](uint32_t slot, FlowIndex::Place place) {
    const uint64_t forward = Difference(flows_[slot], ends);
    if (std::min(forward, Difference(flows_[slot], reversed)) != 0) return false;
    found = FoundAt(slot, forward != 0 ? 1 : 0, place);
    return true;
  });
  if (found.flow == nullptr || !IsOver(index_.ExpiresAt(found.place))) return found;
  Erase(found);
  return {};
}

FoundFlow FlowTable::Insert(const ParsedPacket& packet, uint64_t hash, FlowSide side, Reason reason,
                            uint32_t generation, Reason& refusal) {
  Flow flow = NewFlow(packet.key, side);
  flow.reason = static_cast<uint8_t>(reason) & 7;
  flow.generation = generation;
  const size_t from = side == FlowSide::kForward ? 0 : 1;
  if (flow.protocol == kProtocolTcp) BeginTcp(flow, from, packet);
  if (flow.protocol == kProtocolSctp) BeginSctp(flow, from, packet);
  FoundFlow found = Put(flow, hash, tick_ + IdleTicks(flow), refusal);
  found.is_reply = side == FlowSide::kReply ? 1 : 0;
  return found;
}

FoundFlow FlowTable::Put(const Flow& flow, uint64_t hash, uint32_t expires, Reason& refusal) {
  const uint64_t source = SourceHash(flow);
  if (sources_.Of(source) >= per_source_max_) {
    refusal = Reason::kSourceFull;
    return {};
  }
  const bool opening = IsOpening(flow.state);
  if (opening && openings_.count() >= openings_max_) EraseOldestOpening();
  uint32_t slot = openings_.Take();
  if (slot == 0 && MakeRoom()) slot = openings_.Take();
  FlowIndex::Place place;
  if (slot == 0 || !index_.Add(hash, slot, expires, place)) {
    if (slot != 0) openings_.Release(slot);
    refusal = Reason::kTableFull;
    return {};
  }
  flows_[slot] = flow;
  begun_.Add(MarkOf(hash));
  ++size_;
  sources_.Add(source);
  if (opening) openings_.Add(slot);
  return FoundAt(slot, 0, place);
}

// Of what has expired nearby, or of the oldest opening.
bool FlowTable::MakeRoom() {
  constexpr size_t kBuckets = 4;
  const size_t before = size_;
  Sweep(kBuckets);
  if (size_ == before && openings_.count() != 0) EraseOldestOpening();
  return size_ < before;
}

void FlowTable::EraseOldestOpening() {
  const uint32_t slot = openings_.oldest();
  FlowIndex::Place place{};
  if (next_victim_ < victim_count_ && victims_[next_victim_].slot == slot) {
    place = index_.PlaceOf(victims_[next_victim_++].hash, slot);
  }
  // A slot stands in one place, so that where it is found is right, whatever led there.
  if (index_.SlotAt(place) != slot) place = index_.PlaceOf(HashOf(KeyOf(flows_[slot])), slot);
  Erase(FoundAt(slot, 0, place));
}

void FlowTable::PrefetchRoom(size_t count) {
  const size_t room = std::min(count, openings_max_ - std::min(openings_.count(), openings_max_));
  uint32_t slot = openings_.free();
  for (size_t i = 0; i < room && slot != 0; ++i, slot = openings_.NewerThan(slot)) {
    Prefetch(&flows_[slot]);
  }
  victim_count_ = next_victim_ = 0;
  slot = openings_.oldest();
  for (; victim_count_ < std::min(count - room, kVictims) && slot != 0; ++victim_count_) {
    victims_[victim_count_].slot = slot;
    Prefetch(&flows_[slot]);
    slot = openings_.NewerThan(slot);
  }
}

void FlowTable::PrefetchVictims() {
  for (size_t i = 0; i < victim_count_; ++i) {
    const Flow& flow = flows_[victims_[i].slot];
    victims_[i].hash = HashOf(KeyOf(flow));
    PrefetchBucket(victims_[i].hash);
    sources_.Prefetch(SourceHash(flow));
  }
}

Step FlowTable::FollowEvent(const FoundFlow& found, const ParsedPacket& packet) {
  Flow& flow = *found.flow;
  const size_t side = found.is_reply;
  const bool was_opening = IsOpening(flow.state);
  Step step = Step::kGoesOn;
  if (flow.protocol == kProtocolTcp) {
    step = FollowTcp(flow, side, packet);
  } else if (flow.protocol == kProtocolSctp) {
    step = FollowSctp(flow, side, packet);
  } else {
    flow.state = side == 1 ? FlowState::kEstablished : flow.state;
  }
  if (step == Step::kEnds) Erase(found);
  if (step != Step::kGoesOn) return step;
  if (was_opening && !IsOpening(flow.state)) openings_.Remove(found.slot);
  Renew(found, IdleTicks(flow));
  return step;
}

void FlowTable::Erase(const FoundFlow& found) {
  if (IsOpening(found.flow->state)) openings_.Remove(found.slot);
  sources_.Remove(SourceHash(*found.flow));
  ended_.Add(found.slot);
  index_.Remove(found.place);
  openings_.Release(found.slot);
  --size_;
}

void FlowTable::Sweep(size_t buckets) {
  for (size_t i = 0; i < buckets; ++i) {
    const FlowBucket& bucket = index_.bucket(swept_);
    for (uint32_t at = 0; at < FlowBucket::kPlaces; ++at) {
      if (bucket.slot[at] == 0 || !IsOver(bucket.expires[at])) continue;
      Erase(FoundAt(bucket.SlotAt(at), 0, FlowIndex::PlaceAt(swept_, at)));
    }
    swept_ = (swept_ + 1) & (index_.bucket_count() - 1);
  }
}

bool FlowTable::IsSound(const Flow& flow) {
  static constexpr uint8_t kZero[12] = {};
  const bool v4 = flow.family == 4;
  if (!v4 && flow.family != 6) return false;
  for (const uint8_t* address : {flow.address[0], flow.address[1]}) {
    if (v4 && std::memcmp(address + 4, kZero, sizeof kZero) != 0) return false;
  }
  const bool numbered = flow.protocol == kProtocolTcp || flow.protocol == kProtocolSctp;
  return numbered || flow.state == FlowState::kOpening || flow.state == FlowState::kEstablished;
}

Adopted FlowTable::Adopt(std::span<const std::byte> memory) {
  Header header;
  if (memory.size() < sizeof header) return {.problem = "too short"};
  std::memcpy(&header, memory.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    return {.problem = "not a table of this version"};
  }
  if (header.capacity == 0 || header.capacity > kCapacityMax ||
      header.bucket_count != FlowIndex::BucketsFor(header.capacity) ||
      memory.size() < BytesFor(header.capacity)) {
    return {.problem = "its size is not what it says"};
  }
  const uint64_t now_ns = header_->last_ns;
  if (header.last_ns > now_ns || header.base_ns > header.last_ns) {
    return {.problem = "of another clock"};
  }
  const auto now = static_cast<uint32_t>((now_ns - header.base_ns) >> kTickShift);
  const auto* buckets = reinterpret_cast<const FlowBucket*>(memory.data() + sizeof header);
  const auto* flows = reinterpret_cast<const Flow*>(buckets + header.bucket_count);
  std::vector<bool> seen(header.capacity + 1);
  Adopted adopted;
  for (size_t i = 0; i < header.bucket_count * FlowBucket::kPlaces; ++i) {
    const FlowBucket& bucket = buckets[i / FlowBucket::kPlaces];
    const auto at = static_cast<uint32_t>(i % FlowBucket::kPlaces);
    const uint32_t slot = bucket.SlotAt(at);
    if (bucket.slot[at] == 0) continue;
    const bool sound = slot != 0 && slot <= header.capacity && !seen[slot];
    if (sound) seen[slot] = true;
    const bool taken = sound && AdoptFlow(flows[slot], bucket.expires[at] - now);
    ++(taken ? adopted.flows : adopted.refused);
  }
  return adopted;
}

// A flow lives on for what was left to it, and never for longer than its state allows.
bool FlowTable::AdoptFlow(Flow flow, uint32_t ticks_left) {
  if (!IsSound(flow) || ticks_left == 0 || ticks_left > IdleTicks(flow)) return false;
  const FlowKey key = KeyOf(flow);
  const uint64_t hash = HashOf(key);
  if (Find(key, hash).flow != nullptr) return false;
  flow.generation = 0;
  Reason refusal;
  return Put(flow, hash, tick_ + ticks_left, refusal).flow != nullptr;
}

}  // namespace npf::conntrack
