// Datagrams in fragments, as the model has them: docs/decisions/fragments.md.
#include <algorithm>

#include "simulator/model.h"

namespace npf::simulator {
namespace {

constexpr uint64_t kLifetimeNs = 30'000'000'000;
constexpr size_t kPartsMax = 64;
constexpr uint32_t kUnit = 8;

}  // namespace

// Two parts that share a byte, or two ends, mean two readings (RFC 5722; A5).
bool Model::Datagram::Cover(const Part& part) {
  const uint32_t first = part.begin / kUnit;
  const uint32_t behind = (part.end + kUnit - 1) / kUnit;
  bool fits = !poisoned && parts < kPartsMax;
  for (uint32_t unit = first; unit < behind; ++unit) fits = fits && !passed.contains(unit);
  const bool is_behind_all = passed.empty() || *passed.rbegin() < first;
  if (!part.more) fits = fits && end == 0 && is_behind_all;
  if (end != 0) fits = fits && behind <= end;
  poisoned = !fits;
  if (!fits) return false;
  ++parts;
  for (uint32_t unit = first; unit < behind; ++unit) passed.insert(unit);
  if (!part.more) end = behind;
  return true;
}

Model::DatagramName Model::NameOf(const Wire& wire) {
  const uint8_t protocol = wire.key.family == 4 ? wire.key.protocol : 0;
  return {wire.key.family, protocol, wire.key.src, wire.key.dst, wire.part->id, wire.vlan};
}

Model::Datagram* Model::FindDatagram(const Wire& wire) {
  const auto found = datagrams_.find(NameOf(wire));
  return found == datagrams_.end() ? nullptr : &found->second;
}

Answer Model::JudgeFirstFragment(const Wire& wire) {
  if (Datagram* const known = FindDatagram(wire); known != nullptr) {
    known->poisoned = true;  // which first one will its receiver take? (A9)
    return Deny(Reason::kFragmentOverlap);
  }
  const Answer answer = JudgeWhole(wire);
  KeepDatagram(wire, answer);
  return answer;
}

// No source holds more than an eighth; where all are held, the oldest makes room (A11).
void Model::KeepDatagram(const Wire& wire, const Answer& answer) {
  const auto of_source =
      std::count_if(datagrams_.begin(), datagrams_.end(), [&](const auto& entry) {
        return std::get<0>(entry.first) == wire.key.family &&
               std::get<2>(entry.first) == wire.key.src;
      });
  if (static_cast<size_t>(of_source) >= options_.datagrams_max / 8) return;
  if (datagrams_.size() >= options_.datagrams_max) {
    datagrams_.erase(std::min_element(
        datagrams_.begin(), datagrams_.end(),
        [](const auto& a, const auto& b) { return a.second.begun < b.second.begun; }));
  }
  Datagram datagram{.expires_ns = now_ns_ + kLifetimeNs, .begun = begun_++, .answer = answer};
  // What policy was asked about: the packet itself, or its connection's first one.
  datagram.judged = answer.reply && !wire.SaysItStarts() ? wire.key.Reversed() : wire.key;
  datagram.Cover(*wire.part);
  datagrams_.emplace(NameOf(wire), datagram);
}

Answer Model::JudgeLaterFragment(const Wire& wire) {
  Datagram* const datagram = FindDatagram(wire);
  if (datagram == nullptr) {
    // Nobody knows its ports, nor whether its first fragment was a packet with any.
    Key key = wire.key;
    key.protocol = kProtocolUnknown;
    key.src_port = key.dst_port = 0;
    Answer answer = Ask(key);
    if (!answer.allowed) answer.reason = Reason::kFragmentNoFirst;
    return answer;
  }
  if (!datagram->answer.allowed) return Deny(Reason::kFragmentFirstDenied);
  if (!datagram->Cover(*wire.part)) return Deny(Reason::kFragmentOverlap);
  const bool again = datagram->answer.generation != generation_ && !options_.established_keep;
  if (again) {  // A12
    const bool reply = datagram->answer.reply;
    datagram->answer = Ask(datagram->judged);
    if (!datagram->answer.allowed) return datagram->answer;
    datagram->answer.reply = reply;
  }
  const Answer answer = datagram->answer;
  if (datagram->IsComplete()) datagrams_.erase(NameOf(wire));
  return answer;
}

}  // namespace npf::simulator
