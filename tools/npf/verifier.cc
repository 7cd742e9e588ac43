#include "npf/verifier.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "npf/classify.h"
#include "npf/protocol.h"
#include "program/view.h"

namespace npf::tools {
namespace {

using reference::Question;

struct Port {
  uint8_t protocol = 0;
  uint16_t port = 0;
};

// One kind of question: numbered from 0, each made when it is asked.
struct Part {
  uint64_t count = 0;
  std::function<std::optional<Question>(uint64_t)> make;
  uint64_t stride = 1;
};

// What one thread found in one chunk.
struct Found {
  uint64_t asked = 0;
  uint64_t differences = 0;
  std::optional<Witness> witness;
  uint64_t witness_at = 0;
};

struct ClassAddresses {
  std::vector<IpAddress> of;  // at most two
};

IpAddress AddressOf(bool v6, const uint8_t* bytes) {
  IpAddress address;
  address.family = v6 ? Family::kIpv6 : Family::kIpv4;
  std::copy_n(bytes, 16, address.bytes.begin());
  return address;
}

// Classes that have a member of that family, with their representatives.
std::vector<ClassAddresses> ReadClasses(const Program& program, bool v6) {
  std::vector<ClassAddresses> classes;
  const size_t family = v6 ? 1 : 0;
  for (const layout::ClassRecord& record :
       program.view().Section<layout::ClassRecord>(layout::kClasses)) {
    ClassAddresses addresses;
    for (size_t i = 0; i < record.representatives[family]; ++i) {
      addresses.of.push_back(AddressOf(v6, record.representative[family][i]));
    }
    if (!addresses.of.empty()) classes.push_back(std::move(addresses));
  }
  return classes;
}

std::vector<Port> ReadPortClasses(const Program& program) {
  std::vector<Port> ports;
  for (const layout::PortClassRecord& record :
       program.view().Section<layout::PortClassRecord>(layout::kPortClasses)) {
    ports.push_back(
        {.protocol = record.protocol == 0 ? kProtocolIcmp : record.protocol, .port = record.port});
  }
  return ports;
}

// The address before or after; the same address at the end of the space.
IpAddress Neighbour(const IpAddress& address, bool after) {
  return after ? std::max(address, NextAddress(address))
               : std::min(address, PreviousAddress(address));
}

// Every address at which something may change: those that objects name, and both sides of both
// edges of every CIDR.
class AddressCollector {
 public:
  explicit AddressCollector(const Snapshot& snapshot) {
    for (const Pod& pod : snapshot.pods()) AddAll(pod.ips);
    for (const Node& node : snapshot.nodes()) {
      AddAll(node.addresses);
      for (const std::string& cidr : node.pod_cidrs) AddCidr(cidr);
    }
    for (const Service& service : snapshot.services()) AddAll(service.cluster_ips);
    for (const IpPrefix& prefix : snapshot.pod_cidrs()) AddEdges(prefix);
    for (const IpPrefix& prefix : snapshot.service_cidrs()) AddEdges(prefix);
    for (const NetworkPolicy& policy : snapshot.policies()) {
      for (const auto* rules : {&policy.ingress, &policy.egress}) {
        for (const PolicyRule& rule : *rules) AddBlocks(rule);
      }
    }
    for (const ClusterPolicy& policy : snapshot.cluster_policies()) {
      for (const ClusterRule& rule : policy.egress) AddNetworks(rule);
    }
    for (const NameAddress& resolved : snapshot.resolved_names()) {
      AddEdges({resolved.address, static_cast<uint8_t>(resolved.address.bit_count())});
    }
  }

  std::vector<IpAddress> Take(Family family) const {
    std::vector<IpAddress> taken;
    for (const IpAddress& address : all_) {
      if (address.family == family) taken.push_back(address);
    }
    return taken;
  }

 private:
  void AddBlocks(const PolicyRule& rule) {
    for (const PolicyPeer& peer : rule.peers) {
      if (!peer.ip_block) continue;
      AddCidr(peer.ip_block->cidr);
      for (const std::string& except : peer.ip_block->except) AddCidr(except);
    }
  }
  void AddNetworks(const ClusterRule& rule) {
    for (const ClusterPeer& peer : rule.peers) {
      if (!peer.networks) continue;
      for (const std::string& network : *peer.networks) AddCidr(network);
    }
  }
  void AddAll(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (const auto address = ParseIpAddress(text)) all_.insert(*address);
    }
  }
  void AddCidr(const std::string& text) {
    const ParsedPrefix parsed = ParseIpPrefix(text);
    if (parsed.fault == PrefixFault::kNone) AddEdges(parsed.prefix);
  }
  void AddEdges(const IpPrefix& prefix) {
    const IpAddress first = FirstAddress(prefix);
    const IpAddress last = LastAddress(prefix);
    all_.insert({first, last, Neighbour(first, false), Neighbour(last, true)});
  }

