#include "npf/replay_summary.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>

#include "npf/csv.h"
#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

constexpr std::array<std::string_view, 10> kColumns = {"src",     "src_pod",  "dst",     "dst_pod",
                                                       "proto",   "dst_port", "verdict", "reason",
                                                       "packets", "bytes"};

std::string Dash(std::string text) { return text.empty() ? "-" : text; }

// One for both directions of a connection.
std::string ConnectionOf(const ParsedPacket& packet) {
  const FlowKey& key = packet.key;
  const bool icmp = key.protocol == kProtocolIcmp || key.protocol == kProtocolIcmpv6;
  const auto end = [](const uint8_t* address, uint16_t port) {
    std::string text(reinterpret_cast<const char*>(address), 16);
    text.push_back(static_cast<char>(port >> 8));
    text.push_back(static_cast<char>(port));
    return text;
  };
  std::string first = end(key.src, key.src_port);
  std::string second = end(key.dst, icmp ? key.src_port : key.dst_port);
  if (second < first) std::swap(first, second);
  return first + second + static_cast<char>(key.protocol) + static_cast<char>(key.family) +
         std::to_string(packet.network);
}

}  // namespace

bool ReplaySummary::FlowName::operator==(const FlowName& other) const {
  return std::memcmp(key.src, other.key.src, sizeof(key.src)) == 0 &&
         std::memcmp(key.dst, other.key.dst, sizeof(key.dst)) == 0 &&
         key.dst_port == other.key.dst_port && key.protocol == other.key.protocol &&
         key.family == other.key.family && allowed == other.allowed && fragment == other.fragment &&
         reason == other.reason;
}

ReplaySummary::FlowName ReplaySummary::NameOf(const Judgement& judgement) {
  FlowName name;
  name.key = ConnectionKey(judgement);
  name.key.src_port = 0;
  name.has_ports = judgement.packet.ports_known;
  if (!name.has_ports) name.key.dst_port = 0;
  name.fragment = judgement.packet.later_fragment;
  name.allowed = judgement.verdict.allowed != 0;
  name.reason = judgement.verdict.reason;
  if (static_cast<Reason>(name.reason) == Reason::kEstablished) {
    name.reason = static_cast<uint8_t>(judgement.flow_reason);
  }
  return name;
}

ReplaySummary::FlowName ReplaySummary::FollowDenied(const Judgement& judgement, FlowName name) {
  const ParsedPacket& packet = judgement.packet;
  if (packet.outcome != ParseOutcome::kJudge || packet.later_fragment) return name;
  if (name.allowed) {
    if (packet.starts_connection && !denied_.empty()) denied_.erase(ConnectionOf(packet));
    return name;
  }
  const std::string connection = ConnectionOf(packet);
  const auto found = denied_.find(connection);
  const bool follows = !packet.starts_connection || packet.key.protocol == kProtocolUdp;
  if (follows && found != denied_.end()) return found->second;
  if (packet.starts_connection && denied_.size() < kFlowsMax) {
    denied_.insert_or_assign(connection, name);
  }
  return name;
}

void ReplaySummary::Add(const PacketRecord& record) {
  const Verdict& verdict = record.judgement.verdict;
  ++packets_;
  ++by_reason_[verdict.allowed != 0 ? 1 : 0][verdict.reason];
  const FlowName name = FollowDenied(record.judgement, NameOf(record.judgement));
  auto found = flows_.find(name);
  if (found == flows_.end()) {
    if (flows_.size() == kFlowsMax) {
      ++beyond_;
      return;
    }
    found = flows_.emplace(name, FlowCount{.first = record.number}).first;
  }
  ++found->second.packets;
  found->second.bytes += record.wire_length;
}

std::vector<ReplaySummary::FlowRow> ReplaySummary::Sorted() const {
  std::vector<FlowRow> rows(flows_.begin(), flows_.end());
  std::sort(rows.begin(), rows.end(), [](const FlowRow& a, const FlowRow& b) {
    if (a.first.allowed != b.first.allowed) return b.first.allowed;
    if (a.second.packets != b.second.packets) return a.second.packets > b.second.packets;
    return a.second.first < b.second.first;
  });
  return rows;
}

std::vector<ReplaySummary::ReasonRow> ReplaySummary::Reasons() const {
  std::vector<ReasonRow> rows;
  for (const bool allowed : {false, true}) {
    for (size_t reason = 0; reason < 256; ++reason) {
      const uint64_t count = by_reason_[allowed ? 1 : 0][reason];
      if (count > 0) rows.push_back({allowed, static_cast<Reason>(reason), count});
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ReasonRow& a, const ReasonRow& b) { return a.packets > b.packets; });
  return rows;
}

