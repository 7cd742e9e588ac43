#include "parser/frame_mutator.h"

#include <algorithm>

#include "parser/frame_rules.h"

namespace npf::testing {
namespace {

using Kind = LayerKind;

// A number in a header.
struct Field {
  Kind kind;
  int64_t at;
  int64_t bytes;
};

constexpr auto kFields = std::to_array<Field>({{Kind::kEthernet, 12, 2},
                                               {Kind::kLinuxSll, 2, 2},
                                               {Kind::kLinuxSll, 14, 2},
                                               {Kind::kLinuxSll2, 0, 2},
                                               {Kind::kLinuxSll2, 8, 2},
                                               {Kind::kBsdLoopback, 0, 4},
                                               {Kind::kBsdLoopback, 3, 1},
                                               {Kind::kRawStart, 0, 1},
                                               {Kind::kTag, 0, 2},
                                               {Kind::kTag, 2, 2},
                                               {Kind::kArp, 2, 2},
                                               {Kind::kArp, 4, 1},
                                               {Kind::kArp, 5, 1},
                                               {Kind::kArp, 6, 2},
                                               {Kind::kIpv4, 0, 1},
                                               {Kind::kIpv4, 2, 2},
                                               {Kind::kIpv4, 4, 2},
                                               {Kind::kIpv4, 6, 2},
                                               {Kind::kIpv4, 8, 1},
                                               {Kind::kIpv4, 9, 1},
                                               {Kind::kIpv4, 10, 2},
                                               {Kind::kIpv4Option, 0, 1},
                                               {Kind::kIpv4Option, 1, 1},
                                               {Kind::kIpv6, 0, 1},
                                               {Kind::kIpv6, 4, 2},
                                               {Kind::kIpv6, 6, 1},
                                               {Kind::kIpv6, 7, 1},
                                               {Kind::kHopByHop, 0, 1},
                                               {Kind::kHopByHop, 1, 1},
                                               {Kind::kDestinationOptions, 0, 1},
                                               {Kind::kDestinationOptions, 1, 1},
                                               {Kind::kIpv6Option, 0, 1},
                                               {Kind::kIpv6Option, 1, 1},
                                               {Kind::kRouting, 0, 1},
                                               {Kind::kRouting, 1, 1},
                                               {Kind::kFragmentHeader, 0, 1},
                                               {Kind::kFragmentHeader, 2, 2},
                                               {Kind::kFragmentHeader, 4, 4},
                                               {Kind::kAuthentication, 0, 1},
                                               {Kind::kAuthentication, 1, 1},
                                               {Kind::kTcp, 0, 2},
                                               {Kind::kTcp, 2, 2},
                                               {Kind::kTcp, 4, 4},
                                               {Kind::kTcp, 12, 1},
                                               {Kind::kTcp, 13, 1},
                                               {Kind::kTcp, 16, 2},
                                               {Kind::kUdp, 0, 2},
                                               {Kind::kUdp, 2, 2},
                                               {Kind::kUdp, 4, 2},
                                               {Kind::kSctp, 0, 2},
                                               {Kind::kSctp, 2, 2},
                                               {Kind::kSctp, 4, 4},
                                               {Kind::kSctpChunk, 0, 1},
                                               {Kind::kSctpChunk, 2, 2},
                                               {Kind::kIcmp, 0, 1},
                                               {Kind::kIcmp, 1, 1},
                                               {Kind::kIcmp, 4, 2},
                                               {Kind::kNeighbour, 4, 1},
                                               {Kind::kNeighbour, 8, 1},
                                               {Kind::kNeighbour, 24, 1},
                                               {Kind::kNeighbourOption, 0, 1},
                                               {Kind::kNeighbourOption, 1, 1}});

// Numbers that mean something somewhere: protocols, Ethertypes, types of options and messages.
constexpr auto kNumbers = std::to_array<int64_t>(
    {0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x05ff, 0x0600, 770,    803,   824,
     0,      1,      2,      3,      4,      5,      6,      7,      8,      10,     12,    14,
     17,     20,     24,     28,     30,     40,     43,     44,     50,     51,     58,    59,
     60,     67,     68,     80,     128,    129,    130,    131,    132,    133,    134,   135,
     136,    137,    143,    0xc2,   0xc9,   253,    255,    0x2000, 0x1fff, 0x4000, 0x8000});

const std::vector<Bytes>& SpecialAddresses(int64_t family) {
  static const std::vector<Bytes> kV4 = {
      AddressBytes("0.0.0.0"),   AddressBytes("127.0.0.1"),       AddressBytes("255.255.255.255"),
      AddressBytes("224.0.0.1"), AddressBytes("240.0.0.1"),       AddressBytes("0.0.0.1"),
      AddressBytes("10.0.1.10"), AddressBytes("223.255.255.255"), AddressBytes("1.0.0.0"),
      AddressBytes("128.0.0.0"), AddressBytes("126.255.255.255")};
  static const std::vector<Bytes> kV6 = {AddressBytes("::"),
                                         AddressBytes("::1"),
                                         AddressBytes("hex:00000000000000000000ffff0a000101"),
                                         AddressBytes("::a00:101"),
                                         AddressBytes("fe80::1"),
                                         AddressBytes("febf::1"),
                                         AddressBytes("fec0::1"),
                                         AddressBytes("ff02::1"),
                                         AddressBytes("ff02::1:ff00:10"),
                                         AddressBytes("fd00:1::10"),
                                         AddressBytes("64:ff9b::a00:101"),
                                         AddressBytes("hex:00000000000000000000fffe0a000101")};
  return family == 4 ? kV4 : kV6;
}

// One frame on its way from a seed.
class Workpiece {
 public:
  Workpiece(const FrameSeed& seed, Random& random)
      : link_(seed.link),
        bytes_(seed.bytes),
        wire_more_(std::max<size_t>(seed.wire_length, seed.bytes.size()) - seed.bytes.size()),
        random_(random) {}