  std::set<IpAddress> all_;
};

// Every port at which something may change, and its neighbours.
std::vector<Port> CollectPorts(const Snapshot& snapshot) {
  std::set<int64_t> numbers = {0, 1, 65534, 65535};
  const auto add = [&](int64_t port) {
    for (int64_t near = port - 1; near <= port + 1; ++near) {
      if (near >= 0 && near <= 65535) numbers.insert(near);
    }
  };
  for (const Pod& pod : snapshot.pods()) {
    for (const ContainerPort& port : pod.ports) add(port.port);
  }
  for (const NetworkPolicy& policy : snapshot.policies()) {
    for (const auto* rules : {&policy.ingress, &policy.egress}) {
      for (const PolicyRule& rule : *rules) {
        for (const PolicyPort& port : rule.ports) {
          if (port.port && std::holds_alternative<int64_t>(*port.port)) {
            add(std::get<int64_t>(*port.port));
          }
          if (port.end_port) add(*port.end_port);
        }
      }
    }
  }
  for (const ClusterPolicy& policy : snapshot.cluster_policies()) {
    for (const auto* rules : {&policy.ingress, &policy.egress}) {
      for (const ClusterRule& rule : *rules) {
        if (!rule.ports) continue;
        for (const ClusterPort& port : *rule.ports) {
          add(port.first);
          add(port.last);
        }
      }
    }
  }
  std::vector<Port> ports;
  for (const uint8_t protocol : {kProtocolTcp, kProtocolUdp, kProtocolSctp}) {
    for (const int64_t number : numbers) ports.push_back({protocol, static_cast<uint16_t>(number)});
  }
  for (const uint8_t protocol : {kProtocolIcmp, kProtocolIcmpv6, uint8_t{47}}) {
    ports.push_back({protocol, 0});
  }
  return ports;
}

Question MakeQuestion(const IpAddress& src, const IpAddress& dst, const Port& port) {
  return {.src = src, .dst = dst, .protocol = port.protocol, .dst_port = port.port};
}

class Verifier {
 public:
  Verifier(const Snapshot& snapshot, const Program& program, const VerifyOptions& options)
      : snapshot_(snapshot),
        program_(program),
        options_(options),
        evaluator_(snapshot, {.placement = options.classify.placement,
                              .deny_unknown_pod = options.classify.deny_unknown_pod}),
        port_classes_(ReadPortClasses(program)),
        ports_(CollectPorts(snapshot)) {}

  VerifyOutcome Run() {
    outcome_.address_classes = program_.view().header().class_count;
    outcome_.port_classes = port_classes_.size();
    const AddressCollector collector(snapshot_);
    std::vector<Part> proofs;
    std::vector<Part> extras;
    for (const bool v6 : {false, true}) {
      classes_[v6] = ReadClasses(program_, v6);
      members_[v6] = collector.Take(v6 ? Family::kIpv6 : Family::kIpv4);
      proofs.push_back(ClassPart(classes_[v6]));
      extras.push_back(MemberPart(classes_[v6], members_[v6]));
      extras.push_back(PortPart(classes_[v6]));
    }
    extras.push_back(OwnNodePart());
    Thin(extras);
    for (const Part& part : proofs) steps_ += part.count;
    for (const Part& part : extras) steps_ += part.count / part.stride;
    for (const Part& part : proofs) outcome_.class_decisions += Ask(part);
    for (const Part& part : extras) outcome_.extra_decisions += Ask(part);
    return outcome_;
  }

