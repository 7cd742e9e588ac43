// `npf eval --traffic FILE`: a verdict for every row of a CSV file.
//
// Rows are streamed: a batch is read, judged by one call of Classify, and written, so that a file
// of any length needs the memory of one batch. A row that cannot be judged ends the output behind
// the rows before it; the rest of the file is still read, so that every bad row is told.
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "npf/classify.h"
#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/csv.h"
#include "npf/exit_status.h"
#include "npf/judge_flags.h"
#include "npf/output.h"
#include "npf/protocol.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

struct EvalFlags {
  InputFlags input;
  JudgeFlags judge;
  std::string traffic;
};

constexpr size_t kBatch = 1024;
constexpr size_t kErrorsShown = 50;
constexpr std::array<std::string_view, 4> kInputColumns = {"src_ip", "dst_ip", "proto", "dst_port"};
constexpr std::array<std::string_view, 4> kOutputColumns = {"verdict", "egress", "ingress",
                                                            "reason"};

struct Row {
  std::vector<std::string> fields;
  FlowKey key{};
  bool link_control = false;
};

class Evaluator {
 public:
  Evaluator(const EvalFlags& flags, const Program& program)
      : name_(flags.traffic), program_(program), options_(ToClassifyOptions(flags.judge)) {}

  int Run() {
    const std::unique_ptr<CsvReader> reader = CsvReader::Open(name_);
    if (reader == nullptr) {
      PrintError(name_ + ": " + std::strerror(errno));
      return kExitEnvironment;
    }
    std::vector<std::string> fields;
    CsvReader::Outcome outcome = reader->Next(fields);
    if (outcome == CsvReader::Outcome::kEnd) {
      Fail(1, "no header; the columns src_ip, dst_ip, proto and dst_port are needed");
    } else if (outcome == CsvReader::Outcome::kRecord) {
      ReadHeader(fields, reader->line());
      while ((outcome = reader->Next(fields)) == CsvReader::Outcome::kRecord ||
             outcome == CsvReader::Outcome::kBadRecord) {
        if (outcome == CsvReader::Outcome::kBadRecord) {
          Fail(reader->line(), reader->error());
        } else if (header_ok_) {
          ReadRow(std::move(fields), reader->line());
        }
        if (!written_) return kExitEnvironment;
      }
    }
    if (outcome == CsvReader::Outcome::kBroken || outcome == CsvReader::Outcome::kBadRecord) {
      Fail(reader->line(), reader->error());
    }
    Flush();
    if (errors_ > kErrorsShown) {
      PrintError(name_ + ": and " + std::to_string(errors_ - kErrorsShown) + " more errors");
    }
    return errors_ == 0 ? kExitDone : kExitBadInput;
  }

 private:
  void Fail(uint64_t line, std::string_view what) {
    if (++errors_ <= kErrorsShown) {
      PrintError(name_ + ":" + std::to_string(line) + ": " + std::string(what));
    }
  }

  void ReadHeader(std::vector<std::string>& header, uint64_t line) {
    if (header[0].starts_with("\xef\xbb\xbf")) header[0].erase(0, 3);
    const auto find = [&](std::string_view name) -> std::optional<size_t> {
      std::optional<size_t> found;
      for (size_t i = 0; i < header.size(); ++i) {
        if (header[i] != name) continue;
        if (found) Fail(line, "the column " + std::string(name) + " stands twice in the header");
        found = i;
      }
      return found;
    };
    for (size_t i = 0; i < kInputColumns.size(); ++i) {
      const auto column = find(kInputColumns[i]);
      if (!column) {
        Fail(line, "no column " + std::string(kInputColumns[i]) +
                       " in the header; src_ip, dst_ip, proto and dst_port are needed");
      }
      input_[i] = column.value_or(0);
    }
    columns_ = header.size();
    for (size_t i = 0; i < kOutputColumns.size(); ++i) {
      const auto column = find(kOutputColumns[i]);
      output_[i] = column.value_or(header.size());
      if (!column) header.emplace_back(kOutputColumns[i]);
    }
    header_ok_ = errors_ == 0;
    if (header_ok_) Append(header);
  }

  void ReadRow(std::vector<std::string> fields, uint64_t line) {
    if (fields.size() != columns_) {
      Fail(line,
           std::to_string(fields.size()) + " fields; the header has " + std::to_string(columns_));
      return;
    }
    Row row;
    if (!MakeKey(fields, line, row) || errors_ > 0) return;
    row.fields = std::move(fields);
    rows_.push_back(std::move(row));
    if (rows_.size() == kBatch) Flush();
  }

