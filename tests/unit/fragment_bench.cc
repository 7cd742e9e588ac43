#include "unit/fragment_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "testing/world.h"

namespace npf::testing {
namespace {

constexpr char kPods[] = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: x}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: x, labels: {app: client}},
 status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: server, namespace: x, labels: {app: server}},
 status: {podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: x}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: x}
spec:
  podSelector: {matchLabels: {app: client}}
  policyTypes: [Egress]
  egress: [{}]
)";

WorkerOptions Reassembling(WorkerOptions options) {
  options.fragments = Fragments::kReassemble;
  options.flows_max = std::min<size_t>(options.flows_max, 1000);
  return options;
}

}  // namespace

const char* const kOnlySomePorts = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: x}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: client}}}]
    ports: [{port: 80}, {port: 53, protocol: UDP}, {port: 9, protocol: SCTP}]
)";
const char* const kNothingAllowed = "";
const char* const kEverythingToTheServer = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: x}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]
)";

Program ProgramOfPods(const char* policies) { return ProgramOf(std::string(kPods) + policies); }

namespace {

Bytes InFrame(const WholeDatagram& datagram, const Bytes& packet) {
  const uint32_t type = datagram.family == 4 ? 0x0800 : 0x86dd;
  if (datagram.vlan == 0) return Ethernet(static_cast<uint16_t>(type), packet);
  return Ethernet(0x8100, U16(datagram.vlan) + U16(type) + packet);
}

Bytes InPacket(const WholeDatagram& datagram, uint16_t fragment, const Bytes& payload) {
  if (datagram.family == 4) {
    return Packet(Ipv4{.src = datagram.reply ? "10.0.0.2" : "10.0.0.1",
                       .dst = datagram.reply ? "10.0.0.1" : "10.0.0.2",
                       .protocol = datagram.protocol,
                       .fragment = fragment,
                       .id = static_cast<uint16_t>(datagram.id),
                       .options = datagram.options},
                  payload);
  }
  constexpr uint8_t kFragment = 44;
  const bool whole = fragment == 0;
  const Bytes header =
      FragmentHeader(datagram.protocol, fragment % 0x2000, (fragment & 0x2000) != 0, datagram.id);
  return Packet(Ipv6{.src = datagram.reply ? "fd00::2" : "fd00::1",
                     .dst = datagram.reply ? "fd00::1" : "fd00::2",
                     .next = whole ? datagram.protocol : kFragment},
                whole ? payload : header + payload);
}

}  // namespace

Bytes Fragment(const WholeDatagram& datagram, size_t begin, size_t bytes, bool more) {
  Bytes padded = datagram.transport;
  padded.resize(std::max(padded.size(), begin + bytes));
  const Bytes payload(padded.begin() + static_cast<ptrdiff_t>(begin),
                      padded.begin() + static_cast<ptrdiff_t>(begin + bytes));
  const auto field = static_cast<uint16_t>(begin / 8 + (more ? 0x2000 : 0));
  return InFrame(datagram, InPacket(datagram, field, payload));
}

Bytes Fragment(const WholeDatagram& datagram, size_t begin, size_t bytes) {
  const size_t end = std::min(begin + bytes, datagram.transport.size());
  return Fragment(datagram, begin, end - begin, end < datagram.transport.size());
}

std::vector<Bytes> Fragments(const WholeDatagram& datagram, size_t bytes) {
  std::vector<Bytes> all;
  for (size_t begin = 0; begin < datagram.transport.size(); begin += bytes) {
    all.push_back(Fragment(datagram, begin, bytes));
  }
  return all;
}

Bytes Unfragmented(const WholeDatagram& datagram) {
  return InFrame(datagram, InPacket(datagram, 0, datagram.transport));
}

FragmentBench::FragmentBench(const char* policies, WorkerOptions options)
    : worker(ProgramOfPods(policies == nullptr ? kOnlySomePorts : policies),
             Reassembling(options)) {}

std::string FragmentBench::Text(const Verdict& verdict) {
  return (verdict.allowed != 0 ? "allow " : "deny ") +
         std::string(Name(static_cast<Reason>(verdict.reason)));
}

std::string FragmentBench::JudgeAll(const std::vector<Bytes>& bytes) {
  std::vector<Frame> frames;
  for (const Bytes& frame : bytes) {
    const auto length = static_cast<uint32_t>(frame.size());
    frames.push_back({.packet = {frame.data(), length, length}});
  }
  std::vector<Judgement> judgements(frames.size());
  worker.Process(frames, now_ns, judgements);
  std::string text;
  for (const Judgement& judgement : judgements) {
    ++number_;
    if (!text.empty()) text += ' ';
    if (judgement.held == 0) {
      text += Text(judgement.verdict);
      continue;
    }
    text += "held";
    EXPECT_EQ(Text(judgement.verdict), "deny frag_held") << "who ignores `held` denies";
    held_[judgement.held].push_back(number_);
  }
  for (const Release& release : worker.released()) {
    text += ';';
    for (const uint64_t number : held_[release.ticket]) text += ' ' + std::to_string(number);
    text += ": " + Text(release.verdict);
    held_.erase(release.ticket);
    last = release;
  }
  return text;
}

uint64_t FragmentBench::TicketOf(uint64_t number) const {
  for (const auto& [ticket, numbers] : held_) {
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end()) return ticket;
  }
  return 0;
}

}  // namespace npf::testing