 private:
  // Every ordered pair by every port class; the last column is each address to itself.
  Part ClassPart(const std::vector<ClassAddresses>& classes) const {
    const uint64_t columns = classes.size() + 1;
    const uint64_t ports = port_classes_.size();
    return {.count = classes.size() * columns * ports,
            .make = [this, &classes, columns, ports](uint64_t at) -> std::optional<Question> {
              const uint64_t row = at / ports / columns;
              const uint64_t column = at / ports % columns;
              const std::vector<IpAddress>& src = classes[row].of;
              const Port& port = port_classes_[at % ports];
              if (column == classes.size()) return MakeQuestion(src[0], src[0], port);
              const std::vector<IpAddress>& dst = classes[column].of;
              if (row != column) return MakeQuestion(src[0], dst[0], port);
              if (src.size() < 2) return std::nullopt;
              return MakeQuestion(src[0], src[1], port);
            }};
  }

  Part MemberPart(const std::vector<ClassAddresses>& classes,
                  const std::vector<IpAddress>& members) const {
    const uint64_t ports = port_classes_.size();
    return {.count = members.size() * classes.size() * 2 * ports,
            .make = [this, &classes, &members, ports](uint64_t at) -> std::optional<Question> {
              const Port& port = port_classes_[at % ports];
              const bool from_member = at / ports % 2 == 0;
              const IpAddress& other = classes[at / ports / 2 % classes.size()].of[0];
              const IpAddress& member = members[at / ports / 2 / classes.size()];
              return from_member ? MakeQuestion(member, other, port)
                                 : MakeQuestion(other, member, port);
            }};
  }

  Part PortPart(const std::vector<ClassAddresses>& classes) const {
    const uint64_t ports = ports_.size();
    return {.count = classes.size() * classes.size() * ports,
            .make = [this, &classes, ports](uint64_t at) -> std::optional<Question> {
              return MakeQuestion(classes[at / ports / classes.size()].of[0],
                                  classes[at / ports % classes.size()].of.back(),
                                  ports_[at % ports]);
            }};
  }

  Part OwnNodePart() {
    for (const Pod& pod : snapshot_.pods()) {
      const auto node = std::find_if(snapshot_.nodes().begin(), snapshot_.nodes().end(),
                                     [&](const Node& n) { return n.name == pod.node_name; });
      if (node == snapshot_.nodes().end()) continue;
      for (const std::string& node_text : node->addresses) {
        for (const std::string& pod_text : pod.ips) {
          const auto src = ParseIpAddress(node_text);
          const auto dst = ParseIpAddress(pod_text);
          if (src && dst && src->family == dst->family) own_nodes_.emplace_back(*src, *dst);
        }
      }
    }
    const uint64_t ports = port_classes_.size();
    return {.count = own_nodes_.size() * ports,
            .make = [this, ports](uint64_t at) -> std::optional<Question> {
              const auto& [src, dst] = own_nodes_[at / ports];
              return MakeQuestion(src, dst, port_classes_[at % ports]);
            }};
  }

  // Gives each part its share of extra_max: a stride that steps over all ports and pairs alike.
  void Thin(std::vector<Part>& parts) {
    const uint64_t share = std::max<uint64_t>(1, options_.extra_max / parts.size());
    const uint64_t period = 2 * port_classes_.size() * ports_.size();
    for (Part& part : parts) {
      outcome_.extra_all += part.count;
      part.stride = std::max<uint64_t>(1, (part.count + share - 1) / share);
      while (part.stride > 1 && std::gcd(part.stride, period) != 1) ++part.stride;
    }
  }

