#include "npf/diff_report.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "npf/end_json.h"
#include "npf/markdown.h"
#include "npf/output.h"
#include "npf/protocol.h"
#include "npf/sarif.h"
#include "npf/version.h"

namespace npf::tools {
namespace {

using analysis::CausePart;
using analysis::ChangedBy;
using analysis::ChangeKind;
using analysis::ChangeRow;
using analysis::End;

constexpr size_t kNamesShown = 8;  // of one end of a row, in tables
constexpr size_t kFlowsShown = 50;

// A row with its words: what all forms but JSON are made of.
struct WordedRow {
  const ChangeRow* row = nullptr;
  std::vector<std::string> from;
  std::vector<std::string> to;
  std::string ports;
  std::vector<std::string> because;
  std::string witness;  // "10.0.0.1 -> 10.0.0.2 TCP 80"; may be empty
};

const char* Word(ChangeKind kind) { return kind == ChangeKind::kAllowed ? "allowed" : "denied"; }

const char* OwnNode(uint8_t sides) {
  if (sides == 3) return "its own node";
  return sides == 1 ? "the node it was on" : "the node it is on now";
}

class Report {
 public:
  explicit Report(const DiffResults& results) : results_(results), namer_(results.scene) {}

  // Denied ones last, each by their names.
  std::vector<WordedRow> Rows() const {
    std::vector<WordedRow> rows;
    for (const ChangeRow& row : results_.difference.rows) rows.push_back(Worded(row));
    std::sort(rows.begin(), rows.end(), [](const WordedRow& a, const WordedRow& b) {
      return std::tie(a.row->kind, a.from, a.to, a.ports, a.because) <
             std::tie(b.row->kind, b.from, b.to, b.ports, b.because);
    });
    return rows;
  }

  uint8_t FamiliesIn(const ChangeRow& row) const {
    return row.families & FamiliesOf(results_.scene, row.from, row.to);
  }
  std::vector<End> Ends(const std::vector<uint32_t>& groups, const ChangeRow& row) const {
    return namer_.Of(groups, FamiliesIn(row));
  }

  Place PlaceOf(const CausePart& cause) const {
    const std::optional<Places>& places = results_.places[cause.side()];
    if (!places || cause.policy.empty()) return {};
    return cause.rule ? places->Of(*cause.rule) : places->Of(cause.policy);
  }

  std::string CauseText(const CausePart& cause) const {
    std::string text = cause.direction == Direction::kIngress ? "ingress " : "egress ";
    text += Name(cause.role);
    if (cause.role == CausePart::Role::kOwnNode) text += ", which is exempt";
    if (!cause.policy.empty()) text += " " + cause.policy;
    if (cause.rule) text += " " + cause.rule->FieldPath();
    if (!cause.detail.empty()) text += ": " + cause.detail;
    const Place place = PlaceOf(cause);
    if (!place.file.empty()) text += "  " + place.file + ":" + std::to_string(place.line);
    return text;
  }

  static std::string PortText(uint8_t protocol, uint16_t port) {
    const std::string name = ProtocolName(protocol);
    return HasPorts(protocol) ? name + " " + std::to_string(port) : name;
  }

  std::string WorkloadName(uint32_t workload) const {
    return results_.scene.workloads()[workload].ToString();
  }
  std::vector<std::string> WorkloadNames(std::vector<uint32_t> workloads) const {
    std::vector<std::string> names;
    for (const uint32_t workload : workloads) names.push_back(WorkloadName(workload));
    std::sort(names.begin(), names.end());
    return names;
  }

  const DiffResults& results() const { return results_; }

