// Fragments that wait for each other, against a model that is obviously right: of each datagram a
// map from where a part begins to where it ends.
//
// Datagrams of both families, on several VLANs, are cut at random and sent in any order, among each
// other, with parts that are lost, sent again, or overlap, over identifiers that are used again,
// and with time that jumps. NPF_REASSEMBLY_SEED begins elsewhere, NPF_REASSEMBLY_DATAGRAMS sets how
// many.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "testing/random.h"
#include "unit/fragment_bench.h"

namespace npf::testing {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kLifetimeNs = 30 * kSecondNs;

struct Part {
  WholeDatagram datagram;
  size_t begin = 0, end = 0;
  bool more = false;
};

// A datagram as a receiver would put it together, that never forgets.
class Model {
 public:
  struct Outcome {
    bool held = false;
    std::vector<std::pair<size_t, std::string>> settled;  // frame, verdict; of those that are held
    std::string refusal;
  };

  Outcome Take(size_t frame, const Part& part, uint64_t now_ns) {
    Outcome outcome;
    Entry& entry = entries_[NameOf(part.datagram)];
    if (entry.expires_ns == 0) entry = Entry{.expires_ns = now_ns + kLifetimeNs};
    if (entry.poisoned || !entry.Fits(part)) {
      entry.poisoned = true;
      Settle(entry, "deny frag_overlap", outcome);
      outcome.refusal = "deny frag_overlap";
      return outcome;
    }
    entry.parts[part.begin] = part.end;
    if (!part.more) entry.end = part.end;
    if (part.begin == 0) entry.first = part.datagram;
    entry.Keep(part);
    entry.frames.push_back(frame);
    outcome.held = true;
    if (!entry.IsWhole()) return outcome;
    Settle(entry, Verdict(entry), outcome);
    entry.expires_ns = 0;
    return outcome;
  }
  // Whatever has expired by then.
  Outcome Expire(uint64_t now_ns) {
    Outcome outcome;
    for (auto& [name, entry] : entries_) {
      if (entry.expires_ns <= now_ns) Settle(entry, "deny frag_incomplete", outcome);
    }
    std::erase_if(entries_, [&](const auto& item) { return item.second.expires_ns <= now_ns; });
    return outcome;
  }

 private:
  struct Entry {
    uint64_t expires_ns = 0;
    std::map<size_t, size_t> parts;
    size_t end = 0;  // 0: not known
    bool poisoned = false;
    WholeDatagram first;
    Bytes bytes;  // parts of different datagrams may bear one name
    std::vector<size_t> frames;

    bool Fits(const Part& part) const {
      for (const auto& [begin, part_end] : parts) {
        if (begin < part.end && part.begin < part_end) return false;
        if (!part.more && begin >= part.end) return false;
      }
      return end == 0 || (part.more && part.end <= end);
    }
    void Keep(const Part& part) {
      bytes.resize(std::max(bytes.size(), part.end));
      for (size_t i = part.begin; i < std::min(part.end, part.datagram.transport.size()); ++i) {
        bytes[i] = part.datagram.transport[i];
      }
    }
    bool IsWhole() const {
      size_t at = 0;
      for (const auto& [begin, part_end] : parts) {
        if (begin != at) return false;
        at = part_end;
      }
      return end != 0 && at == end;
    }
  };

  static std::tuple<int, uint16_t, uint32_t, uint8_t, bool> NameOf(const WholeDatagram& datagram) {
    return {datagram.family, datagram.vlan, datagram.id,
            datagram.family == 4 ? datagram.protocol : uint8_t{0}, datagram.reply};
  }
  static void Settle(Entry& entry, const std::string& verdict, Outcome& outcome) {
    for (const size_t frame : entry.frames) outcome.settled.emplace_back(frame, verdict);
    entry.frames.clear();
  }
  // Of UDP or TCP to a port, without connections.
  static std::string Verdict(const Entry& entry) {
    const Bytes& bytes = entry.bytes;
    const int port = bytes[2] << 8 | bytes[3];
    const bool udp = entry.first.protocol == kProtocolUdp;
    if (udp && static_cast<size_t>(bytes[4] << 8 | bytes[5]) > entry.end) return "deny malformed";
    if (!udp && entry.end < 20) return "deny truncated";
    if (!udp && bytes[12] >> 4 != 5) return "deny malformed";
    if (entry.first.reply) return "deny policy";
    return port == (udp ? 53 : 80) ? "allow policy" : "deny policy";
  }