  void Change(const FrameSeed& other) {
    switch (random_.Below(16)) {
      case 0:
        return FlipBit();
      case 1:
        return SetByte();
      case 2:
      case 3:
        return SetAddress();
      case 4:
        return Splice(other);
      case 5:
        return RepeatLayer();
      case 6:
        return RemoveLayer();
      case 7:
        return InsertExtensionHeader();
      case 8:
        return InsertIpv4Option();
      case 9:
        return Resize();
      default:
        return SetField();
    }
  }
  void RepairLengths();
  void RepairSums();

  MutatedFrame Finish() {
    if (random_.Chance(12)) bytes_.resize(random_.Below(bytes_.size() + 1));  // never was more
    const size_t sent = bytes_.size();
    size_t wire = sent + wire_more_;
    if (random_.Chance(12)) bytes_.resize(random_.Below(sent + 1));  // not all was captured
    if (random_.Chance(4)) wire = random_.Below(sent + 80);
    if (random_.Chance(1)) wire = static_cast<uint32_t>(random_.Next());
    return {Bytes(bytes_.begin(), bytes_.end()), static_cast<uint32_t>(wire)};
  }

 private:
  FrameCut Cut() const {
    const PacketView view{bytes_.data(), static_cast<uint32_t>(bytes_.size()), 0};
    return FrameCut(view, {.link = link_});
  }
  // Where mutations matter: the headers, mostly.
  size_t AnyPlace() {
    const size_t reach = random_.Chance(80) ? std::min<size_t>(bytes_.size(), 90) : bytes_.size();
    return random_.Below(reach);
  }
  void Write(int64_t at, int64_t bytes, int64_t number) {
    for (int64_t i = bytes - 1; i >= 0; --i, number >>= 8) {
      if (at + i < static_cast<int64_t>(bytes_.size())) {
        bytes_[static_cast<size_t>(at + i)] = static_cast<uint8_t>(number);
      }
    }
  }
  void Insert(int64_t at, const Bytes& bytes) {
    bytes_.insert(bytes_.begin() + at, bytes.begin(), bytes.end());
  }
  int64_t AnyNumber(int64_t old, int64_t bytes);
  const Layer* AnyLayer(const FrameCut& cut) {
    return cut.layers().empty() ? nullptr : &random_.Pick(cut.layers());
  }

  void FlipBit() {
    if (!bytes_.empty()) bytes_[AnyPlace()] ^= static_cast<uint8_t>(1u << random_.Below(8));
  }
  void SetByte() {
    if (!bytes_.empty()) bytes_[AnyPlace()] = static_cast<uint8_t>(random_.Next());
  }
  void SetField();
  void SetAddress();
  void Splice(const FrameSeed& other);
  void RepeatLayer();
  void RemoveLayer();
  void InsertExtensionHeader();
  void InsertIpv4Option();
  void Resize() {
    if (random_.Chance(50)) {
      bytes_.resize(bytes_.size() + random_.Between(1, 40));
    } else {
      bytes_.resize(bytes_.size() - std::min(bytes_.size(), random_.Between(1, 24)));
    }
  }

