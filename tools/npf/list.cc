// `npf list`: who can reach whom, by workload, and with --exposure what is open beyond what is
// known. The rows are analysis/listing.h's; here they are written.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/ends.h"
#include "analysis/entrances.h"
#include "analysis/exposure.h"
#include "analysis/listing.h"
#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/csv.h"
#include "npf/end_choice.h"
#include "npf/end_json.h"
#include "npf/exit_status.h"
#include "npf/judge_flags.h"
#include "npf/list_entrances.h"
#include "npf/list_html.h"
#include "npf/markdown.h"
#include "npf/output.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

using analysis::End;
using analysis::EndKind;
using analysis::EndNamer;
using analysis::ExposureRow;
using analysis::ListingRow;
using analysis::OpenTo;

struct ListFlags {
  InputFlags input;
  JudgeFlags judge;
  std::vector<std::string> from;
  std::vector<std::string> to;
  bool exposure = false;
  bool own_node = false;
  bool services = false;
  std::string output = "table";
};

constexpr size_t kNamesShown = 6;  // of one end of a row, in tables

// Rows for people: the ends as labels.
struct TextRow {
  std::vector<std::string> from;
  std::vector<std::string> to;
  std::string ports;
  auto operator<=>(const TextRow&) const = default;
};

class ListWriter {
 public:
  ListWriter(const ListFlags& flags, const analysis::Scene& scene, analysis::PortSets& ports)
      : flags_(flags), scene_(scene), ports_(ports), namer_(scene) {}

  void WriteListing(const analysis::Listing& listing) const {
    if (flags_.output == "csv") return WriteCsv(listing);
    if (flags_.output == "json") return WriteJson(listing);
    const std::vector<TextRow> rows = TextRows(listing);
    if (flags_.output == "dot") return WriteDot(rows);
    Table table({"FROM", "TO", "PORTS"});
    std::string markdown = MarkdownRow({"from", "to", "ports"}) + MarkdownRule(3);
    for (const TextRow& row : rows) {
      table.AddRow({JoinSome(row.from, kNamesShown), JoinSome(row.to, kNamesShown), row.ports});
      markdown += MarkdownRow(
          {JoinSome(row.from, row.from.size()), JoinSome(row.to, row.to.size()), row.ports});
    }
    WriteOut(flags_.output == "md" ? markdown : table.Text());
  }

  void WriteServices(const std::vector<analysis::EntranceRow>& services) const {
    if (flags_.output == "json") {
      WriteOut("{\"services\":" + JsonEntrances(scene_, ports_, services) + "}\n");
      return;
    }
    const size_t shown = flags_.output == "table" ? kNamesShown : SIZE_MAX;
    WriteRows({"from", "service", "to", "ports"}, {"FROM", "SERVICE", "TO", "PORTS"},
              EntranceCells(scene_, ports_, services, shown));
  }

  void WriteExposure(const std::vector<ExposureRow>& exposure,
                     const std::vector<analysis::EntranceRow>& entrances) const {
    if (flags_.output == "json") return WriteExposureJson(exposure, entrances);
    std::vector<std::vector<std::string>> rows;
    for (const ExposureRow& row : exposure) {
      const std::vector<End> ends = namer_.Of(row.groups, analysis::kBothFamilies);
      const std::string ports = ports_text(row.ports) + FamilyNote(row.families);
      const std::string direction = row.direction == Direction::kIngress ? "ingress" : "egress";
      const std::string peers = PeersText(row);
      if (flags_.output == "csv") {
        for (const End& end : ends) rows.push_back({namer_.Label(end), direction, peers, ports});
      } else {
        const size_t shown = flags_.output == "md" ? ends.size() : kNamesShown;
        rows.push_back({JoinSome(namer_.Labels(ends), shown), direction, peers, ports});
      }
    }
    std::sort(rows.begin(), rows.end());
    const size_t shown = flags_.output == "table" ? kNamesShown : SIZE_MAX;
    for (const auto& cells : EntranceCells(scene_, ports_, entrances, shown)) {
      rows.push_back({cells[2], "ingress", cells[0] + " through Service " + cells[1], cells[3]});
    }
    WriteRows({"workload", "direction", "open_to", "ports"},
              {"WORKLOAD", "DIRECTION", "OPEN TO", "PORTS"}, rows);
  }

 private:
  std::string ports_text(analysis::PortSetId id) const {
    return analysis::ToString(ports_.Get(id));
  }

  void WriteRows(const std::vector<std::string>& columns, const std::vector<std::string>& headers,
                 const std::vector<std::vector<std::string>>& rows) const {
    if (flags_.output == "csv") {
      std::string out = CsvLine(columns);
      for (const auto& row : rows) out += CsvLine(row);
      WriteOut(out);
      return;
    }
    Table table(headers);
    std::string markdown = MarkdownRow(columns) + MarkdownRule(columns.size());
    for (const auto& row : rows) {
      table.AddRow(row);
      markdown += MarkdownRow(row);
    }
    WriteOut(flags_.output == "md" ? markdown : table.Text());
  }