  std::map<std::tuple<int, uint16_t, uint32_t, uint8_t, bool>, Entry> entries_;
};

class Traffic {
 public:
  explicit Traffic(Random& random) : random_(random) {}

  size_t begun() const { return begun_; }
  // The next part of one of the datagrams that are under way.
  Part Next() {
    while (waiting_.size() < 12) Begin();
    std::swap(waiting_[random_.Below(waiting_.size())], waiting_.back());
    const Part part = std::move(waiting_.back());
    waiting_.pop_back();
    return part;
  }

 private:
  void Begin() {
    ++begun_;
    const bool udp = random_.Chance(60);
    const auto port = static_cast<uint16_t>(udp ? 53 + random_.Below(2) : 80 + random_.Below(2));
    const auto source = static_cast<uint16_t>(begun_);
    const size_t data = random_.Between(16, 400);
    WholeDatagram datagram{.protocol = udp ? kProtocolUdp : kProtocolTcp,
                           .family = random_.Chance(50) ? 4 : 6,
                           .vlan = static_cast<uint16_t>(random_.Below(3) * 10),
                           .id = static_cast<uint32_t>(random_.Below(200)),
                           .reply = random_.Chance(10)};
    datagram.transport =
        udp ? Udp(source, port, data,
                  random_.Chance(10) ? static_cast<int>(random_.Between(8, data + 16)) : -1)
            : Segment({.src_port = source, .dst_port = port, .data_bytes = data});
    Cut(datagram);
  }

  void Cut(const WholeDatagram& datagram) {
    const size_t size = datagram.transport.size();
    std::vector<Part> parts;
    for (size_t begin = 0; begin < size;) {
      // Most first parts have a whole header, and some of TCP have not.
      const size_t most = begin == 0 ? (size - 1) / 8 * 8 : size;
      const size_t end = std::min(most, begin + 8 * random_.Between(1, 20));
      parts.push_back({datagram, begin, end, end < size});
      begin = end;
    }
    if (random_.Chance(15)) parts.erase(parts.begin() + static_cast<ptrdiff_t>(PickOf(parts)));
    if (random_.Chance(10)) parts.push_back(parts[PickOf(parts)]);
    if (random_.Chance(10)) parts.push_back(Moved(parts[PickOf(parts)]));
    if (!random_.Chance(30)) random_.Shuffle(parts);
    waiting_.insert(waiting_.end(), parts.begin(), parts.end());
  }
  size_t PickOf(const std::vector<Part>& parts) { return random_.Below(parts.size()); }
  // Eight bytes further on or back, or with another end.
  Part Moved(Part part) {
    if (part.begin == 0) return part;
    const size_t at = part.begin + 8 * random_.Below(3);
    part = {part.datagram, at - 8, at - 8 + 8 * random_.Between(1, 8), random_.Chance(80)};
    if (part.begin == 0) part.more = true;
    return part;
  }

  Random& random_;
  std::vector<Part> waiting_;
  size_t begun_ = 0;
};

class Contest {
 public:
  explicit Contest(uint64_t seed)
      : random_(seed), traffic_(random_), worker_(ProgramOfPods(kOnlySomePorts), Options()) {}

  // False: something differs, and the test has failed.
  bool Run(size_t datagrams) {
    while (traffic_.begun() < datagrams) {
      if (!RunBatch()) return false;
    }
    now_ns_ += kLifetimeNs;
    worker_.Process({}, now_ns_, {});
    NoteExpired();
    return Compare() && IsNothingLate() && held_.empty() && worker_.counts().datagrams == 0;
  }
  const std::map<std::string, size_t>& verdicts() const { return verdicts_; }

 private:
  static WorkerOptions Options() {
    WorkerOptions options;
    options.checksums = Checksums::kIgnore;
    options.fragments = Fragments::kReassemble;
    options.openings_max = options.flows_per_source_max = options.flows_max;
    return options;
  }

  void NoteExpired() {
    for (const auto& [frame, verdict] : model_.Expire(now_ns_).settled) expired_.insert(frame);
  }