// In the order of kColumns; empty where there is nothing to say.
std::vector<std::string> ReplaySummary::Cells(const FlowRow& row, const AddressNames& names) {
  const auto& [name, count] = row;
  std::vector<std::string> cells;
  if (HasAddresses(name.key)) {
    const IpAddress src = SourceOf(name.key);
    const IpAddress dst = DestinationOf(name.key);
    cells = {ToString(src), std::string(names.PodOf(src)), ToString(dst),
             std::string(names.PodOf(dst)),
             name.fragment ? "fragment" : ProtocolName(name.key.protocol)};
  } else {
    cells.resize(5);
  }
  cells.push_back(name.has_ports ? std::to_string(name.key.dst_port) : "");
  cells.push_back(VerdictWord(name.allowed));
  cells.push_back(std::string(Name(static_cast<Reason>(name.reason))));
  cells.push_back(std::to_string(count.packets));
  cells.push_back(std::to_string(count.bytes));
  return cells;
}

std::string ReplaySummary::AsTable(const AddressNames& names) const {
  struct Row {
    std::vector<std::string> cells;
    FlowCount count;
  };
  std::vector<Row> rows;
  std::map<std::vector<std::string>, size_t> places;
  for (const FlowRow& flow : Sorted()) {
    std::vector<std::string> cells = Cells(flow, names);
    if (static_cast<Reason>(flow.first.reason) == Reason::kLinkControl) {
      std::fill_n(cells.begin(), 4, "");  // who asked for whose address says nothing
    }
    cells = {Dash(cells[1].empty() ? cells[0] : cells[1]),
             Dash(cells[3].empty() ? cells[2] : cells[3]),
             Dash(cells[4]),
             Dash(cells[5]),
             cells[6],
             cells[7]};
    const auto [place, is_new] = places.emplace(cells, rows.size());
    if (is_new) rows.push_back({std::move(cells), {}});
    rows[place->second].count.packets += flow.second.packets;
    rows[place->second].count.bytes += flow.second.bytes;
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a.cells[4] != b.cells[4]) return a.cells[4] == VerdictWord(false);
    return a.count.packets > b.count.packets;
  });
  Table flows(
      {"SOURCE", "DESTINATION", "PROTO", ">PORT", "VERDICT", "REASON", ">PACKETS", ">BYTES"});
  for (size_t i = 0; i < std::min(rows.size(), kRowsShown); ++i) {
    std::vector<std::string> cells = rows[i].cells;
    cells.push_back(std::to_string(rows[i].count.packets));
    cells.push_back(std::to_string(rows[i].count.bytes));
    flows.AddRow(std::move(cells));
  }
  std::string out = flows.Text();
  if (rows.size() > kRowsShown) {
    uint64_t left_out = 0;
    for (size_t i = kRowsShown; i < rows.size(); ++i) left_out += rows[i].count.packets;
    out += "and " + std::to_string(rows.size() - kRowsShown) + " more flows with " +
           std::to_string(left_out) + " packets (-o csv has them)\n";
  }
  if (beyond_ > 0) {
    out += "and " + std::to_string(beyond_) + " packets of flows beyond the first " +
           std::to_string(kFlowsMax) + "\n";
  }
  return out + "\n" + ReasonTable();
}

std::string ReplaySummary::ReasonTable() const {
  Table reasons({"VERDICT", "REASON", ">PACKETS"});
  for (const ReasonRow& row : Reasons()) {
    reasons.AddRow(
        {VerdictWord(row.allowed), std::string(Name(row.reason)), std::to_string(row.packets)});
  }
  reasons.AddRow({"total", "", std::to_string(packets_)});
  return reasons.Text();
}

std::string ReplaySummary::AsCsv(const AddressNames& names) const {
  std::string out;
  const auto append = [&out](const auto& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ',';
      AppendCsvField(cells[i], out);
    }
    out += '\n';
  };
  append(kColumns);
  for (const FlowRow& row : Sorted()) append(Cells(row, names));
  return out;
}

std::string ReplaySummary::AsJson(const AddressNames& names) const {
  std::string out = "{\"packets\":" + std::to_string(packets_) + ",\"reasons\":[";
  std::string_view comma = "";
  for (const ReasonRow& row : Reasons()) {
    out.append(comma).append("\n{\"verdict\":\"").append(VerdictWord(row.allowed));
    out.append("\",\"reason\":\"").append(Name(row.reason));
    out.append("\",\"packets\":").append(std::to_string(row.packets)).append("}");
    comma = ",";
  }
  out += "],\"packets_beyond_flows\":" + std::to_string(beyond_) + ",\"flows\":[";
  comma = "";
  for (const FlowRow& row : Sorted()) {
    const std::vector<std::string> cells = Cells(row, names);
    out.append(comma).append("\n{");
    std::string_view inner = "";
    for (size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) continue;
      const bool number =
          kColumns[i] == "dst_port" || kColumns[i] == "packets" || kColumns[i] == "bytes";
      out.append(inner).append("\"").append(kColumns[i]).append("\":");
      out.append(number ? cells[i] : JsonString(cells[i]));
      inner = ",";
    }
    out += "}";
    comma = ",";
  }
  return out + "]}\n";
}

}  // namespace npf::tools