  static std::string CsvLine(const std::vector<std::string>& fields) {
    std::string out;
    for (const std::string& field : fields) {
      if (!out.empty()) out += ',';
      AppendCsvField(field, out);
    }
    return out + "\n";
  }

  std::vector<TextRow> TextRows(const analysis::Listing& listing) const {
    std::vector<TextRow> rows;
    for (const ListingRow& row : listing.rows) {
      const uint8_t families = row.families & FamiliesOf(scene_, row.from, row.to);
      rows.push_back({namer_.Labels(namer_.Of(row.from, families)),
                      namer_.Labels(namer_.Of(row.to, families)),
                      ports_text(row.ports) + FamilyNote(row.families)});
    }
    if (flags_.own_node) {
      for (const analysis::OwnNodeRow& row : listing.own_node) {
        rows.push_back({{"its own node"},
                        namer_.Labels(namer_.Of(row.to, analysis::kBothFamilies)),
                        ports_text(row.ports) + FamilyNote(row.families)});
      }
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  // A pod does not connect to itself; a workload of one pod has nobody else in it.
  bool IsOneselfOnly(const End& from, const End& to) const {
    if (from.kind != EndKind::kWorkload || to.kind != from.kind || from.owner != to.owner) {
      return false;
    }
    return from.pods.size() == 1 && from.pods == to.pods &&
           !scene_.workloads()[from.owner].stands_in;
  }

  void WriteCsv(const analysis::Listing& listing) const {
    WriteOut(CsvLine({"from_kind", "from", "to_kind", "to", "ports", "family"}));
    for (const ListingRow& row : listing.rows) {
      const uint8_t families = row.families & FamiliesOf(scene_, row.from, row.to);
      const std::string ports = ports_text(row.ports);
      const std::string family = row.families == analysis::kBothFamilies ? ""
                                 : row.families == analysis::kIpv4Only   ? "IPv4"
                                                                         : "IPv6";
      const std::vector<End> to = namer_.Of(row.to, families);
      for (const End& source : namer_.Of(row.from, families)) {
        std::string out;
        for (const End& end : to) {
          if (IsOneselfOnly(source, end)) continue;
          out += CsvLine({std::string(Name(source.kind)), namer_.Label(source),
                          std::string(Name(end.kind)), namer_.Label(end), ports, family});
        }
        if (!WriteOut(out)) return;
      }
    }
    if (!flags_.own_node) return;
    for (const analysis::OwnNodeRow& row : listing.own_node) {
      for (const End& end : namer_.Of(row.to, analysis::kBothFamilies)) {
        WriteOut(CsvLine({"own_node", "its own node", std::string(Name(end.kind)),
                          namer_.Label(end), ports_text(row.ports), ""}));
      }
    }
  }

  std::string JsonAllowed(analysis::PortSetId ports, uint8_t families) const {
    return "\"ports\":" + JsonString(ports_text(ports)) +
           ",\"allowed\":" + JsonPorts(ports_.Get(ports)) + JsonFamily(families);
  }

  void WriteJson(const analysis::Listing& listing) const {
    std::string out = "{\"rows\":[";
    for (const ListingRow& row : listing.rows) {
      const uint8_t families = row.families & FamiliesOf(scene_, row.from, row.to);
      out += (&row == &listing.rows.front() ? "\n" : ",\n");
      out += "{\"from\":" + JsonEnds(scene_, namer_.Of(row.from, families)) +
             ",\"to\":" + JsonEnds(scene_, namer_.Of(row.to, families)) + "," +
             JsonAllowed(row.ports, row.families) + "}";
    }
    out += "],\"own_node\":[";
    for (const analysis::OwnNodeRow& row : listing.own_node) {
      out += (&row == &listing.own_node.front() ? "\n" : ",\n");
      out += "{\"to\":" + JsonEnds(scene_, namer_.Of(row.to, analysis::kBothFamilies)) + "," +
             JsonAllowed(row.ports, row.families) + "}";
    }
    WriteOut(out + "]}\n");
  }

  static std::string_view Name(OpenTo open_to) {
    if (open_to == OpenTo::kExternal) return "external";
    return open_to == OpenTo::kEveryNamespace ? "every_namespace" : "new_pods";
  }
  static std::string_view Name(EndKind kind) { return analysis::Name(kind); }

  std::string PeersText(const ExposureRow& row) const {
    if (row.open_to == OpenTo::kEveryNamespace) return "any pod of every namespace";
    const uint8_t families = row.families & FamiliesOf(scene_, row.groups, row.peers);
    return JoinSome(namer_.Labels(namer_.Of(row.peers, families)), kNamesShown);
  }

  void WriteExposureJson(const std::vector<ExposureRow>& exposure,
                         const std::vector<analysis::EntranceRow>& entrances) const {
    std::string out = "{\"exposure\":[";
    for (const ExposureRow& row : exposure) {
      const uint8_t families = row.families & FamiliesOf(scene_, row.groups, row.peers);
      out += (&row == &exposure.front() ? "\n" : ",\n");
      out += "{\"workloads\":" + JsonEnds(scene_, namer_.Of(row.groups, families)) +
             ",\"direction\":" +
             (row.direction == Direction::kIngress ? "\"ingress\"" : "\"egress\"") +
             ",\"open_to\":" + JsonString(Name(row.open_to));
      if (row.open_to != OpenTo::kEveryNamespace) {
        out += ",\"peers\":" + JsonEnds(scene_, namer_.Of(row.peers, families));
      }
      out += "," + JsonAllowed(row.ports, row.families) + "}";
    }
    WriteOut(out + "],\"services\":" + JsonEntrances(scene_, ports_, entrances) + "}\n");
  }

  static void WriteDot(const std::vector<TextRow>& rows) {
    std::string out = "digraph npf {\n  rankdir=LR;\n  node [shape=box];\n";
    for (const TextRow& row : rows) {
      for (const std::string& from : row.from) {
        for (const std::string& to : row.to) {
          out += "  " + JsonString(from) + " -> " + JsonString(to) +
                 " [label=" + JsonString(row.ports) + "];\n";
        }
      }
    }
    WriteOut(out + "}\n");
  }

  const ListFlags& flags_;
  const analysis::Scene& scene_;
  analysis::PortSets& ports_;
  EndNamer namer_;
};

int RunList(const ListFlags& flags) {
  if ((flags.exposure || flags.services) && (flags.output == "dot" || flags.output == "html")) {
    throw BadUsage("--exposure, --services: -o table, csv, json or md; html has both");
  }
  const bool html = flags.output == "html";
  InputFlags input = flags.input;
  input.assume_addresses = true;
  input.new_pods = flags.exposure || html;
  const CompiledInput compiled = CompileInput(input);
  if (!compiled.program) return compiled.exit_status;
  const Snapshot& snapshot = *compiled.input.snapshot;
  const auto choose = [&](const char* option, const std::vector<std::string>& texts) {
    return ChooseEnds(option, texts, input.default_namespace, snapshot, *compiled.program);
  };
  const analysis::Scene scene({{*compiled.program, snapshot}},
                              {choose("--from", flags.from), choose("--to", flags.to)});
  analysis::PortSets ports;
  analysis::Connectivity side(*compiled.program, ToClassifyOptions(flags.judge), ports);
  const ListWriter writer(flags, scene, ports);
  if (html) {
    const analysis::Listing listing = analysis::ListConnections(scene, side, ports);
    const auto entrances = analysis::ListEntrances(scene, side, ports);
    const auto exposure = analysis::ListExposure(scene, side, ports);
    WriteOut(ListHtml({scene, side, ports, listing, entrances, exposure}));
  } else if (flags.services) {
    writer.WriteServices(analysis::ListServices(scene, side, ports));
  } else if (flags.exposure) {
    writer.WriteExposure(analysis::ListExposure(scene, side, ports),
                         analysis::ListEntrances(scene, side, ports));
  } else {
    writer.WriteListing(analysis::ListConnections(scene, side, ports));
  }
  return kExitDone;
}

}  // namespace

void AddListVerb(CommandLine& line) {
  Verb verb = line.AddVerb("list", "who can reach whom, by workload");
  auto flags = std::make_shared<ListFlags>();
  AddInputFlags(verb, flags->input);
  AddJudgeFlags(verb, flags->judge);
  verb.AddTexts("--from", flags->from,
                "only these sources: " + std::string(kEndForms) + "; repeatable");
  verb.AddTexts("--to", flags->to, "only these destinations, in the same forms; repeatable");
  verb.AddFlag("--exposure", flags->exposure,
               "what is open to addresses outside, to every namespace, to pods not there yet, and "
               "through Services and Ingresses");
  verb.AddFlag("--services", flags->services,
               "who reaches which Service, on which ports of the pods behind it");
  verb.AddFlag("--own-node", flags->own_node,
               "also what a pod's own node may beyond other nodes; json always has it");
  verb.AddChoice("-o,--output", flags->output, {"table", "csv", "json", "md", "dot", "html"},
                 "table, csv (a line for each pair), json, md, dot or html (one page)");
  verb.SetFooter(
      "Example:\n"
      "  npf list -f policies/ -f cluster.yaml\n"
      "  npf list -f policies/ -f cluster.yaml --to shop/postgres\n"
      "  npf list -f policies/ -f cluster.yaml --exposure\n"
      "  npf list -f policies/ -f cluster.yaml -o dot | dot -Tsvg > reach.svg");
  verb.OnRun([flags] { return RunList(*flags); });
}

}  // namespace npf::tools
