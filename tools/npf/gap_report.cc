#include "npf/gap_report.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/time/time.h"
#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

using gaps::Grade;

constexpr size_t kRowsShown = 50;

enum class Kind : uint8_t { kGap, kNotDelivered, kUnanswered };

Kind KindOf(const GapRow& row) {
  if (!row.denied) return Kind::kUnanswered;
  return row.grade >= Grade::kSuggested ? Kind::kGap : Kind::kNotDelivered;
}

std::string_view Name(Kind kind) {
  return kind == Kind::kGap ? "gap" : kind == Kind::kNotDelivered ? "not_delivered" : "unanswered";
}

std::string TimeText(uint64_t time_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                          absl::FromUnixNanos(static_cast<int64_t>(time_ns)), absl::UTCTimeZone());
}

std::string EndText(const std::string& address, const std::string& pod) {
  return pod.empty() ? address : pod;
}

// The first policy of each direction, and how many there are besides.
std::string DeniedByText(const std::vector<DeniedBy>& denied_by) {
  std::string text;
  std::string_view direction;
  size_t left = 0;
  for (const DeniedBy& by : denied_by) {
    if (by.direction == direction) {
      ++left;
      continue;
    }
    direction = by.direction;
    text += (text.empty() ? "" : ", ") + by.direction + " " + by.policy;
    if (!by.place.file.empty()) text += " " + by.place.file + ":" + std::to_string(by.place.line);
  }
  if (left > 0) text += " and " + std::to_string(left) + " more";
  return text.empty() ? "-" : text;
}

std::string GradeText(const GapRow& row) {
  return std::string(gaps::Name(row.grade)) + (row.note.empty() ? "" : "*");
}

// What tells a row apart for a reader: pods by their names, whichever of their addresses they used.
std::vector<std::string> ShownName(const GapRow& row) {
  return {GradeText(row),
          std::string(gaps::Name(row.evidence)),
          EndText(row.src, row.src_pod),
          EndText(row.dst, row.dst_pod),
          ProtocolName(row.protocol),
          row.has_ports ? std::to_string(row.port) : "-",
          DeniedByText(row.denied_by),
          row.claim.empty() ? "-" : row.claim};
}

// Rows that read the same are one, at the place of the first.
std::vector<GapRow> Merged(const std::vector<const GapRow*>& rows) {
  std::vector<GapRow> merged;
  std::map<std::vector<std::string>, size_t> places;
  for (const GapRow* row : rows) {
    const auto [place, is_new] = places.emplace(ShownName(*row), merged.size());
    if (is_new) {
      merged.push_back(*row);
      continue;
    }
    GapRow& into = merged[place->second];
    into.connections += row->connections;
    into.packets += row->packets;
    into.first_ns = std::min(into.first_ns, row->first_ns);
    into.last_ns = std::max(into.last_ns, row->last_ns);
  }
  return merged;
}

std::vector<std::string> CellsOf(const GapRow& row, bool gap, bool claims) {
  const std::vector<std::string> name = ShownName(row);
  std::vector<std::string> cells(name.begin() + (gap ? 0 : 1), name.begin() + 6);
  cells.push_back(std::to_string(row.connections));
  cells.push_back(std::to_string(row.packets));
  cells.push_back(TimeText(row.first_ns));
  cells.push_back(TimeText(row.last_ns));
  if (gap) cells.push_back(name[6]);
  if (claims) cells.push_back(name[7]);
  return cells;
}