 private:
  WordedRow Worded(const ChangeRow& row) const {
    WordedRow worded{.row = &row};
    worded.from = row.own_node != 0 ? std::vector<std::string>{OwnNode(row.own_node)}
                                    : namer_.Labels(Ends(row.from, row));
    worded.to = namer_.Labels(Ends(row.to, row));
    worded.ports = analysis::ToString(results_.ports.Get(row.ports)) + FamilyNote(row.families);
    for (const CausePart& cause : row.causes) worded.because.push_back(CauseText(cause));
    if (row.by == ChangedBy::kPresence) {
      worded.because.emplace_back(row.kind == ChangeKind::kAllowed ? "one of them is new"
                                                                   : "one of them is gone");
    }
    if (row.witness) {
      const size_t side = row.kind == ChangeKind::kAllowed ? 1 : 0;
      worded.witness = ToString(row.witness->src[side]) + " -> " +
                       ToString(row.witness->dst[side]) + " " +
                       PortText(row.witness->protocol, row.witness->port);
    }
    return worded;
  }

  const DiffResults& results_;
  analysis::EndNamer namer_;
};

std::string JoinAll(const std::vector<std::string>& texts, std::string_view between) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += between;
    out += text;
  }
  return out;
}

std::string NameOr(const AddressNames& names, const IpAddress& address) {
  const std::string_view pod = names.PodOf(address);
  return pod.empty() ? ToString(address) : std::string(pod);
}

std::vector<std::string> FlowCells(const ChangedFlow& flow, const AddressNames& names) {
  const bool known = flow.key.family != 0;
  return {known ? NameOr(names, SourceOf(flow.key)) : "-",
          known ? NameOr(names, DestinationOf(flow.key)) : "-",
          ProtocolName(flow.key.protocol),
          HasPorts(flow.key.protocol) ? std::to_string(flow.key.dst_port) : "-",
          flow.now_allowed ? "denied" : "allowed",
          flow.now_allowed ? "allowed" : "denied",
          std::string(Name(flow.reason)),
          std::to_string(flow.packets),
          std::to_string(flow.bytes)};
}

std::string TraceTable(const DiffResults& results) {
  const TraceDifference& trace = *results.trace;
  Table table({"SOURCE", "DESTINATION", "PROTO", ">PORT", "BEFORE", "AFTER", "REASON", ">PACKETS",
               ">BYTES"});
  const size_t shown = std::min(trace.flows.size(), kFlowsShown);
  for (size_t i = 0; i < shown; ++i) table.AddRow(FlowCells(trace.flows[i], results.names));
  std::string out = trace.flows.empty() ? "" : "\n" + table.Text();
  if (shown < trace.flows.size()) {
    out += "and " + std::to_string(trace.flows.size() - shown) + " more flows (-o json has them)\n";
  }
  if (trace.beyond_flows > 0) {
    out += "and " + std::to_string(trace.beyond_flows) + " packets of flows beyond the first " +
           std::to_string(TraceDifference::kFlowsMax) + "\n";
  }
  return out;
}

std::string JsonNames(const analysis::Scene& scene, const std::vector<uint32_t>& workloads) {
  std::string out = "[";
  for (const uint32_t index : workloads) {
    const analysis::Workload& workload = scene.workloads()[index];
    out += (out.size() > 1 ? "," : "");
    out += "{\"namespace\":" + JsonString(workload.ns) + ",\"name\":" + JsonString(workload.name) +
           ",\"workload_kind\":" + JsonString(workload.kind) + "}";
  }
  return out + "]";
}

std::string JsonCause(const Report& report, const CausePart& cause) {
  std::string out = "{\"role\":" + JsonString(Name(cause.role)) + ",\"direction\":" +
                    (cause.direction == Direction::kIngress ? "\"ingress\"" : "\"egress\"") +
                    ",\"side\":" + (cause.side() == 0 ? "\"old\"" : "\"new\"");
  if (!cause.policy.empty()) out += ",\"policy\":" + JsonString(cause.policy);
  if (cause.rule) {
    out += ",\"kind\":" + JsonString(Name(cause.rule->kind)) +
           ",\"rule\":" + std::to_string(cause.rule->rule) +
           ",\"path\":" + JsonString(cause.rule->FieldPath());
  }
  if (!cause.detail.empty()) out += ",\"missed\":" + JsonString(cause.detail);
  const Place place = report.PlaceOf(cause);
  if (!place.file.empty()) {
    out += ",\"file\":" + JsonString(place.file) + ",\"line\":" + std::to_string(place.line);
  }
  return out + "}";
}

