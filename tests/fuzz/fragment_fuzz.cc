// Datagrams in fragments, in any order, that overlap, contradict each other, come late or never, to
// a Worker that tracks them and to one that waits for all of them.
//
// Whoever waits lets a datagram through only where its parts lie side by side, once each, and
// then says of it what a third Worker says of the same bytes in one packet. Whoever tracks lets no
// two parts through, once a first one has passed, that share a byte.
//
// Each step is a byte that says of what kind it is, and what that kind reads.
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/script.h"
#include "npf/worker.h"
#include "testing/world.h"
#include "unit/packet_builder.h"

namespace {

using npf::Frame;
using npf::Judgement;
using npf::Program;
using npf::Reason;
using npf::Release;
using npf::Worker;
using npf::WorkerOptions;
using npf::fuzzing::Expect;
using npf::fuzzing::Script;
using npf::testing::Bytes;
using npf::testing::operator+;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kLifetimeNs = 30 * kSecondNs;
constexpr size_t kPartsMax = 300;
constexpr uint16_t kMore = 0x2000;

constexpr char kPods[] = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: x}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}},
 status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x, labels: {app: b}},
 status: {podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}}
)";

const std::vector<Program>& Programs() {
  using npf::testing::PolicyYaml;
  using npf::testing::ProgramOf;
  static const std::vector<Program>& programs = *new std::vector<Program>{
      ProgramOf(kPods + PolicyYaml("x", "web", R"(
{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: 80}, {port: 53, protocol: UDP}]}]})")),
      ProgramOf(kPods),
      ProgramOf(kPods + PolicyYaml("x", "none", "{podSelector: {}, policyTypes: [Ingress]}")),
  };
  return programs;
}

struct Name {
  uint8_t family;
  uint8_t protocol;
  bool reply;
  uint8_t id;
  bool tagged;
  // Parts of IPv6 may differ in what they say of the protocol.
  std::tuple<uint8_t, uint8_t, bool, uint8_t, bool> Key() const {
    return {family, family == 4 ? protocol : uint8_t{0}, reply, id, tagged};
  }
};
using NameKey = decltype(std::declval<Name>().Key());

struct Part {
  Name name;
  size_t begin;
  bool more;
  Bytes bytes;
  size_t end() const { return begin + bytes.size(); }
};

Bytes InFrame(const Name& name, const Bytes& packet) {
  const auto type = static_cast<uint16_t>(name.family == 4 ? 0x0800 : 0x86dd);
  if (!name.tagged) return npf::testing::Ethernet(type, packet);
  return npf::testing::Ethernet(0x8100, npf::testing::U16(7) + npf::testing::U16(type) + packet);
}

// `fragment` as in the header of IPv4; 0: of no fragment.
Bytes MakeFrame(const Name& name, uint16_t fragment, const Bytes& payload) {
  if (name.family == 4) {
    return InFrame(
        name, npf::testing::Packet(npf::testing::Ipv4{.src = name.reply ? "10.0.0.2" : "10.0.0.1",
                                                      .dst = name.reply ? "10.0.0.1" : "10.0.0.2",
                                                      .protocol = name.protocol,
                                                      .fragment = fragment,
                                                      .id = name.id},
                                   payload));
  }
  const bool whole = fragment == 0;
  const Bytes header = whole ? Bytes{}
                             : npf::testing::FragmentHeader(name.protocol, fragment % kMore,
                                                            (fragment & kMore) != 0, name.id);
  return InFrame(
      name, npf::testing::Packet(npf::testing::Ipv6{.src = name.reply ? "fd00::2" : "fd00::1",
                                                    .dst = name.reply ? "fd00::1" : "fd00::2",
                                                    .next = whole ? name.protocol : uint8_t{44}},
                                 header + payload));
}

// What the sender of all of these cuts up.
Bytes Transport(uint8_t protocol, uint16_t port, bool reply) {
  const uint16_t src = reply ? port : uint16_t{1000};
  const uint16_t dst = reply ? uint16_t{1000} : port;
  switch (protocol) {
    case npf::kProtocolTcp:
      return npf::testing::Segment({.src_port = src,
                                    .dst_port = dst,
                                    .flags = static_cast<uint8_t>(reply ? 0x12 : 0x02),
                                    .data_offset = 8,
                                    .acknowledgement = reply ? 1u : 0u,
                                    .window = 1000});
    case npf::kProtocolUdp:
      return npf::testing::Udp(src, dst, 8);
    case npf::kProtocolSctp:
      return npf::testing::Sctp(src, dst, 1);
    default:
      return npf::testing::Icmp(protocol == npf::kProtocolIcmp ? 8 : 128, 0, 7);
  }
}

