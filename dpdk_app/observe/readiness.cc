#include "observe/readiness.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace npf::observe {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr size_t kHistoryMax = 1'000;

// What packets of one kind say about the configuration, and what to do about it.
struct PacketRule {
  const char* name;
  uint64_t ReadinessSample::*count;
  const char* seen;
  const char* advice;
};
constexpr PacketRule kPacketRules[] = {
    {"spoofed", &ReadinessSample::spoofed,
     "came in by a port that their source address cannot be behind",
     "Correct which nodes or pods are behind which port, or find the host that forges them"},
    {"opaque", &ReadinessSample::opaque, "were tunnelled or encrypted, and cannot be looked into",
     "Configure the overlay, or place npf where the packets are plain"},
    {"unknown_pod", &ReadinessSample::unknown_pod,
     "had an address of a pod CIDR that no known pod has",
     "Load the pods that are missing; the input may be old"},
    {"service_address", &ReadinessSample::service_address,
     "were addressed to a Service, before it was replaced by a pod's address",
     "Place npf where pods' own addresses are seen"},
    {"same_node", &ReadinessSample::same_node,
     "went between pods that the input has on one node, and crossed this wire all the same",
     "Load the pods anew, or correct which nodes are behind which port"},
};

const ReadinessSample kNothing;

uint64_t Seconds(uint64_t ns) { return std::max<uint64_t>(1, ns / kSecond); }

uint64_t Since(uint64_t now, uint64_t before) { return now > before ? now - before : 0; }

PortSample PortAt(const ReadinessSample& sample, size_t port) {
  return port < sample.ports.size() ? sample.ports[port] : PortSample{};
}

}  // namespace

std::vector<std::string> Readiness::Observe(const ReadinessSample& sample) {
  Forget(sample.now_ns);
  const ReadinessSample& base = history_.empty() ? kNothing : history_.front();
  base_ns_ = history_.empty() ? sample.now_ns : base.now_ns;
  reasons_.clear();
  LookAtPolicy(sample);
  LookAtWorkers(sample);
  LookAtPorts(sample, base);
  LookAtPackets(sample, base);
  Remember(sample);
  return reasons_;
}

// Before the first sample there was nothing.
void Readiness::Remember(const ReadinessSample& sample) {
  if (history_.empty()) {
    history_.push_back(kNothing);
    history_.back().now_ns = sample.now_ns;
  }
  history_.push_back(sample);
}

// The oldest one is the latest that is not inside the window: what comes between two samples is not
// lost.
void Readiness::Forget(uint64_t now_ns) {
  while (history_.size() > 1 && (Since(now_ns, history_[1].now_ns) >= options_.window_ns ||
                                 history_.size() > kHistoryMax)) {
    history_.pop_front();
  }
}

uint64_t Readiness::SecondsOf(const std::string& id, bool holds, uint64_t now_ns) {
  if (!holds) {
    conditions_.erase(id);
    return 0;
  }
  const auto [found, is_new] = conditions_.try_emplace(id, Condition{now_ns, now_ns, 0});
  return Seconds(Since(now_ns, found->second.since_ns));
}

const Readiness::Condition* Readiness::Held(const std::string& id, bool is_over,
                                            uint64_t count_before, uint64_t now_ns) {
  auto found = conditions_.find(id);
  if (is_over) {
    if (found == conditions_.end()) {
      found = conditions_.emplace(id, Condition{base_ns_, now_ns, count_before}).first;
    }
    found->second.last_ns = now_ns;
    return &found->second;
  }
  if (found == conditions_.end()) return nullptr;
  if (Since(now_ns, found->second.last_ns) < options_.hold_ns) return &found->second;
  conditions_.erase(found);
  return nullptr;
}

