// The memory of a table of connections, as another process may have left it: whatever stands in it,
// what is taken over is sound, bounded, can be used, and expires.
//
// Of four bytes each: two of a place, and what is written there and at the next one. An odd first
// byte: the input itself is the memory, behind a right header. The table is built here, entry by
// entry, so that equal inputs are equal tables: an index that a process fills has a key of its own.
#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "conntrack/flow_index.h"
#include "conntrack/flow_table.h"
#include "fuzz/fuzz.h"

namespace {

using npf::conntrack::Adopted;
using npf::conntrack::Flow;
using npf::conntrack::FlowBucket;
using npf::conntrack::FlowIndex;
using npf::conntrack::FlowState;
using npf::conntrack::FlowTable;
using npf::conntrack::FoundFlow;
using npf::fuzzing::Expect;

constexpr size_t kCapacity = 24;
constexpr size_t kHeaderBytes = 64;
constexpr size_t kFlows = 20;
constexpr uint64_t kFirstNs = 1'000'000'000;
constexpr uint64_t kSecondNs = FlowTable::kSecondNs;

struct alignas(64) Line {
  std::byte bytes[64];
};
using Memory = std::vector<Line>;

std::span<std::byte> BytesOf(Memory& memory) {
  return std::as_writable_bytes(std::span(memory)).first(FlowTable::BytesFor(kCapacity));
}

// One of each protocol and state, in turn.
Flow MakeFlow(size_t number) {
  static constexpr uint8_t kProtocols[] = {npf::kProtocolTcp, npf::kProtocolUdp, npf::kProtocolSctp,
                                           npf::kProtocolTcp, npf::kProtocolIcmp};
  Flow flow{};
  flow.protocol = kProtocols[number % std::size(kProtocols)];
  flow.family = number % 3 == 0 ? 6 : 4;
  flow.address[0][0] = 10;
  flow.address[1][0] = 11;
  flow.address[0][3] = static_cast<uint8_t>(number / 4);
  flow.port[0] = static_cast<uint16_t>(1000 + number);
  flow.port[1] = flow.protocol == npf::kProtocolIcmp ? flow.port[0] : uint16_t{80};
  const bool numbered = flow.protocol == npf::kProtocolTcp || flow.protocol == npf::kProtocolSctp;
  flow.state = numbered ? static_cast<FlowState>(number % 8)
                        : (number % 2 == 0 ? FlowState::kOpening : FlowState::kEstablished);
  flow.heard = 3;
  flow.generation = 1;
  return flow;
}

Memory MakeMemory() {
  Memory memory((FlowTable::BytesFor(kCapacity) + sizeof(Line) - 1) / sizeof(Line));
  FlowTable table({.capacity = kCapacity}, BytesOf(memory));
  table.Advance(kFirstNs);
  std::byte* const index = BytesOf(memory).data() + kHeaderBytes;
  std::byte* const flows = index + FlowIndex::BucketsFor(kCapacity) * sizeof(FlowBucket);
  for (size_t i = 0; i < kFlows; ++i) {
    FlowBucket bucket;
    std::byte* const at = index + i / FlowBucket::kPlaces * sizeof bucket;
    std::memcpy(&bucket, at, sizeof bucket);
    bucket.slot[i % FlowBucket::kPlaces] = static_cast<uint32_t>(i + 1);
    bucket.expires[i % FlowBucket::kPlaces] = static_cast<uint32_t>(50 + i);
    std::memcpy(at, &bucket, sizeof bucket);
    const Flow flow = MakeFlow(i);
    std::memcpy(flows + (i + 1) * sizeof flow, &flow, sizeof flow);
  }
  return memory;
}

void Change(std::span<const uint8_t> changes, std::span<std::byte> memory) {
  for (; changes.size() >= 4; changes = changes.subspan(4)) {
    const size_t at = (size_t{changes[0]} << 8 | changes[1]) % (memory.size() - 1);
    memory[at] = std::byte{changes[2]};
    memory[at + 1] = std::byte{changes[3]};
  }
}

// Finds what the memory speaks of, and sends a packet each way.
void Use(std::span<const std::byte> memory, FlowTable& table) {
  const size_t flows = kHeaderBytes + FlowIndex::BucketsFor(kCapacity) * sizeof(FlowBucket);
  size_t known = 0;
  for (size_t i = 1; i <= kCapacity; ++i) {
    Flow flow;
    std::memcpy(&flow, memory.data() + flows + i * sizeof flow, sizeof flow);
    npf::ParsedPacket packet{};
    packet.key = npf::conntrack::KeyOf(flow);
    packet.tcp_flags = static_cast<uint8_t>(flow.window[0]);
    packet.tcp_sequence = flow.next[0];
    packet.tcp_acknowledgement = flow.acked[1];
    packet.sctp_known = true;
    packet.sctp_tag = flow.next[1];
    packet.sctp_chunk = static_cast<uint8_t>(flow.window[1] % 16);
    for (int way = 0; way < 2; ++way) {
      const FoundFlow found = table.Find(packet.key, table.HashOf(packet.key));
      if (found.flow == nullptr) break;
      ++known;
      Expect(found.flow->generation == 0, "what was taken over is judged again");
      table.Follow(found, packet);
      std::swap(packet.key.src, packet.key.dst);
      if (!npf::IsIcmp(packet.key.protocol)) std::swap(packet.key.src_port, packet.key.dst_port);
      std::swap(packet.tcp_sequence, packet.tcp_acknowledgement);
    }
  }
  Expect(known <= 4 * kCapacity, "no more is found than there is");
}

void TakeOver(std::span<const std::byte> memory, bool use) {
  FlowTable table({.capacity = kCapacity / 2, .openings_max = 9, .per_source_max = 4});
  table.Advance(kFirstNs + kSecondNs / 10);
  const Adopted adopted = table.Adopt(memory);
  Expect(adopted.problem.empty() || adopted.flows + adopted.refused == 0,
         "memory that is refused is not used");
  Expect(adopted.flows <= kCapacity, "no more is taken over than there is");
  Expect(table.size() <= table.capacity(), "the table's bound holds");
  Expect(table.openings() <= 9 && table.openings() <= table.size(), "the openings' bound holds");
  if (use) Use(memory, table);
  table.Advance(kFirstNs + 2 * FlowTable::kTcpEstablishedNs);
  table.Sweep(size_t{1} << 10);
  Expect(table.size() == 0 && table.openings() == 0, "nothing lives for longer than it may");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Memory& good = *new Memory(MakeMemory());
  if (size == 0) return 0;
  Memory memory = good;
  const std::span<std::byte> bytes = BytesOf(memory);
  const std::span<const uint8_t> rest(data + 1, size - 1);
  if (data[0] % 2 == 1) {
    const size_t count = std::min(rest.size(), bytes.size() - kHeaderBytes);
    if (count != 0) std::memcpy(bytes.data() + kHeaderBytes, rest.data(), count);
  } else {
    Change(rest, bytes);
  }
  for (const bool use : {false, true}) TakeOver(bytes, use);  // a packet gives new life
  return 0;
}