Part ReadPart(Script& script) {
  static constexpr uint8_t kProtocols[] = {npf::kProtocolTcp, npf::kProtocolUdp, npf::kProtocolSctp,
                                           npf::kProtocolIcmp};
  const size_t names = script.Byte();
  const size_t places = script.Byte();
  const size_t lengths = script.Byte();
  Part part{.name = {.family = names % 2 == 0 ? uint8_t{4} : uint8_t{6},
                     .protocol = kProtocols[names / 2 % 4],
                     .reply = names / 8 % 4 == 3,
                     .id = static_cast<uint8_t>(1 + names / 32 % 3),
                     .tagged = names >= 224},
            .begin = places % 16 * 8,
            .more = places / 16 % 4 != 3,
            .bytes = {}};
  if (part.name.family == 6 && part.name.protocol == npf::kProtocolIcmp) {
    part.name.protocol = npf::kProtocolIcmpv6;
  }
  const size_t units = 1 + lengths % 12;
  const size_t odd = part.more ? 0 : lengths / 12 % 8;
  const uint16_t port = places >= 128 ? 81 : part.name.protocol == npf::kProtocolUdp ? 53 : 80;
  Bytes transport = Transport(part.name.protocol, port, part.name.reply);
  transport.resize(std::max(transport.size(), part.begin + units * 8));
  part.bytes.assign(transport.begin() + static_cast<ptrdiff_t>(part.begin),
                    transport.begin() + static_cast<ptrdiff_t>(part.begin + units * 8 - odd));
  if (lengths >= 192) {  // something is wrong with it
    uint8_t& byte = part.bytes[script.Below(part.bytes.size())];
    byte = static_cast<uint8_t>(byte ^ script.Byte());
  }
  return part;
}

Frame ViewOf(const Bytes& bytes) {
  const auto length = static_cast<uint32_t>(bytes.size());
  return {.packet = {bytes.data(), length, length}};
}

Judgement JudgeOne(Worker& worker, const Bytes& bytes, uint64_t now_ns) {
  Judgement judgement;
  judgement.verdict.generation = ~uint32_t{0};
  worker.Process({{ViewOf(bytes)}}, now_ns, {&judgement, 1});
  Expect(judgement.verdict.generation <= worker.generation(), "each frame gets a judgement");
  return judgement;
}

// The Worker that tracks, and what its datagrams' receivers have got.
class Tracked {
 public:
  explicit Tracked(const WorkerOptions& options) : worker_(Programs()[0], options) {}

  Worker& worker() { return worker_; }
  void Judge(const Part& part, const Bytes& frame, uint64_t now_ns) {
    const Judgement judgement = JudgeOne(worker_, frame, now_ns);
    const bool allowed = judgement.verdict.allowed != 0;
    Expect(judgement.held == 0, "nothing is held back");
    std::erase_if(passing_, [&](const auto& entry) { return entry.second.expires_ns <= now_ns; });
    if (judgement.packet.outcome != npf::ParseOutcome::kJudge) return;
    const auto known = passing_.find(part.name.Key());
    const auto reason = static_cast<Reason>(judgement.verdict.reason);
    if (part.begin == 0) {
      // Of one that is not known here, it is not the first.
      if (known == passing_.end() && reason == Reason::kFragmentOverlap) return;
      return NoteFirst(part, allowed, now_ns, known);
    }
    if (known == passing_.end()) return;
    Expect(known->second.passes || !allowed, "nothing follows a first one that is denied");
    if (allowed) return NoteLater(part, known);
    // Denied by policy of the moment, it counts as seen: nobody knows here what is complete.
    if (reason == Reason::kFragmentOverlap) {
      known->second.passes = false;
    } else if (known->second.passes) {
      passing_.erase(known);
    }
  }

 private:
  struct Passing {
    uint64_t expires_ns = 0;
    bool passes = false;
    std::map<size_t, size_t> parts;
    size_t end = 0;  // 0: not known
  };
  using Passings = std::map<NameKey, Passing>;

  void NoteFirst(const Part& part, bool allowed, uint64_t now_ns, Passings::iterator known) {
    if (known != passing_.end()) {
      Expect(!allowed, "one datagram has one first part");
      known->second.passes = false;
      return;
    }
    Passing& passing = passing_[part.name.Key()];
    passing = {.expires_ns = now_ns + kLifetimeNs, .passes = allowed, .parts = {}};
    passing.parts[0] = part.end();
  }
  void NoteLater(const Part& part, Passings::iterator known) {
    Passing& passing = known->second;
    for (const auto& [begin, end] : passing.parts) {
      Expect(end <= part.begin || part.end() <= begin, "no byte passes twice");
      Expect(part.more || begin < part.begin, "nothing lies behind the end");
    }
    Expect(passing.end == 0 || (part.more && part.end() <= passing.end), "there is one end");
    passing.parts[part.begin] = part.end();
    if (!part.more) passing.end = part.end();
    size_t at = 0;
    for (const auto& [begin, end] : passing.parts) at = begin == at ? end : at;
    if (passing.end != 0 && at == passing.end) passing_.erase(known);
  }