void Readiness::LookAtPolicy(const ReadinessSample& now) {
  if (const uint64_t s = SecondsOf("policy", !now.policy_active, now.now_ns)) {
    reasons_.push_back(absl::StrCat("no_policy: for ", s,
                                    " s no policy has been there, and nothing passes. Load one"));
  }
  if (now.failing_open) {
    reasons_.push_back(
        "fail_open: NO POLICY IS ENFORCED, everything passes: none could be read at the start, and "
        "--fail-open is given. Load one that is valid");
  }
  if (!now.refusal.empty()) {
    reasons_.push_back(absl::StrCat(
        "update_refused: the last update of the policy was refused ", now.refused_ns / kSecond,
        " s ago, and the one before it still decides: ", now.refusal, ". Load one that is valid"));
  }
}

void Readiness::LookAtWorkers(const ReadinessSample& now) {
  for (size_t i = 0; i < now.heartbeat_ns.size(); ++i) {
    if (now.heartbeat_ns[i] <= options_.heartbeat_max_ns) continue;
    reasons_.push_back(absl::StrCat("worker_stuck: worker ", i, " has not been heard of for ",
                                    Seconds(now.heartbeat_ns[i]),
                                    " s. It is started anew where a supervisor does so"));
  }
}

void Readiness::LookAtPorts(const ReadinessSample& now, const ReadinessSample& base) {
  for (size_t i = 0; i < now.ports.size(); ++i) {
    const PortSample& port = now.ports[i];
    if (const uint64_t s = SecondsOf("link " + port.name, !port.link_up, now.now_ns)) {
      reasons_.push_back(absl::StrCat("link_down: port ", port.name, " has had no link for ", s,
                                      " s. Look at its cable, or at what is at the other end"));
    }
    if (port.peer != i && port.peer < now.ports.size()) LookAtBothWays(now, base, i);
    LookAtMasquerade(port, PortAt(base, i), now.now_ns);
  }
}

void Readiness::LookAtBothWays(const ReadinessSample& now, const ReadinessSample& base, size_t i) {
  const PortSample& port = now.ports[i];
  const PortSample& peer = now.ports[port.peer];
  const uint64_t received = Since(port.received, PortAt(base, i).received);
  const bool one_sided =
      received >= options_.one_sided_min && peer.received == PortAt(base, port.peer).received;
  const uint64_t s = SecondsOf("one_sided " + port.name, one_sided, now.now_ns);
  if (s == 0) return;
  reasons_.push_back(absl::StrCat(
      "one_sided: ", received, " packets came in by port ", port.name, " within ",
      Seconds(Since(now.now_ns, base_ns_)), " s, and none by port ", peer.name, ", seen for ", s,
      " s. Replies take another way, or a cable is in the wrong place"));
}

void Readiness::LookAtMasquerade(const PortSample& port, const PortSample& before,
                                 uint64_t now_ns) {
  const bool masqueraded = port.has_pods && port.from_pods == before.from_pods &&
                           Since(port.from_nodes, before.from_nodes) >= options_.one_sided_min;
  const Condition* held = Held("masquerade " + port.name, masqueraded, before.from_nodes, now_ns);
  if (held == nullptr) return;
  reasons_.push_back(absl::StrCat(
      "masquerade: ", Since(port.from_nodes, held->count_before), " packets came in by port ",
      port.name, " within ", Seconds(Since(now_ns, held->since_ns)),
      " s with addresses of nodes, though pods are behind it. Turn off masquerading there, or place"
      " npf before it"));
}

void Readiness::LookAtPackets(const ReadinessSample& now, const ReadinessSample& base) {
  for (const PacketRule& rule : kPacketRules) {
    const uint64_t count = now.*rule.count;
    const bool is_over = Since(count, base.*rule.count) >= options_.packets_min;
    const Condition* held = Held(rule.name, is_over, base.*rule.count, now.now_ns);
    if (held == nullptr) continue;
    reasons_.push_back(absl::StrCat(rule.name, ": ", Since(count, held->count_before),
                                    " packets within ", Seconds(Since(now.now_ns, held->since_ns)),
                                    " s ", rule.seen, ". ", rule.advice));
  }
}

}  // namespace npf::observe
