#include "resolve/port_space.h"

#include <algorithm>
#include <optional>

namespace npf::resolve {
namespace {

std::optional<uint8_t> ProtocolIndex(const std::string& name) {
  if (name == "TCP") return uint8_t{0};
  if (name == "UDP") return uint8_t{1};
  if (name == "SCTP") return uint8_t{2};
  return std::nullopt;
}

// Sorted, with overlapping and touching ranges of one protocol joined.
std::vector<PortRange> Joined(std::vector<PortRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<PortRange> joined;
  for (const PortRange& range : ranges) {
    if (!joined.empty() && joined.back().protocol_index == range.protocol_index &&
        uint32_t{range.first} <= uint32_t{joined.back().last} + 1) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

// Splits classes until every set is a union of classes (partition refinement).
class Partition {
 public:
  explicit Partition(size_t element_count) : class_of_(element_count, 0) {}

  void BeginSet() { ++round_; }
  void Add(size_t element) {  // each element at most once a set
    const uint32_t old = class_of_[element];
    if (round_of_.size() <= old) round_of_.resize(old + 1, 0), split_.resize(old + 1, 0);
    if (round_of_[old] != round_) {
      round_of_[old] = round_;
      split_[old] = next_++;
    }
    class_of_[element] = split_[old];
  }
  uint32_t class_of(size_t element) const { return class_of_[element]; }
  uint32_t bound() const { return next_; }

 private:
  std::vector<uint32_t> class_of_;
  std::vector<uint32_t> round_of_;
  std::vector<uint32_t> split_;
  uint32_t round_ = 0;
  uint32_t next_ = 1;
};

}  // namespace

std::vector<RulePort> PortSpace::Read(const std::vector<PolicyPort>& ports) {
  std::vector<RulePort> read;
  for (size_t i = 0; i < ports.size(); ++i) {
    const PolicyPort& port = ports[i];
    // R22: an absent protocol is TCP.
    const std::optional<uint8_t> protocol = ProtocolIndex(port.protocol.value_or("TCP"));
    if (!protocol) continue;
    RulePort item;
    item.index = static_cast<uint32_t>(i);
    item.range = {*protocol, 0, 65535};  // R21: an absent port is every port of the protocol
    if (port.port) {
      if (const auto* number = std::get_if<int64_t>(&*port.port)) {
        item.range.first = static_cast<uint16_t>(*number);
        item.range.last = static_cast<uint16_t>(port.end_port.value_or(*number));  // R24
      } else {
        item.name = std::get<std::string>(*port.port);
      }
    }
    read.push_back(std::move(item));
  }
  return read;
}

// R88. A port of a form that is not known is the rule's business (R89).
std::vector<RulePort> PortSpace::ReadCluster(const std::vector<ClusterPort>& ports) {
  std::vector<RulePort> read;
  for (size_t i = 0; i < ports.size(); ++i) {
    const ClusterPort& port = ports[i];
    const auto index = static_cast<uint32_t>(i);
    if (port.form == ClusterPort::Form::kNamed) {
      for (uint8_t protocol = 0; protocol < kProtocolNumbers.size(); ++protocol) {
        read.push_back({.name = port.name, .range = {protocol, 0, 65535}, .index = index});
      }
      continue;
    }
    const std::optional<uint8_t> protocol = ProtocolIndex(port.protocol);
    if (!protocol) continue;
    RulePort item{.name = {}, .range = {*protocol, 0, 65535}, .index = index};
    if (port.form != ClusterPort::Form::kAll) {
      const bool range = port.form == ClusterPort::Form::kRange;
      item.range.first = static_cast<uint16_t>(port.first);
      item.range.last = static_cast<uint16_t>(range ? port.last : port.first);
    }
    read.push_back(std::move(item));
  }
  return read;
}

uint32_t PortSpace::InternList(const std::vector<RulePort>& ports) {
  List list;
  for (const RulePort& port : ports) {
    if (port.name.empty()) {
      list.ranges.push_back(port.range);
    } else {
      list.names.emplace_back(port.name, port.range.protocol_index);
    }
  }
  list.ranges = Joined(std::move(list.ranges));
  std::sort(list.names.begin(), list.names.end());
  list.names.erase(std::unique(list.names.begin(), list.names.end()), list.names.end());
  names_.insert(list.names.begin(), list.names.end());
  const auto [found, inserted] = list_ids_.try_emplace(list, static_cast<uint32_t>(lists_.size()));
  if (inserted) lists_.push_back(std::move(list));
  return found->second;
}

uint32_t PortSpace::InternSignature(const Pod& pod) {
  if (names_.empty() || pod.ports.empty()) return 0;
  std::vector<NamedPort> signature;
  for (const ContainerPort& port : pod.ports) {
    // R28: an absent protocol is TCP; several ports of one name all count.
    const std::optional<uint8_t> protocol =
        ProtocolIndex(port.protocol.empty() ? "TCP" : port.protocol);
    if (port.name.empty() || !protocol || port.port < 1 || port.port > 65535) continue;
    if (!names_.contains({port.name, *protocol})) continue;
    signature.push_back({port.name, kProtocolNumbers[*protocol], static_cast<uint16_t>(port.port)});
  }
  std::sort(signature.begin(), signature.end());
  signature.erase(std::unique(signature.begin(), signature.end()), signature.end());
  const auto [found, inserted] =
      signature_ids_.try_emplace(signature, static_cast<uint32_t>(signatures_.size()));
  if (inserted) signatures_.push_back(std::move(signature));
  return found->second;
}

std::vector<std::vector<PortRange>> PortSpace::BasicSets() const {
  std::set<std::vector<PortRange>> sets;
  for (const List& list : lists_) {
    if (!list.ranges.empty()) sets.insert(list.ranges);
  }
  for (const std::vector<NamedPort>& signature : signatures_) {
    for (const NamedPort& port : signature) {
      const auto index = static_cast<uint8_t>(
          std::find(kProtocolNumbers.begin(), kProtocolNumbers.end(), port.protocol) -
          kProtocolNumbers.begin());
      sets.insert({{index, port.port, port.port}});
    }
  }
  return {sets.begin(), sets.end()};
}

PortSpace::Cuts PortSpace::CutPoints(const std::vector<std::vector<PortRange>>& sets) const {
  Cuts cuts;
  for (auto& of_protocol : cuts) of_protocol = {0};
  for (const std::vector<PortRange>& set : sets) {
    for (const PortRange& range : set) {
      cuts[range.protocol_index].push_back(range.first);
      if (range.last != 65535) cuts[range.protocol_index].push_back(uint32_t{range.last} + 1);
    }
  }
  for (auto& of_protocol : cuts) {
    std::sort(of_protocol.begin(), of_protocol.end());
    of_protocol.erase(std::unique(of_protocol.begin(), of_protocol.end()), of_protocol.end());
  }
  return cuts;
}

void PortSpace::Cut() {
  const std::vector<std::vector<PortRange>> sets = BasicSets();
  const Cuts cuts = CutPoints(sets);
  const std::array<size_t, 3> offset = {0, cuts[0].size(), cuts[0].size() + cuts[1].size()};
  Partition partition(offset[2] + cuts[2].size());
  for (const std::vector<PortRange>& set : sets) {
    partition.BeginSet();
    for (const PortRange& range : set) {
      const auto& firsts = cuts[range.protocol_index];
      const auto begin = std::lower_bound(firsts.begin(), firsts.end(), range.first);
      for (auto it = begin; it != firsts.end() && *it <= range.last; ++it) {
        partition.Add(offset[range.protocol_index] + static_cast<size_t>(it - firsts.begin()));
      }
    }
  }
  std::vector<uint32_t> number(partition.bound(), 0);
  classes_ = {};
  for (uint8_t protocol = 0; protocol < 3; ++protocol) {
    for (size_t i = 0; i < cuts[protocol].size(); ++i) {
      uint32_t& port_class = number[partition.class_of(offset[protocol] + i)];
      if (port_class == 0) port_class = classes_.count++;
      classes_.segments.push_back({protocol, static_cast<uint16_t>(cuts[protocol][i]), port_class});
    }
  }
  bitsets_ = BitsetTable(classes_.count);
  resolved_.clear();
}

uint32_t PortSpace::BitsOf(const std::vector<PortRange>& ranges) {
  std::vector<uint32_t> words(bitsets_.word_count(), 0);
  for (const PortRange& range : ranges) {
    auto segment = std::partition_point(
        classes_.segments.begin(), classes_.segments.end(), [&](const PortClasses::Segment& s) {
          return s.protocol_index < range.protocol_index ||
                 (s.protocol_index == range.protocol_index && s.first < range.first);
        });
    for (; segment != classes_.segments.end() && segment->protocol_index == range.protocol_index &&
           segment->first <= range.last;
         ++segment) {
      words[segment->port_class / 32] |= uint32_t{1} << (segment->port_class % 32);
    }
  }
  return bitsets_.Intern(std::move(words));
}

uint32_t PortSpace::Resolve(uint32_t list, uint32_t signature) {
  if (list == kAllPorts) return BitsetTable::kAll;
  if (lists_[list].names.empty()) signature = 0;
  const auto [found, inserted] = resolved_.try_emplace({list, signature}, 0);
  if (!inserted) return found->second;
  std::vector<PortRange> ranges = lists_[list].ranges;
  for (const NamedPort& port : signatures_[signature]) {
    for (const Name& name : lists_[list].names) {
      if (name.first == port.name && kProtocolNumbers[name.second] == port.protocol) {
        ranges.push_back({name.second, port.port, port.port});
      }
    }
  }
  return found->second = BitsOf(ranges);
}

}  // namespace npf::resolve