  bool MakeKey(const std::vector<std::string>& fields, uint64_t line, Row& row) {
    const size_t errors_before = errors_;
    const auto field = [&](size_t i) -> const std::string& { return fields[input_[i]]; };
    const auto wrong = [&](size_t i, std::string_view allowed) {
      Fail(line, std::string(kInputColumns[i]) + ": not valid (\"" + EscapeForMessage(field(i)) +
                     "\"); " + std::string(allowed));
    };
    const auto src = ParseIpAddress(field(0));
    if (!src) wrong(0, "an IPv4 or IPv6 address is needed");
    const auto dst = ParseIpAddress(field(1));
    if (!dst) wrong(1, "an IPv4 or IPv6 address is needed");
    const auto protocol = ParseProtocol(field(2));
    if (!protocol) wrong(2, kProtocolForms);
    std::optional<uint32_t> port = 0;
    if (protocol && HasPorts(protocol->number)) {
      port = ParseNumber(field(3), 65535);
      if (!port) wrong(3, "a number from 0 to 65535 is needed for TCP, UDP and SCTP");
    } else if (protocol && !field(3).empty() && field(3) != "0") {
      wrong(3, "only TCP, UDP and SCTP have ports; leave it empty");
    }
    if (src && dst && src->family != dst->family) {
      Fail(line, "src_ip and dst_ip are of different families");
    }
    if (errors_ != errors_before) return false;
    row.key = MakeFlowKey(*src, *dst, protocol->number, static_cast<uint16_t>(*port));
    row.link_control = IsLinkControl(*protocol, *src);
    return true;
  }

  void Flush() {
    std::vector<FlowKey> keys;
    keys.reserve(rows_.size());
    for (const Row& row : rows_) keys.push_back(row.key);
    std::vector<Verdict> verdicts(rows_.size());
    Classify(program_, options_, keys, verdicts);
    for (size_t i = 0; i < rows_.size(); ++i) {
      Row& row = rows_[i];
      if (row.link_control) {
        verdicts[i].allowed = 1;
        verdicts[i].directions = kIngressAllowed | kEgressAllowed;
        verdicts[i].reason = static_cast<uint8_t>(Reason::kLinkControl);
      }
      SetOutput(verdicts[i], row.fields);
      Append(row.fields);
    }
    rows_.clear();
    if (!WriteOut(text_)) written_ = false;
    text_.clear();
  }

  void SetOutput(const Verdict& verdict, std::vector<std::string>& fields) const {
    const auto word = [](bool allowed) { return allowed ? "allow" : "deny"; };
    const std::array<std::string_view, 4> values = {
        word(verdict.allowed != 0), word((verdict.directions & kEgressAllowed) != 0),
        word((verdict.directions & kIngressAllowed) != 0),
        Name(static_cast<Reason>(verdict.reason))};
    for (size_t i = 0; i < values.size(); ++i) {
      if (output_[i] >= columns_) {
        fields.emplace_back(values[i]);
      } else {
        fields[output_[i]] = values[i];
      }
    }
  }

  void Append(const std::vector<std::string>& fields) {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) text_ += ',';
      AppendCsvField(fields[i], text_);
    }
    text_ += '\n';
  }

  const std::string name_;
  const Program& program_;
  const ClassifyOptions options_;
  std::array<size_t, 4> input_{};
  std::array<size_t, 4> output_{};  // at or beyond columns_: appended, in order
  size_t columns_ = 0;
  bool header_ok_ = false;
  std::vector<Row> rows_;
  std::string text_;
  size_t errors_ = 0;
  bool written_ = true;
};

int RunEval(const EvalFlags& flags) {
  const CompiledInput compiled = CompileInput(flags.input);
  if (!compiled.program) return compiled.exit_status;
  return Evaluator(flags, *compiled.program).Run();
}

}  // namespace

void AddEvalVerb(CommandLine& line) {
  Verb verb = line.AddVerb("eval", "verdicts for the tuples of a CSV file");
  auto flags = std::make_shared<EvalFlags>();
  AddInputFlags(verb, flags->input);
  AddJudgeFlags(verb, flags->judge);
  verb.AddText("--traffic", flags->traffic,
               "CSV with a header and the columns src_ip,dst_ip,proto,dst_port; .gz and - are read")
      .Required();
  verb.SetFooter(
      "The rows come out in the same order, every column kept, with verdict,egress,ingress,reason\n"
      "added, or replaced where the input has them.\n\n"
      "Example:\n"
      "  printf 'src_ip,dst_ip,proto,dst_port\\n10.0.0.2,10.0.0.3,TCP,5432\\n' |\n"
      "    npf eval -f policies.yaml -f cluster.yaml --traffic -");
  verb.OnRun([flags] { return RunEval(*flags); });
}

}  // namespace npf::tools