std::string JsonWitness(const analysis::ChangeWitness& witness) {
  std::string out = "{";
  for (const size_t side : {0, 1}) {
    out += side == 0 ? "\"old\":" : ",\"new\":";
    out += "{\"src\":" + JsonString(ToString(witness.src[side])) +
           ",\"dst\":" + JsonString(ToString(witness.dst[side])) + "}";
  }
  out += ",\"proto\":" + JsonString(ProtocolName(witness.protocol));
  if (HasPorts(witness.protocol)) out += ",\"dst_port\":" + std::to_string(witness.port);
  return out + "}";
}

std::string JsonRow(const Report& report, const WordedRow& worded) {
  constexpr std::string_view kBy[] = {"egress", "ingress", "both", "presence"};
  const ChangeRow& row = *worded.row;
  const analysis::Scene& scene = report.results().scene;
  std::string out = "{\"change\":" + JsonString(Word(row.kind)) +
                    ",\"by\":" + JsonString(kBy[static_cast<size_t>(row.by)]) +
                    ",\"from\":" + JsonEnds(scene, report.Ends(row.from, row)) +
                    ",\"to\":" + JsonEnds(scene, report.Ends(row.to, row));
  if (row.own_node != 0) out += ",\"own_node\":" + JsonString(OwnNode(row.own_node));
  const analysis::PortSet& ports = report.results().ports.Get(row.ports);
  out += ",\"ports\":" + JsonString(analysis::ToString(ports)) +
         ",\"changed\":" + JsonPorts(ports) + JsonFamily(row.families) + ",\"causes\":[";
  for (const CausePart& cause : row.causes) {
    out += (&cause == &row.causes.front() ? "" : ",") + JsonCause(report, cause);
  }
  out += "]";
  if (row.witness) out += ",\"witness\":" + JsonWitness(*row.witness);
  return out + "}";
}

std::string JsonFlows(const DiffResults& results) {
  const TraceDifference& trace = *results.trace;
  std::string out = ",\"packets\":" + std::to_string(trace.packets) +
                    ",\"changed_packets\":" + std::to_string(trace.changed_packets) +
                    ",\"packets_beyond_flows\":" + std::to_string(trace.beyond_flows) +
                    ",\"flows\":[";
  for (const ChangedFlow& flow : trace.flows) {
    out += &flow == &trace.flows.front() ? "\n{" : ",\n{";
    if (flow.key.family != 0) {
      out += "\"src\":" + JsonString(ToString(SourceOf(flow.key))) +
             ",\"dst\":" + JsonString(ToString(DestinationOf(flow.key))) + ",";
    }
    out += "\"proto\":" + JsonString(ProtocolName(flow.key.protocol));
    if (HasPorts(flow.key.protocol)) out += ",\"dst_port\":" + std::to_string(flow.key.dst_port);
    out += ",\"change\":" + JsonString(flow.now_allowed ? "allowed" : "denied") +
           ",\"reason\":" + JsonString(Name(flow.reason)) +
           ",\"packets\":" + std::to_string(flow.packets) +
           ",\"bytes\":" + std::to_string(flow.bytes) +
           ",\"first_packet\":" + std::to_string(flow.first_packet) + "}";
  }
  return out + "]";
}

std::string Sentence(const WordedRow& row) {
  std::string text = std::string("newly ") + Word(row.row->kind) + ": " +
                     JoinSome(row.from, kNamesShown) + " to " + JoinSome(row.to, kNamesShown) +
                     ", " + row.ports;
  if (!row.because.empty()) text += "; " + JoinAll(row.because, "; ");
  if (!row.witness.empty()) text += "; for example " + row.witness;
  return text;
}

SarifLocation LocationOf(const Report& report, const CausePart& cause) {
  const Place place = report.PlaceOf(cause);
  SarifLocation location{.file = place.file, .line = place.line};
  if (cause.policy.empty()) return location;
  location.object =
      std::string(cause.rule ? Name(cause.rule->kind) : "NetworkPolicy") + " " + cause.policy;
  if (cause.rule) location.field = cause.rule->FieldPath();
  location.message = std::string(Name(cause.role));
  return location;
}

}  // namespace

