#include "dpdk/expansion.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "dpdk/v4_block.h"
#include "model/selector.h"
#include "npf/address.h"
#include "npf/flow.h"
#include "resolve/inventory.h"

namespace npf::bench {
namespace {

// What is left of a block, halved until each part is in none of the exceptions (R30).
void AppendWithout(const std::vector<V4Block>& excepts, V4Block block, std::vector<V4Block>& out) {
  bool is_cut = false;
  for (const V4Block& except : excepts) {
    if (except.Contains(block)) return;
    is_cut |= block.Contains(except);
  }
  if (!is_cut) {
    out.push_back(block);
    return;
  }
  const auto length = static_cast<uint8_t>(block.length + 1);
  AppendWithout(excepts, {block.address, length}, out);
  AppendWithout(excepts, {block.address | uint32_t{1} << (32 - length), length}, out);
}

uint8_t ProtocolNumber(std::string_view name) {
  if (name == "UDP") return kProtocolUdp;
  return name == "SCTP" ? kProtocolSctp : kProtocolTcp;
}

bool GovernsIngress(const NetworkPolicy& policy) {  // R7
  const std::vector<std::string>& types = policy.policy_types;
  return types.empty() || std::find(types.begin(), types.end(), "Ingress") != types.end();
}

struct Destination {
  uint32_t address;
  const Pod* pod;
};

class Expander {
 public:
  explicit Expander(const Snapshot& snapshot) : snapshot_(snapshot) {
    const resolve::Inventory inventory = resolve::TakeInventory(snapshot);
    for (const resolve::PodAddress& held : inventory.pods) {
      if (held.address.family != Family::kIpv4) continue;
      pods_[held.pod->ns].push_back({held.address.v4(), held.pod});
    }
    for (const NetworkPolicy& policy : snapshot.policies()) {
      if (GovernsIngress(policy)) policies_[policy.ns].push_back(&policy);
    }
  }

  std::vector<Destination> Destinations() const {
    std::vector<Destination> all;
    for (const auto& [ns, pods] : pods_) all.insert(all.end(), pods.begin(), pods.end());
    std::sort(all.begin(), all.end(),
              [](const Destination& a, const Destination& b) { return a.address < b.address; });
    return all;
  }

  // The rules that apply to a destination; nullopt where no policy isolates it.
  std::optional<std::vector<const PolicyRule*>> Ingress(const Pod& to) {
    std::vector<const PolicyRule*> rules;
    bool is_isolated = false;
    for (const NetworkPolicy* policy : policies_[to.ns]) {
      if (!model::Matches(policy->pod_selector, to.labels)) continue;
      is_isolated = true;
      for (const PolicyRule& rule : policy->ingress) rules.push_back(&rule);
    }
    if (!is_isolated) return std::nullopt;
    return rules;
  }

  // How many 5-tuple rules that is, those counted twice that two rules ask for.
  size_t Count(const std::vector<const PolicyRule*>& ingress, const Pod& to) {
    size_t count = 2;
    for (const PolicyRule* rule : ingress) {
      count += SourcesOf(to.ns, *rule).size() * PortsOf(*rule, to).size();
    }
    return count;
  }

  std::vector<FiveTupleRule> Expand(const std::vector<const PolicyRule*>& ingress,
                                    const Destination& to) {
    std::vector<FiveTupleRule> rules = {
        {.src = to.address, .src_length = 32, .dst = to.address}};  // R36
    for (const PolicyRule* rule : ingress) AppendRule(*rule, to, rules);
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    rules.push_back({.dst = to.address, .allow = false});
    return rules;
  }

 private:
  void AppendRule(const PolicyRule& rule, const Destination& to,
                  std::vector<FiveTupleRule>& rules) {
    const std::vector<FiveTupleRule> ports = PortsOf(rule, *to.pod);
    for (const V4Block& source : SourcesOf(to.pod->ns, rule)) {
      for (FiveTupleRule made : ports) {
        made.src = source.address;
        made.src_length = source.length;
        made.dst = to.address;
        rules.push_back(made);
      }
    }
  }

