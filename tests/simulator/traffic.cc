#include "simulator/traffic.h"

#include <algorithm>
#include <utility>

namespace npf::simulator {
namespace {

constexpr size_t kPatience = 100;  // polls without a packet

uint16_t ServerPort(uint8_t protocol, testing::Random& random) {
  switch (protocol) {
    case kProtocolUdp:
      return 53;
    case kProtocolSctp:
      return 9;
    default:
      return static_cast<uint16_t>(random.Between(80, 82));
  }
}

}  // namespace

Conversation::Conversation(const Key& key, testing::Random& random) : key_(key) {
  if (key.protocol == kProtocolTcp) {
    tcp_[0] = std::make_unique<TcpEnd>(key, random);
    tcp_[1] = std::make_unique<TcpEnd>(key.Reversed(), random);
  }
  if (key.protocol == kProtocolSctp) {
    sctp_[0] = std::make_unique<SctpPeer>(key);
    sctp_[1] = std::make_unique<SctpPeer>(key.Reversed());
  }
}

void Conversation::Poll(testing::Random& random, std::vector<Wire>& out) {
  const size_t side = random.Below(2);
  const bool first = polls_++ == 0;
  // Sometimes both open at once.
  const bool opens = first || (polls_ == 2 && random.Chance(10));
  if (tcp_[0] != nullptr) {
    opens ? tcp_[first ? 0 : 1]->Open(random, out) : tcp_[side]->Poll(random, out);
  } else if (sctp_[0] != nullptr) {
    opens ? sctp_[first ? 0 : 1]->Open(random, out) : sctp_[side]->Poll(random, out);
  } else {
    PollDatagrams(random, out);
  }
}

void Conversation::PollDatagrams(testing::Random& random, std::vector<Wire>& out) {
  Wire wire;
  const bool answers = asked_ && random.Chance(50);
  wire.key = answers ? key_.Reversed() : key_;
  wire.icmp = answers ? Icmp::kReply : Icmp::kRequest;
  wire.data = static_cast<uint32_t>(random.Below(1400));
  out.push_back(wire);
}

void Conversation::Receive(const Wire& wire, testing::Random& random, std::vector<Wire>& out) {
  const size_t side = wire.key == key_ ? 1 : 0;
  if (tcp_[0] != nullptr) {
    tcp_[side]->Receive(wire, random, out);
  } else if (sctp_[0] != nullptr) {
    sctp_[side]->Receive(wire, random, out);
  } else {
    asked_ = asked_ || side == 1;
  }
}

Traffic::Traffic(const TrafficOptions& options, testing::Random& random)
    : options_(options), random_(random), forger_(random, options.forger) {}

Key Traffic::NewKey() {
  Key key;
  key.family = options_.v6 && random_.Chance(30) ? 6 : 4;
  key.protocol = random_.Pick(options_.protocols);
  key.src = static_cast<uint8_t>(random_.Below(options_.hosts));
  key.dst = static_cast<uint8_t>(random_.Below(options_.hosts - 1));
  if (key.dst >= key.src) ++key.dst;
  key.src_port = static_cast<uint16_t>(1000 + random_.Below(options_.ports));
  key.dst_port = ServerPort(key.protocol, random_);
  if (key.protocol == kProtocolIcmp) {
    if (key.family == 6) key.protocol = kProtocolIcmpv6;
    key.dst_port = key.src_port;
  }
  return key;
}

// As many as are wanted, or as there are keys for.
void Traffic::Begin() {
  for (size_t tried = 0; tried < 100 && conversations_.size() < options_.conversations; ++tried) {
    const Key key = NewKey();
    if (by_key_.contains(key) || by_key_.contains(key.Reversed())) continue;
    const auto conversation = std::make_shared<Conversation>(key, random_);
    conversations_.push_back(conversation);
    by_key_[key] = by_key_[key.Reversed()] = conversation;
  }
}

void Traffic::Send(std::vector<Wire>& wires) {
  for (const Wire& wire : wires) {
    if (random_.Chance(options_.lost)) continue;
    const bool splits =
        wire.data >= 64 && random_.Chance(options_.split) && !options_.forger.one_fragment_source;
    if (splits) {
      Split(wire);
      continue;
    }
    queue_.push_back(wire);
    // A network's doubles come soon, and none of a SYN, which may mean another connection later.
    const bool syn = wire.key.protocol == kProtocolTcp && wire.Has(kSyn);
    if (!syn && random_.Chance(options_.doubled)) queue_.push_back(wire);
  }
  wires.clear();
}

void Traffic::Split(const Wire& whole) {
  const uint32_t bytes = TransportHeaderBytes(whole) + whole.data;
  const auto cut = static_cast<uint32_t>(random_.Between(4, (bytes - 1) / 8)) * 8;
  Wire first = whole, last = whole;
  first.part = Part{.begin = 0, .end = cut, .more = true, .id = next_id_};
  last.part = Part{.begin = cut, .end = bytes, .more = false, .id = next_id_};
  split_[next_id_++] = {.whole = whole, .missing = 2};
  queue_.push_back(first);
  queue_.push_back(last);
}

Wire Traffic::FromQueue() {
  const size_t at =
      random_.Chance(options_.reordered) ? random_.Below(std::min<size_t>(queue_.size(), 6)) : 0;
  Wire wire = queue_[at];
  queue_.erase(queue_.begin() + static_cast<ptrdiff_t>(at));
  return wire;
}

// Until somebody has something to say. Who is done, or has been given up, makes room for others.
void Traffic::PollEnds() {
  std::vector<Wire> wires;
  for (size_t i = 1; queue_.empty(); ++i) {
    Begin();
    const size_t at = random_.Below(conversations_.size());
    const std::shared_ptr<Conversation> conversation = conversations_[at];
    conversation->Poll(random_, wires);
    Send(wires);
    const bool silent = i % kPatience == 0;
    if (!conversation->done() && !silent && !random_.Chance(options_.ended)) continue;
    by_key_.erase(conversation->key());
    by_key_.erase(conversation->key().Reversed());
    conversations_.erase(conversations_.begin() + static_cast<ptrdiff_t>(at));
  }
}

Wire Traffic::Next(const Model& model) {
  honest_ = !random_.Chance(options_.forged);
  Wire wire;
  if (honest_) {
    PollEnds();
    wire = FromQueue();
  } else {
    const bool stranger = conversations_.empty() || random_.Chance(10);
    const Key key = stranger ? NewKey() : random_.Pick(conversations_)->key();
    wire = forger_.Forge(model, key);
  }
  forger_.Saw(wire);
  wire.raw = wire.vlan == 0 && random_.Chance(15);
  return wire;
}

void Traffic::Passed(const Wire& wire) {
  if (random_.Chance(options_.lost)) return;
  const Wire* whole = &wire;
  if (wire.part.has_value()) {
    const auto found = split_.find(wire.part->id);
    if (found == split_.end() || !(found->second.whole.key == wire.key)) return;
    if (--found->second.missing != 0) return;
    whole = &found->second.whole;
  }
  const auto found = by_key_.find(wire.key);
  if (found == by_key_.end() || wire.icmp == Icmp::kError) return;
  std::vector<Wire> wires;
  found->second->Receive(*whole, random_, wires);
  Send(wires);
}

}  // namespace npf::simulator
