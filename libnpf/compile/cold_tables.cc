#include "compile/cold_tables.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace npf {
namespace {

using resolve::ResolvedPolicy;

template <typename A, typename B>
constexpr bool Same(A a, B b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(Same(layout::AddressKind::kExternal, resolve::AddressKind::kExternal));
static_assert(Same(layout::AddressKind::kNode, resolve::AddressKind::kNode));
static_assert(Same(layout::AtomKind::kUnknown, resolve::AtomKind::kUnknown));
static_assert(Same(layout::Action::kPass, resolve::Action::kPass));
static_assert(Same(layout::PolicyKind::kBaselineAdminNetworkPolicy,
                   resolve::PolicyKind::kBaselineAdminNetworkPolicy));
static_assert(Same(layout::Tier::kBaseline, resolve::Tier::kBaseline));

}  // namespace

void WriteDecisions(const ResolvedPolicy& policy, ImageWriter& writer) {
  std::vector<layout::Decision> decisions;
  for (const resolve::Decision& decision : policy.decisions) {
    decisions.push_back({decision.allow_bitset, decision.tier_bitset, decision.isolated ? 1u : 0u});
  }
  writer.Put(layout::kDecisions, decisions);
  writer.Put(layout::kBitsets, policy.bitsets.words());
  writer.header.bitset_words = policy.bitsets.word_count();
}

void WriteClasses(const ResolvedPolicy& policy, ImageWriter& writer) {
  std::vector<layout::ClassRecord> records;
  std::vector<uint32_t> atoms;
  std::vector<layout::NamedPort> named_ports;
  std::vector<std::pair<uint32_t, uint32_t>> signature_range;
  for (const auto& signature : policy.port_signatures) {
    signature_range.emplace_back(named_ports.size(), signature.size());
    for (const resolve::NamedPort& port : signature) {
      named_ports.push_back({writer.Intern(port.name), port.port, port.protocol, 0});
    }
  }
  for (const resolve::AddressClass& address_class : policy.classes) {
    layout::ClassRecord record{};
    record.kind = static_cast<uint8_t>(address_class.kind);
    record.first_atom = static_cast<uint32_t>(atoms.size());
    record.atom_count = static_cast<uint32_t>(address_class.atoms.size());
    std::tie(record.first_named_port, record.named_port_count) =
        signature_range[address_class.port_signature];
    for (size_t family = 0; family < 2; ++family) {
      const auto& representatives = address_class.representatives[family];
      record.representatives[family] = static_cast<uint8_t>(representatives.size());
      for (size_t i = 0; i < representatives.size(); ++i) {
        std::copy(representatives[i].bytes.begin(), representatives[i].bytes.end(),
                  record.representative[family][i]);
      }
    }
    atoms.insert(atoms.end(), address_class.atoms.begin(), address_class.atoms.end());
    records.push_back(record);
  }
  writer.Put(layout::kClasses, records);
  writer.Put(layout::kClassAtoms, atoms);
  writer.Put(layout::kClassNamedPorts, named_ports);
  writer.header.class_count = static_cast<uint32_t>(records.size());
  writer.header.pod_class_count = policy.pod_class_count;
}

void WriteRows(const ResolvedPolicy& policy, ImageWriter& writer) {
  std::vector<uint32_t> row_of_class;
  for (const auto& of_direction : policy.row_of_class) {
    row_of_class.insert(row_of_class.end(), of_direction.begin(), of_direction.end());
  }
  std::vector<layout::Row> rows;
  std::vector<layout::RowEntry> entries;
  for (const resolve::Row& row : policy.rows) {
    rows.push_back({row.defaults, static_cast<uint32_t>(entries.size()),
                    static_cast<uint32_t>(row.entries.size())});
    for (const resolve::RowEntry& entry : row.entries) {
      entries.push_back({entry.peer_class, entry.decision});
    }
  }
  std::vector<uint32_t> defaults;
  for (const std::vector<uint32_t>& by_group : policy.defaults) {
    defaults.insert(defaults.end(), by_group.begin(), by_group.end());
  }
  writer.header.peer_group_count = policy.peer_group_count;
  writer.Put(layout::kPeerGroup, policy.peer_group);
  writer.Put(layout::kRowDefaults, defaults);
  writer.Put(layout::kRowOfClass, row_of_class);
  writer.Put(layout::kRows, rows);
  writer.Put(layout::kRowEntries, entries);
}

void WriteEndpoints(const ResolvedPolicy& policy, ImageWriter& writer) {
  std::vector<uint32_t> label_strings;
  for (const std::string& text : policy.label_texts) label_strings.push_back(writer.Intern(text));
  absl::flat_hash_map<const Pod*, uint32_t> pod_names;  // a pod may have two addresses
  pod_names.reserve(policy.endpoints.size());
  std::string name;
  std::string_view last_node;
  uint32_t node = layout::kNone;
  std::vector<layout::Endpoint> endpoints;
  endpoints.reserve(policy.endpoints.size());
  for (const resolve::Endpoint& endpoint : policy.endpoints) {
    layout::Endpoint record{};
    std::copy(endpoint.address.bytes.begin(), endpoint.address.bytes.end(), record.address);
    record.family = static_cast<uint8_t>(endpoint.address.family);
    record.kind = static_cast<uint8_t>(endpoint.kind);
    record.address_class = endpoint.address_class;
    if (endpoint.node != last_node) {  // neighbours are often of one node
      last_node = endpoint.node;
      node = writer.Intern(last_node);
    }
    record.node = node;
    record.name = node;
    record.labels = layout::kNone;
    if (endpoint.pod != nullptr) {
      const auto [known, inserted] = pod_names.try_emplace(endpoint.pod, 0);
      if (inserted) {
        name.assign(endpoint.pod->ns).append("/").append(endpoint.pod->name);
        known->second = writer.Append(name);
      }
      record.name = known->second;
      record.labels = label_strings[endpoint.label_text];
    }
    endpoints.push_back(record);
  }
  writer.Put(layout::kEndpoints, endpoints);
}

void WritePorts(const ResolvedPolicy& policy, ImageWriter& writer) {
  const resolve::PortClasses& classes = policy.port_classes;
  std::vector<uint32_t> index = {layout::kNoPortClass};
  std::vector<layout::Protocol> protocols(layout::kProtocolCount, {0, 0});
  std::vector<layout::PortClassRecord> records(classes.count);
  for (size_t i = 0; i < classes.segments.size();) {
    const uint8_t protocol_index = classes.segments[i].protocol_index;
    const uint8_t number = resolve::kProtocolNumbers[protocol_index];
    size_t end = i;
    for (; end < classes.segments.size() && classes.segments[end].protocol_index == protocol_index;
         ++end) {
      layout::PortClassRecord& record = records[classes.segments[end].port_class];
      if (record.protocol == 0) record = {number, 0, classes.segments[end].first};
    }
    const auto base = static_cast<uint32_t>(index.size());
    const bool all_alike = end - i == 1;
    protocols[number] = {base, all_alike ? 0 : layout::kPortsPerProtocol - 1};
    index.resize(base + (all_alike ? 1 : layout::kPortsPerProtocol));
    for (; i < end; ++i) {
      const auto first = index.begin() + base + classes.segments[i].first;
      const bool last = i + 1 == end;
      const auto next = last ? index.end() : index.begin() + base + classes.segments[i + 1].first;
      std::fill(first, next, classes.segments[i].port_class);
    }
  }
  writer.header.port_class_count = classes.count;
  writer.header.port_class_bytes = classes.count <= 256 ? 1 : 2;
  writer.header.outcome_words = layout::OutcomeWords(classes.count);
  writer.Put(layout::kProtocols, protocols);
  writer.PutNarrow(layout::kPortIndex, index, writer.header.port_class_bytes);
  writer.Put(layout::kPortClasses, records);
}

void WriteProvenance(const ResolvedPolicy& policy, ImageWriter& writer) {
  std::vector<layout::PolicyRecord> policies;
  std::vector<layout::RuleRecord> rules;
  std::vector<layout::RulePort> ports;
  std::vector<layout::RulePeer> peers;
  std::vector<layout::AtomRecord> atoms;
  for (const resolve::Policy& p : policy.policies) {
    policies.push_back({.name = writer.Intern(p.name),
                        .subject_atom = p.subject_atom,
                        .first_rule = static_cast<uint32_t>(rules.size()),
                        .rule_count = static_cast<uint32_t>(p.rules.size()),
                        .tier = static_cast<uint8_t>(p.tier),
                        .governs = static_cast<uint8_t>((p.governs[resolve::kIngress] ? 1 : 0) |
                                                        (p.governs[resolve::kEgress] ? 2 : 0)),
                        .kind = static_cast<uint8_t>(p.kind),
                        .reserved = 0});
    for (const resolve::Rule& rule : p.rules) {
      rules.push_back({.index = rule.index,
                       .name = writer.Intern(rule.name),
                       .first_port = static_cast<uint32_t>(ports.size()),
                       .port_count = static_cast<uint32_t>(rule.ports.size()),
                       .first_peer = static_cast<uint32_t>(peers.size()),
                       .peer_count = static_cast<uint32_t>(rule.peers.size()),
                       .direction = static_cast<uint8_t>(rule.direction),
                       .action = static_cast<uint8_t>(rule.action),
                       .reserved = {}});
      for (const resolve::RulePort& port : rule.ports) {
        ports.push_back({.name = writer.Intern(port.name),
                         .index = port.index,
                         .first = port.range.first,
                         .last = port.range.last,
                         .protocol = resolve::kProtocolNumbers[port.range.protocol_index],
                         .reserved = {}});
      }
      for (const resolve::RulePeer& peer : rule.peers) {
        peers.push_back({peer.atom, peer.index, peer.item});
      }
    }
  }
  for (const resolve::Atom& atom : policy.atoms) {
    atoms.push_back({writer.Intern(atom.text), static_cast<uint32_t>(atom.kind)});
  }
  writer.Put(layout::kPolicies, policies);
  writer.Put(layout::kRules, rules);
  writer.Put(layout::kRulePorts, ports);
  writer.Put(layout::kRulePeers, peers);
  writer.Put(layout::kAtoms, atoms);
}

}  // namespace npf