  // The protocols and ports of a rule, as rules that lack their addresses.
  static std::vector<FiveTupleRule> PortsOf(const PolicyRule& rule, const Pod& to) {
    std::vector<FiveTupleRule> ports;
    if (rule.ports.empty()) ports.push_back({});  // R20
    for (const PolicyPort& port : rule.ports) {
      const std::string protocol = port.protocol.value_or("TCP");  // R22
      const auto append = [&](int64_t first, int64_t last) {
        ports.push_back({.protocol = ProtocolNumber(protocol),
                         .first_port = static_cast<uint16_t>(first),
                         .last_port = static_cast<uint16_t>(last)});
      };
      if (!port.port) {
        append(0, 65535);  // R21, R25
      } else if (const auto* number = std::get_if<int64_t>(&*port.port)) {
        append(*number, port.end_port.value_or(*number));
      } else {
        for (const ContainerPort& named : to.ports) {  // R26
          if (named.name != std::get<std::string>(*port.port)) continue;
          if (named.protocol == protocol) append(named.port, named.port);
        }
      }
    }
    return ports;
  }

  const std::vector<V4Block>& SourcesOf(std::string_view ns, const PolicyRule& rule) {
    const auto [found, is_new] = sources_.try_emplace(&rule);
    if (!is_new) return found->second;
    if (rule.peers.empty()) found->second.push_back({});  // R18
    for (const PolicyPeer& peer : rule.peers) AppendPeer(ns, peer, found->second);
    return found->second;
  }

  void AppendPeer(std::string_view ns, const PolicyPeer& peer,
                  std::vector<V4Block>& sources) const {
    if (peer.ip_block) {
      const std::optional<V4Block> block = ReadV4Block(peer.ip_block->cidr);
      if (!block) return;  // R32
      std::vector<V4Block> excepts;
      for (const std::string& text : peer.ip_block->except) excepts.push_back(*ReadV4Block(text));
      AppendWithout(excepts, *block, sources);
      return;
    }
    for (const Namespace& from : snapshot_.namespaces()) {
      const bool is_meant = peer.namespace_selector  // R14 to R16
                                ? model::Matches(*peer.namespace_selector, from.labels)
                                : from.name == ns;
      const auto pods = pods_.find(from.name);
      if (!is_meant || pods == pods_.end()) continue;
      for (const Destination& pod : pods->second) {
        if (!peer.pod_selector || model::Matches(*peer.pod_selector, pod.pod->labels)) {
          sources.push_back({pod.address, 32});
        }
      }
    }
  }

  const Snapshot& snapshot_;
  std::map<std::string_view, std::vector<Destination>> pods_;  // by namespace
  std::map<std::string_view, std::vector<const NetworkPolicy*>> policies_;
  std::map<const PolicyRule*, std::vector<V4Block>> sources_;
};

}  // namespace

std::shared_ptr<const RuleSet> ExpandIngress(const Snapshot& snapshot, size_t rules_max) {
  Expander expander(snapshot);
  auto set = std::make_shared<RuleSet>();
  const size_t enough = rules_max - rules_max / 20;
  for (const Destination& to : expander.Destinations()) {
    const auto ingress = expander.Ingress(*to.pod);
    if (!ingress) continue;
    if (set->rules.size() >= enough) {
      set->whole = false;
      break;
    }
    if (expander.Count(*ingress, *to.pod) > rules_max - set->rules.size()) {
      set->whole = false;
      continue;
    }
    const std::vector<FiveTupleRule> rules = expander.Expand(*ingress, to);
    set->rules.insert(set->rules.end(), rules.begin(), rules.end());
    set->destinations.insert(to.address);
  }
  return set;
}

}  // namespace npf::bench