  // Asks a part in chunks, on all threads; returns how many questions there were.
  uint64_t Ask(const Part& part) {
    constexpr uint64_t kChunk = 4096;
    const uint64_t asked = (part.count + part.stride - 1) / part.stride;
    const uint64_t chunks = (asked + kChunk - 1) / kChunk;
    const unsigned threads = options_.threads != 0
                                 ? options_.threads
                                 : std::max(1u, std::thread::hardware_concurrency());
    std::vector<Found> found(threads);
    std::atomic<uint64_t> next = 0;
    const auto work = [&](Found& mine) {
      for (uint64_t chunk = next++; chunk < chunks; chunk = next++) {
        AskChunk(part, chunk * kChunk, std::min(asked, (chunk + 1) * kChunk), mine);
        const uint64_t done = done_ += kChunk;
        if (options_.progress && &mine == &found[0]) options_.progress(done, steps_);
      }
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(work, std::ref(found[i]));
    work(found[0]);
    for (std::thread& other : others) other.join();
    return Merge(found);
  }

  uint64_t Merge(std::vector<Found>& found) {
    uint64_t asked = 0;
    const Found* first = nullptr;
    for (const Found& one : found) {
      asked += one.asked;
      outcome_.differences += one.differences;
      if (one.witness && (first == nullptr || one.witness_at < first->witness_at)) first = &one;
    }
    if (first != nullptr && !outcome_.witness) outcome_.witness = first->witness;
    return asked;
  }

  void AskChunk(const Part& part, uint64_t from, uint64_t to, Found& found) const {
    std::vector<Question> questions;
    std::vector<FlowKey> keys;
    for (uint64_t i = from; i < to; ++i) {
      const auto question = part.make(i * part.stride);
      if (!question) continue;
      questions.push_back(*question);
      keys.push_back(
          MakeFlowKey(question->src, question->dst, question->protocol, question->dst_port));
    }
    std::array<std::vector<Verdict>, 3> verdicts;
    constexpr std::array kMasks = {DirectionMask::kBoth, DirectionMask::kIngress,
                                   DirectionMask::kEgress};
    for (size_t m = 0; m < kMasks.size(); ++m) {
      verdicts[m].resize(keys.size());
      ClassifyOptions classify = options_.classify;
      classify.directions = kMasks[m];
      Classify(program_, classify, keys, verdicts[m]);
    }
    found.asked += questions.size();
    for (size_t i = 0; i < questions.size(); ++i) {
      const reference::Answer answer = evaluator_.Evaluate(questions[i]);
      for (size_t m = 0; m < kMasks.size(); ++m) {
        if (Agree(verdicts[m][i], answer, kMasks[m])) continue;
        ++found.differences;
        if (found.witness && found.witness_at <= from) break;
        found.witness = Witness{questions[i], verdicts[m][i], answer, kMasks[m]};
        found.witness_at = from;
        break;
      }
    }
  }

  static bool Agree(const Verdict& verdict, const reference::Answer& answer, DirectionMask mask) {
    const auto asked = static_cast<uint8_t>(mask);
    const uint8_t ingress = answer.ingress.allowed ? kIngressAllowed : 0;
    const uint8_t egress = answer.egress.allowed ? kEgressAllowed : 0;
    const auto wanted = static_cast<uint8_t>((ingress | egress | ~asked) & 3);
    if (verdict.directions != wanted || (verdict.allowed != 0) != (wanted == 3)) return false;
    return mask != DirectionMask::kBoth || verdict.reason == static_cast<uint8_t>(answer.reason);
  }

  const Snapshot& snapshot_;
  const Program& program_;
  const VerifyOptions& options_;
  const reference::Evaluator evaluator_;
  const std::vector<Port> port_classes_;
  const std::vector<Port> ports_;
  std::array<std::vector<ClassAddresses>, 2> classes_;  // by family
  std::array<std::vector<IpAddress>, 2> members_;
  std::vector<std::pair<IpAddress, IpAddress>> own_nodes_;
  VerifyOutcome outcome_;
  uint64_t steps_ = 0;
  std::atomic<uint64_t> done_ = 0;
};

std::string InWords(bool allowed) { return allowed ? "allow" : "deny"; }

}  // namespace

VerifyOutcome VerifyProgram(const Snapshot& snapshot, const Program& program,
                            const VerifyOptions& options) {
  return Verifier(snapshot, program, options).Run();
}

std::string Describe(const Witness& witness) {
  const reference::Question& q = witness.question;
  std::string text = ToString(q.src) + " to " + ToString(q.dst) + " " + ProtocolName(q.protocol);
  if (HasPorts(q.protocol)) text += " port " + std::to_string(q.dst_port);
  if (witness.directions == DirectionMask::kIngress) text += ", ingress alone";
  if (witness.directions == DirectionMask::kEgress) text += ", egress alone";
  const Verdict& v = witness.engine;
  text += ": the engine says " + InWords(v.allowed != 0) + " (egress " +
          InWords((v.directions & kEgressAllowed) != 0) + ", ingress " +
          InWords((v.directions & kIngressAllowed) != 0) + ", " +
          std::string(Name(static_cast<Reason>(v.reason))) + ", cell " + std::to_string(v.cell) +
          ", port class " + std::to_string(v.port_class) + "), the reference " +
          InWords(witness.reference.allowed) + " (egress " +
          InWords(witness.reference.egress.allowed) + ", ingress " +
          InWords(witness.reference.ingress.allowed) + ", " +
          std::string(Name(witness.reference.reason)) + ")";
  return text;
}

}  // namespace npf::tools