// Rows of one kind, as a table, and how many there are beyond those shown.
std::string RowsTable(const std::vector<const GapRow*>& all, bool gap) {
  const std::vector<GapRow> rows = Merged(all);
  const bool claims =
      std::any_of(rows.begin(), rows.end(), [](const GapRow& row) { return !row.claim.empty(); });
  std::vector<std::string> headers = {"EVIDENCE",     "SOURCE",   "DESTINATION", "PROTO", ">PORT",
                                      ">CONNECTIONS", ">PACKETS", "FIRST",       "LAST"};
  if (gap) headers.insert(headers.begin(), "GRADE");
  if (gap) headers.emplace_back("DENIED BY");
  if (claims) headers.emplace_back("THE LOG SAYS");
  Table table(headers);
  std::set<std::string> notes;
  for (size_t i = 0; i < std::min(rows.size(), kRowsShown); ++i) {
    table.AddRow(CellsOf(rows[i], gap, claims));
    if (!rows[i].note.empty()) notes.insert("* " + rows[i].note + "\n");
  }
  std::string out = table.Text();
  for (const std::string& note : notes) out += note;
  if (rows.size() > kRowsShown) {
    out += "and " + std::to_string(rows.size() - kRowsShown) + " more (-o json has them)\n";
  }
  return out;
}

std::string Of(uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what);
}

std::string SummaryText(const GapCounts& counts) {
  const auto of = [&](Standing standing) { return counts.standing[static_cast<size_t>(standing)]; };
  const auto denied = [&](Grade grade) { return counts.denied[static_cast<size_t>(grade)]; };
  std::string out = "connections that policy denies: " + Of(of(Standing::kDenied), "seen") + "; " +
                    Of(denied(Grade::kProven), "proven delivered") + ", " +
                    Of(denied(Grade::kSuggested), "suggested") + ", " +
                    Of(denied(Grade::kDropped), "likely dropped") + ", " +
                    Of(denied(Grade::kNothing), "seen on their way only") + "\n";
  out += "connections that policy allows: " + Of(of(Standing::kAllowed), "seen") + "; " +
         Of(counts.unanswered, "never answered") + ", " +
         Of(counts.too_late, "unanswered when the evidence ended") + "\n";
  std::string rest;
  for (const auto& [standing, what] :
       {std::pair(Standing::kOutlived, "allowed at first, then denied by a change"),
        std::pair(Standing::kUnclear, "of unclear direction or pods"),
        std::pair(Standing::kService, "to a Service, before translation"),
        std::pair(Standing::kNoPod, "between ends that are no pods"),
        std::pair(Standing::kUnknown, "of ends that the objects do not have"),
        std::pair(Standing::kTooMany, "of names that mean too many pods")}) {
    if (of(standing) > 0) rest += (rest.empty() ? "" : ", ") + Of(of(standing), what);
  }
  if (!rest.empty()) out += "not counted above: " + rest + "\n";
  if (counts.beyond_rows > 0) {
    out += "connections without a row of their own, beyond the first " +
           std::to_string(GapFindings::kRowsMax) + " rows: " + std::to_string(counts.beyond_rows) +
           "\n";
  }
  out += "isolated directions of pods: " + std::to_string(counts.isolated) +
         "; something denied was tried in " + std::to_string(counts.tried) + ", and in the other " +
         std::to_string(counts.isolated - std::min(counts.tried, counts.isolated)) +
         " nothing was, which is no sign of enforcement\n";
  return out;
}

void AppendText(std::string_view name, const std::string& text, std::string& out) {
  if (!text.empty()) out.append(",\"").append(name).append("\":").append(JsonString(text));
}

void AppendNumber(std::string_view name, uint64_t number, std::string& out) {
  out.append(",\"").append(name).append("\":").append(std::to_string(number));
}

std::string DeniedByJson(const std::vector<DeniedBy>& denied_by) {
  std::string out = "[";
  for (const DeniedBy& by : denied_by) {
    out += out.size() == 1 ? "{" : ",{";
    out += "\"direction\":" + JsonString(by.direction) + ",\"kind\":" + JsonString(by.kind);
    AppendText("policy", by.policy, out);
    if (!by.place.file.empty()) {
      AppendText("file", by.place.file, out);
      AppendNumber("line", by.place.line, out);
    }
    out += "}";
  }
  return out + "]";
}