  bool RunBatch() {
    now_ns_ += random_.Chance(4) ? random_.Below(31) * kSecondNs : random_.Below(50'000'000);
    NoteExpired();
    std::vector<Bytes> bytes;
    std::vector<Model::Outcome> outcomes;
    for (size_t i = random_.Below(20); i != 0; --i) {
      const Part part = traffic_.Next();
      bytes.push_back(Fragment(part.datagram, part.begin, part.end - part.begin, part.more));
      outcomes.push_back(model_.Take(frames_ + outcomes.size(), part, now_ns_));
      for (const auto& [frame, verdict] : outcomes.back().settled) wanted_[frame] = verdict;
    }
    std::vector<Frame> frames;
    for (const Bytes& frame : bytes) {
      const auto length = static_cast<uint32_t>(frame.size());
      frames.push_back({.packet = {frame.data(), length, length}});
    }
    std::vector<Judgement> judgements(frames.size());
    worker_.Process(frames, now_ns_, judgements);
    for (size_t i = 0; i < judgements.size(); ++i) {
      const Judgement& judgement = judgements[i];
      const std::string text =
          judgement.held != 0 ? "held" : FragmentBench::Text(judgement.verdict);
      const std::string wanted = outcomes[i].held ? "held" : outcomes[i].refusal;
      EXPECT_EQ(text, wanted) << "frame " << frames_ + i;
      if (text != wanted) return false;
      ++verdicts_[text];
      if (judgement.held != 0) held_[judgement.held].push_back(frames_ + i);
    }
    frames_ += frames.size();
    return Compare() && (!frames.empty() || IsNothingLate());
  }

  // A call without frames leaves nothing that has expired.
  bool IsNothingLate() {
    EXPECT_TRUE(expired_.empty());
    return expired_.empty();
  }

  // Each frame that was held is released once, with what the model says; at once, where it did not
  // expire.
  bool Compare() {
    std::map<size_t, std::string> got;
    for (const Release& release : worker_.released()) {
      const auto found = held_.find(release.ticket);
      EXPECT_NE(found, held_.end()) << "a ticket that nobody has";
      if (found == held_.end()) return false;
      for (const size_t frame : found->second) {
        std::string text = FragmentBench::Text(release.verdict);
        // Ports come again before their connection is forgotten.
        if (text == "allow established") text = "allow policy";
        ++verdicts_[text];
        if (expired_.erase(frame) != 0) {
          EXPECT_EQ(text, "deny frag_incomplete") << "frame " << frame;
        } else {
          got[frame] = text;
        }
      }
      held_.erase(found);
    }
    EXPECT_EQ(got, wanted_);
    const bool same = got == wanted_;
    wanted_.clear();
    return same;
  }