std::string DiffTable(const DiffResults& results) {
  const Report report(results);
  std::string out;
  const auto names = [&](const char* what, const std::vector<uint32_t>& workloads) {
    if (workloads.empty()) return;
    out += std::string(what) + "  " + JoinSome(report.WorkloadNames(workloads), kNamesShown) + "\n";
  };
  names("added  ", results.difference.added);
  names("removed", results.difference.removed);
  for (const WordedRow& row : report.Rows()) {
    out += std::string(row.row->kind == ChangeKind::kAllowed ? "allowed" : "denied ") + "  " +
           JoinSome(row.from, kNamesShown) + " -> " + JoinSome(row.to, kNamesShown) + "  " +
           row.ports + "\n";
    for (const std::string& because : row.because) out += "           " + because + "\n";
    if (!row.witness.empty()) out += "           for example " + row.witness + "\n";
  }
  return results.trace ? out + TraceTable(results) : out;
}

std::string DiffMarkdown(const DiffResults& results) {
  const Report report(results);
  std::string out;
  const auto names = [&](const char* what, const std::vector<uint32_t>& workloads) {
    if (workloads.empty()) return;
    out += std::string(what) + JoinAll(report.WorkloadNames(workloads), ", ") + "\n\n";
  };
  names("Workloads added: ", results.difference.added);
  names("Workloads removed: ", results.difference.removed);
  const std::vector<WordedRow> rows = report.Rows();
  if (rows.empty()) out += "No connection is newly allowed or denied.\n";
  if (!rows.empty()) {
    out +=
        MarkdownRow({"newly", "from", "to", "ports", "because", "for example"}) + MarkdownRule(6);
  }
  for (const WordedRow& row : rows) {
    out += MarkdownRow({Word(row.row->kind), JoinAll(row.from, ", "), JoinAll(row.to, ", "),
                        row.ports, JoinAll(row.because, "; "), row.witness});
  }
  if (!results.trace || results.trace->flows.empty()) return out;
  out += "\n" +
         MarkdownRow({"source", "destination", "proto", "port", "before", "after", "reason",
                      "packets", "bytes"}) +
         MarkdownRule(9);
  for (const ChangedFlow& flow : results.trace->flows) {
    out += MarkdownRow(FlowCells(flow, results.names));
  }
  return out;
}

std::string DiffJson(const DiffResults& results) {
  const Report report(results);
  std::string out = "{\"added\":" + JsonNames(results.scene, results.difference.added) +
                    ",\"removed\":" + JsonNames(results.scene, results.difference.removed) +
                    ",\"changes\":[";
  const std::vector<WordedRow> rows = report.Rows();
  for (const WordedRow& row : rows) {
    out += (&row == &rows.front() ? "\n" : ",\n") + JsonRow(report, row);
  }
  out += "]";
  if (results.trace) out += JsonFlows(results);
  return out + "}\n";
}

std::string DiffSarif(const DiffResults& results) {
  const Report report(results);
  SarifLog log({.name = "npf diff", .version = std::string(kLibraryVersion)},
               {{.id = "newly-allowed",
                 .title = "The change allows connections that were denied.",
                 .page = "diff.md#newly-allowed",
                 .level = SarifLevel::kWarning},
                {.id = "newly-denied",
                 .title = "The change denies connections that were allowed.",
                 .page = "diff.md#newly-denied",
                 .level = SarifLevel::kWarning}});
  for (const WordedRow& row : report.Rows()) {
    SarifResult result;
    result.rule = row.row->kind == ChangeKind::kAllowed ? 0 : 1;
    result.message = Sentence(row);
    result.key = JoinAll(row.from, ",") + " " + JoinAll(row.to, ",") + " " + row.ports;
    for (const CausePart& cause : row.row->causes) {
      SarifLocation location = LocationOf(report, cause);
      if (&cause == &row.row->causes.front()) {
        result.location = location;
        result.location.message.clear();
      } else {
        result.related.push_back(std::move(location));
      }
    }
    log.Add(result);
  }
  return log.Text();
}

}  // namespace npf::tools