std::string RowJson(const GapRow& row) {
  std::string out = "{\"kind\":\"" + std::string(Name(KindOf(row))) + "\"";
  if (row.denied) AppendText("grade", std::string(gaps::Name(row.grade)), out);
  AppendText("evidence", std::string(gaps::Name(row.evidence)), out);
  AppendText("src", row.src, out);
  AppendText("src_pod", row.src_pod, out);
  AppendText("dst", row.dst, out);
  AppendText("dst_pod", row.dst_pod, out);
  AppendText("proto", ProtocolName(row.protocol), out);
  if (row.has_ports) AppendNumber("dst_port", row.port, out);
  AppendNumber("connections", row.connections, out);
  AppendNumber("packets", row.packets, out);
  AppendNumber("replies", row.replies, out);
  AppendText("first", TimeText(row.first_ns), out);
  AppendText("last", TimeText(row.last_ns), out);
  if (row.denied) out += ",\"denied_by\":" + DeniedByJson(row.denied_by);
  AppendText("denial", row.denial, out);
  AppendText("note", row.note, out);
  AppendText("claim", row.claim, out);
  return out + "}";
}

// Without the opening brace.
std::string SummaryMembers(const GapCounts& counts) {
  std::string out = "\"connections\":{";
  std::string_view comma = "";
  for (size_t i = 0; i < kStandings; ++i) {
    out.append(comma).append("\"").append(Name(static_cast<Standing>(i))).append("\":");
    out += std::to_string(counts.standing[i]);
    comma = ",";
  }
  out += "},\"denied\":{";
  comma = "";
  for (const Grade grade : {Grade::kProven, Grade::kSuggested, Grade::kDropped, Grade::kNothing}) {
    out.append(comma).append("\"").append(gaps::Name(grade)).append("\":");
    out += std::to_string(counts.denied[static_cast<size_t>(grade)]);
    comma = ",";
  }
  out += "}";
  AppendNumber("unanswered", counts.unanswered, out);
  AppendNumber("unanswered_at_end", counts.too_late, out);
  AppendNumber("connections_beyond_rows", counts.beyond_rows, out);
  AppendNumber("isolated_directions", counts.isolated, out);
  AppendNumber("isolated_directions_tried", counts.tried, out);
  return out + "}";
}

std::string RowList(const GapReport& report, Kind kind) {
  std::string out = "[";
  for (const GapRow& row : report.rows) {
    if (KindOf(row) == kind) out += (out.size() == 1 ? "\n" : ",\n") + RowJson(row);
  }
  return out + "]";
}

}  // namespace

std::string GapTable(const GapReport& report) {
  std::vector<const GapRow*> found;
  std::vector<const GapRow*> unanswered;
  for (const GapRow& row : report.rows) {
    const Kind kind = KindOf(row);
    if (kind == Kind::kGap) found.push_back(&row);
    if (kind == Kind::kUnanswered) unanswered.push_back(&row);
  }
  std::string out = found.empty() ? "" : RowsTable(found, true) + "\n";
  if (report.unanswered && !unanswered.empty()) {
    out += "allowed, and never answered:\n" + RowsTable(unanswered, false) + "\n";
  }
  return out + SummaryText(report.counts);
}

std::string GapJson(const GapReport& report) {
  std::string out = "{\"gaps\":" + RowList(report, Kind::kGap);
  out += ",\"not_delivered\":" + RowList(report, Kind::kNotDelivered);
  if (report.unanswered) out += ",\"unanswered\":" + RowList(report, Kind::kUnanswered);
  return out + ",\"summary\":{" + SummaryMembers(report.counts) + "}\n";
}

std::string GapJsonLines(const GapReport& report) {
  std::string out;
  for (const GapRow& row : report.rows) {
    if (row.denied || report.unanswered) out += RowJson(row) + "\n";
  }
  return out + "{\"kind\":\"summary\"," + SummaryMembers(report.counts) + "\n";
}

}  // namespace npf::tools