  Random random_;
  Traffic traffic_;
  Model model_;
  Worker worker_;
  uint64_t now_ns_ = kSecondNs;
  size_t frames_ = 0;
  std::map<uint64_t, std::vector<size_t>> held_;  // by ticket
  std::set<size_t> expired_;                      // of these, by frame
  std::map<size_t, std::string> wanted_;          // of this call
  std::map<std::string, size_t> verdicts_;
};

uint64_t NumberOf(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(ReassemblyModelTest, DoesWhatTheModelDoes) {
  const uint64_t seed = NumberOf("NPF_REASSEMBLY_SEED", 1);
  const uint64_t datagrams = NumberOf("NPF_REASSEMBLY_DATAGRAMS", 100'000);
  constexpr uint64_t kRounds = 20;
  std::map<std::string, size_t> verdicts;
  for (uint64_t round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("NPF_REASSEMBLY_SEED=" + std::to_string(seed + round));
    Contest contest(seed + round);
    ASSERT_TRUE(contest.Run(datagrams / kRounds));
    for (const auto& [verdict, count] : contest.verdicts()) verdicts[verdict] += count;
  }
  for (const auto& [verdict, count] : verdicts) {
    std::printf("%-22s %zu\n", verdict.c_str(), count);
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  for (const char* verdict : {"held", "allow policy", "deny policy", "deny frag_overlap",
                              "deny frag_incomplete", "deny malformed"}) {
    EXPECT_GT(verdicts[verdict], datagrams / 200) << verdict;
  }
}

// Of TCP, UDP, SCTP, ICMP and a protocol without ports, with bytes of the header that are wrong
// here and there. At most 64 bytes, so that its checksum is known in fragments too.
WholeDatagram RandomDatagram(Random& random) {
  const int family = random.Chance(50) ? 4 : 6;
  constexpr uint8_t kGre = 47;
  const std::vector<uint8_t> protocols{kProtocolTcp,
                                       kProtocolTcp,
                                       kProtocolUdp,
                                       kProtocolSctp,
                                       family == 4 ? kProtocolIcmp : kProtocolIcmpv6,
                                       kGre};
  WholeDatagram datagram{.protocol = random.Pick(protocols), .family = family};
  const auto port = static_cast<uint16_t>(random.Pick(std::vector<int>{9, 53, 80, 81}));
  const size_t data = random.Between(8, 36);
  if (datagram.protocol == kProtocolTcp) {
    const Tcp header{.src_port = static_cast<uint16_t>(1000 + random.Below(3)),
                     .dst_port = port,
                     .flags = static_cast<uint8_t>(random.Chance(70) ? 2 : random.Below(64)),
                     .data_offset = static_cast<uint8_t>(random.Between(5, 8)),
                     .data_bytes = data - 8};
    datagram.transport =
        Segment(header, family == 4 ? "10.0.0.1" : "fd00::1", family == 4 ? "10.0.0.2" : "fd00::2");
  } else if (datagram.protocol == kProtocolSctp) {
    datagram.transport = Sctp(1000, port, static_cast<uint8_t>(random.Below(3))) + Zeros(data - 8);
  } else if (datagram.protocol == kProtocolUdp) {
    datagram.transport = Udp(1000, port, data);
  } else {
    const uint8_t echo = family == 4 ? 8 : 128;
    datagram.transport = Icmp(random.Chance(50) ? echo : 3, 0, 7, Zeros(data));
  }
  if (random.Chance(50)) {
    uint8_t& byte = datagram.transport[random.Below(16)];
    byte = static_cast<uint8_t>(byte ^ 1u << random.Below(8));
  }
  datagram.transport.resize(datagram.transport.size() - random.Below(8));
  return datagram;
}

// The one exception is neighbour discovery, which comes in no fragments.
bool IsControl(const WholeDatagram& datagram) {
  const uint8_t type = datagram.transport[0];
  return datagram.protocol == kProtocolIcmpv6 && ((type >= 130 && type <= 137) || type == 143);
}

TEST(ReassemblyModelTest, ADatagramGetsWhatItsPacketWouldGet) {
  Random random(NumberOf("NPF_REASSEMBLY_SEED", 1));
  std::map<std::string, size_t> verdicts;
  for (const char* policies : {kOnlySomePorts, kEverythingToTheServer}) {
    FragmentBench cut(policies);
    FragmentBench whole(policies);
    for (int i = 0; i < 20'000; ++i) {
      const WholeDatagram datagram = RandomDatagram(random);
      if (IsControl(datagram)) continue;
      std::vector<Bytes> parts = Fragments(datagram, 8 * random.Between(1, 3));
      if (parts.size() == 1) continue;
      if (random.Chance(50)) random.Shuffle(parts);
      cut.last = Release{};
      const std::string text = cut.JudgeAll(parts);
      const std::string wanted = whole.Judge(Unfragmented(datagram));
      if (cut.last.ticket == 0) {  // the first one was refused by itself, and the others wait
        ASSERT_TRUE(text.find("deny") != std::string::npos && wanted.starts_with("deny"))
            << i << ": " << text << "; " << wanted;
        cut.now_ns += 31 * FragmentBench::kSecondNs;
        whole.now_ns = cut.now_ns;
        cut.JudgeAll({});
      } else {
        ASSERT_EQ(FragmentBench::Text(cut.last.verdict), wanted) << i << ": " << text;
      }
      ++verdicts[wanted];
    }
  }
  for (const char* verdict : {"allow policy", "allow established", "deny policy", "deny malformed",
                              "deny checksum", "deny tcp_flags", "deny no_state"}) {
    EXPECT_GT(verdicts[verdict], 100u) << verdict;
  }
}

}  // namespace
}  // namespace npf::testing