  LinkLayer link_;
  Bytes bytes_;
  size_t wire_more_;
  Random& random_;
};

int64_t Workpiece::AnyNumber(int64_t old, int64_t bytes) {
  const int64_t all = (int64_t{1} << bytes * 8) - 1;
  switch (random_.Below(8)) {
    case 0:
      return 0;
    case 1:
      return all;
    case 2:
      return static_cast<int64_t>(random_.Next() >> 8) & all;
    case 3:
      return old ^ int64_t { 1 } << random_.Below(static_cast<size_t>(bytes * 8));
    case 4:
    case 5:
      return old + static_cast<int64_t>(random_.Between(0, 16)) - 8;
    default:
      return kNumbers[random_.Below(kNumbers.size())];
  }
}

void Workpiece::SetField() {
  const FrameCut cut = Cut();
  const Layer* const layer = AnyLayer(cut);
  if (layer == nullptr) return;
  std::vector<Field> fields;
  std::copy_if(kFields.begin(), kFields.end(), std::back_inserter(fields),
               [&](const Field& field) { return field.kind == layer->kind; });
  if (fields.empty()) return SetByte();
  const Field field = random_.Pick(fields);
  const auto old = cut.Number(*layer, field.at, field.bytes);
  if (old.has_value()) Write(layer->begin + field.at, field.bytes, AnyNumber(*old, field.bytes));
}

void Workpiece::SetAddress() {
  const FrameCut cut = Cut();
  const Layer* const addresses = cut.Find(Kind::kAddresses);
  if (addresses == nullptr) return;
  const bool source = random_.Chance(60);
  const auto other = source ? cut.Destination() : cut.Source();
  const Bytes value = random_.Chance(25) ? Bytes(other.begin(), other.end())
                                         : random_.Pick(SpecialAddresses(cut.family()));
  const auto at = addresses->begin + (source ? 0 : static_cast<int64_t>(value.size()));
  std::copy(value.begin(), value.end(), bytes_.begin() + at);
}

// The outer layers of this frame, the inner ones of another.
void Workpiece::Splice(const FrameSeed& other) {
  const FrameCut mine = Cut();
  const FrameCut theirs({other.bytes.data(), static_cast<uint32_t>(other.bytes.size()), 0},
                        {.link = other.link});
  const Layer* const here = AnyLayer(mine);
  const Layer* const there = AnyLayer(theirs);
  if (here == nullptr || there == nullptr) return;
  const auto end = std::min<int64_t>(here->begin, static_cast<int64_t>(bytes_.size()));
  const auto begin = std::min<int64_t>(there->begin, static_cast<int64_t>(other.bytes.size()));
  bytes_.resize(static_cast<size_t>(end));
  bytes_.insert(bytes_.end(), other.bytes.begin() + begin, other.bytes.end());
}

// The bytes up to where the next layer begins.
void Workpiece::RepeatLayer() {
  const FrameCut cut = Cut();
  const size_t count = cut.layers().size();
  if (count < 2) return;
  const size_t which = random_.Below(count - 1);
  const int64_t begin = cut.layers()[which].begin;
  const int64_t end = cut.layers()[which + 1].begin;
  if (begin < end && end <= static_cast<int64_t>(bytes_.size())) {
    Insert(end, Bytes(bytes_.begin() + begin, bytes_.begin() + end));
  }
}

void Workpiece::RemoveLayer() {
  const FrameCut cut = Cut();
  const size_t count = cut.layers().size();
  if (count < 2) return;
  const size_t which = random_.Below(count - 1);
  const int64_t begin = cut.layers()[which].begin;
  const int64_t end = cut.layers()[which + 1].begin;
  if (begin < end && end <= static_cast<int64_t>(bytes_.size())) {
    bytes_.erase(bytes_.begin() + begin, bytes_.begin() + end);
  }
}

// Behind the IPv6 header: what it led to is led to by the new one.
void Workpiece::InsertExtensionHeader() {
  const FrameCut cut = Cut();
  const Layer* const ip = cut.Find(Kind::kIpv6);
  if (ip == nullptr || ip->kept < 40) return;
  static const std::vector<Bytes> kHeaders = {Hex("00 00 0502 0000 0100"),
                                              Hex("3c 00 0104 00000000"),
                                              Hex("2b 00 0000 00000000"),
                                              Hex("2c 00 0000 0000002a"),
                                              Hex("2c 00 0001 0000002a"),
                                              Hex("2c 00 0019 0000002a"),
                                              Hex("33 02 0000 00000001 00000001 00000000"),
                                              Hex("3c 00 c901 00 000000"),
                                              Hex("3c 00 0105 00000000"),
                                              Hex("00 00 c204 00010000")};
  for (size_t i = random_.Chance(20) ? random_.Between(2, 9) : 1; i > 0; --i) {
    Bytes header = random_.Pick(kHeaders);
    const size_t next_at = static_cast<size_t>(ip->begin) + 6;
    std::swap(header[0], bytes_[next_at]);
    Insert(ip->begin + 40, header);
  }
  if (random_.Chance(80))
    Write(ip->begin + 4, 2, static_cast<int64_t>(bytes_.size()) - ip->begin - 40);
}

void Workpiece::InsertIpv4Option() {
  const FrameCut cut = Cut();
  const Layer* const ip = cut.Find(Kind::kIpv4);
  if (ip == nullptr || ip->kept < 20) return;
  static const std::vector<Bytes> kOptions = {
      Hex("94040000"), Hex("01010101"), Hex("01010194"), Hex("94050000"), Hex("82010000"),
      Hex("07030400"), Hex("83030400"), Hex("89030400"), Hex("44040500"), Hex("00830304")};
  Insert(ip->begin + 20, random_.Pick(kOptions));
  if (random_.Chance(80)) bytes_[static_cast<size_t>(ip->begin)] += 1;
  if (random_.Chance(80)) Write(ip->begin + 2, 2, static_cast<int64_t>(bytes_.size()) - ip->begin);
}

void Workpiece::RepairLengths() {
  const FrameCut cut = Cut();
  const auto size = static_cast<int64_t>(bytes_.size());
  if (const Layer* const ip = cut.Find(Kind::kIpv4)) Write(ip->begin + 2, 2, size - ip->begin);
  if (const Layer* const ip = cut.Find(Kind::kIpv6)) Write(ip->begin + 4, 2, size - ip->begin - 40);
  const Layer* const udp = cut.Find(Kind::kUdp);
  if (udp != nullptr && random_.Chance(50)) Write(udp->begin + 4, 2, size - udp->begin);
}

// RFC 1071: with the field at zero, its complement makes the sum right.
int64_t MissingOf(int64_t sum) {
  const int64_t folded = sum % 65535;
  return folded == 0 ? 0xffff : 0xffff - folded;
}

void Workpiece::RepairSums() {
  const FrameCut cut = Cut();
  if (const Layer* const ip = cut.Find(Kind::kIpv4); ip != nullptr && ip->kept >= 20) {
    const int64_t header_bytes =
        std::min(ip->kept, int64_t{bytes_[static_cast<size_t>(ip->begin)]} % 16 * 4);
    Write(ip->begin + 10, 2, 0);
    const std::span<const uint8_t> header(bytes_.begin() + ip->begin,
                                          static_cast<size_t>(header_bytes));
    Write(ip->begin + 10, 2, MissingOf(SumOfWords(header)));
  }
  if (const Layer* const tcp = cut.Find(Kind::kTcp); tcp != nullptr && tcp->kept >= 18) {
    Write(tcp->begin + 16, 2, 0);
    const std::span<const uint8_t> segment(bytes_.begin() + tcp->begin,
                                           static_cast<size_t>(tcp->kept));
    Write(tcp->begin + 16, 2,
          MissingOf(SumOfWords(cut.Source()) + SumOfWords(cut.Destination()) + 6 + tcp->kept +
                    SumOfWords(segment)));
  }
}

}  // namespace

FrameMutator::FrameMutator(std::vector<FrameSeed> seeds) : seeds_(std::move(seeds)) {
  for (size_t i = 0; i < seeds_.size(); ++i) {
    of_link_[static_cast<size_t>(seeds_[i].link)].push_back(i);
  }
}

const FrameSeed& FrameMutator::PickSeed(LinkLayer link, Random& random) const {
  const std::vector<size_t>& fitting = of_link_[static_cast<size_t>(link)];
  if (fitting.empty() || random.Chance(2)) return random.Pick(seeds_);
  return seeds_[random.Pick(fitting)];
}

MutatedFrame FrameMutator::Make(LinkLayer link, Random& random) const {
  Workpiece piece(PickSeed(link, random), random);
  for (size_t changes = random.Below(4); changes > 0; --changes) {
    piece.Change(PickSeed(link, random));
    if (random.Chance(50)) piece.RepairLengths();
  }
  if (random.Chance(75)) piece.RepairSums();
  return piece.Finish();
}

}  // namespace npf::testing