  Worker worker_;
  Passings passing_;
};

// The Worker that waits, the frames that are held for it, and one that gets whole packets.
class Waiting {
 public:
  explicit Waiting(WorkerOptions options)
      : worker_(Programs()[0],
                [&options] {
                  options.fragments = npf::Fragments::kReassemble;
                  return options;
                }()),
        whole_(Programs()[0], options) {}

  Worker& worker() { return worker_; }
  Worker& whole() { return whole_; }

  void Judge(const Part& part, const Bytes& frame, uint64_t now_ns) {
    const Judgement judgement = JudgeOne(worker_, frame, now_ns);
    Expect(judgement.verdict.allowed == 0, "no fragment passes by itself");
    if (judgement.held != 0) {
      Expect(judgement.verdict.reason == static_cast<uint8_t>(Reason::kFragmentHeld),
             "who ignores `held` is told why it is denied");
      held_[judgement.held].push_back(part);
    }
    Release(now_ns);
  }
  void Pause(uint64_t now_ns) {
    worker_.Process({}, now_ns, {});
    Release(now_ns);
  }
  void GiveUp(size_t number) {
    if (held_.empty()) return;
    const auto given_up = std::next(held_.begin(), static_cast<ptrdiff_t>(number % held_.size()));
    worker_.GiveUp(given_up->first);
    held_.erase(given_up);
  }
  void End(uint64_t now_ns) {
    Pause(now_ns + kLifetimeNs);
    Expect(held_.empty(), "whatever is held is released");
    Expect(worker_.counts().datagrams == 0, "and nothing of it is left");
  }

 private:
  void Release(uint64_t now_ns) {
    for (const npf::Release& release : worker_.released()) {
      const auto found = held_.find(release.ticket);
      Expect(found != held_.end(), "a ticket is released once");
      std::vector<Part>& parts = found->second;
      std::ranges::sort(parts, {}, &Part::begin);
      if (release.key.family != 0) Compare(parts, release, now_ns);
      Expect(release.key.family != 0 || release.verdict.allowed == 0, "only what is whole passes");
      held_.erase(found);
    }
  }

  // One packet with the same bytes gets the same verdict.
  void Compare(const std::vector<Part>& parts, const npf::Release& release, uint64_t now_ns) {
    Bytes payload;
    for (const Part& part : parts) {
      Expect(part.begin == payload.size(),
             "what is whole has no hole, and no part of it is double");
      payload.insert(payload.end(), part.bytes.begin(), part.bytes.end());
      Expect(part.more == (&part != &parts.back()), "its last part says so, and no other");
    }
    const Bytes frame = MakeFrame(parts.front().name, 0, payload);
    const Judgement judgement = JudgeOne(whole_, frame, now_ns);
    Expect(judgement.verdict.allowed == release.verdict.allowed &&
               judgement.verdict.reason == release.verdict.reason,
           "a datagram gets what its packet would get");
  }

  Worker worker_;
  Worker whole_;
  std::map<uint64_t, std::vector<Part>> held_;  // by ticket
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script({data, size});
  const size_t choices = script.Byte();
  const WorkerOptions options{.checksums = npf::Checksums::kIgnore,
                              .midstream_allow = choices % 2 == 1,
                              .established_keep = choices / 2 % 2 == 1,
                              .flows_max = 200,
                              .openings_max = 200,
                              .flows_per_source_max = 200,
                              .datagrams_max = 256};
  Tracked tracked(options);
  Waiting waiting(options);
  uint64_t now_ns = kSecondNs;
  for (size_t count = 0; count < kPartsMax && !script.ended(); ++count) {
    const size_t kind = script.Byte() % 16;
    if (kind == 0) {
      static constexpr uint64_t kPauses[] = {1, kLifetimeNs - 1, kLifetimeNs, kSecondNs,
                                             10 * kLifetimeNs};
      now_ns += script.Pick(kPauses);
      if (script.Below(2) == 0) waiting.Pause(now_ns);
    } else if (kind == 1) {
      const Program& program = Programs()[script.Below(Programs().size())];
      for (Worker* worker : {&tracked.worker(), &waiting.worker(), &waiting.whole()}) {
        worker->Replace(program);
      }
    } else if (kind == 2) {
      waiting.GiveUp(script.Byte());
    } else {
      const Part part = ReadPart(script);
      const auto field = static_cast<uint16_t>(part.begin / 8 + (part.more ? kMore : 0));
      if (field == 0) continue;  // all of a datagram
      const Bytes frame = MakeFrame(part.name, field, part.bytes);
      tracked.Judge(part, frame, now_ns);
      waiting.Judge(part, frame, now_ns);
    }
  }
  waiting.End(now_ns);
  return 0;
}
