// `npf load -f PATH...`: the objects of these files, and no others, are what an appliance enforces.
//
// The files are read here, so the appliance need not be able to, and go over as one text.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "load/files.h"
#include "npf/command_line.h"
#include "npf/diagnostics.h"
#include "npf/exit_status.h"
#include "npf/input.h"
#include "npf/live.h"
#include "npf/output.h"
#include "npf/revision.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

constexpr size_t kTextBytesMax = (size_t{64} << 20) - 4096;  // what a request may have

struct LoadFlags {
  std::string socket;
  std::vector<std::string> paths;
  bool git = false;
  std::string confirm;
  uint64_t generation = 0;  // to confirm; 0: none
  bool would_cut = false;
  std::string output = "table";
};

// The files, one document after the other.
class JoinedText {
 public:
  // False where one of them cannot be read, which is told; `exit_status` says how to end.
  bool Add(const std::string& path, bool git) {
    if (git && IsRevisionPath(path)) return AddRevision(path);
    load::FileKind kind = load::FileKind::kFile;
    load::FileFault fault = load::KindOfFile(path, kind);
    std::vector<std::string> files = {path};
    if (fault.ok() && kind == load::FileKind::kDirectory) {
      files.clear();
      fault = load::ListDirectory(path, files);
    }
    if (!fault.ok()) return Tell(path, fault);
    for (const std::string& file : files) {
      if (!AddFile(file)) return false;
    }
    return true;
  }

  const std::string& text() const { return text_; }
  int exit_status() const { return exit_status_; }

  // Where the appliance names lines of the text, which files they are of.
  void TellPlaces() const {
    if (places_.size() < 2) return;
    for (size_t i = 0; i < places_.size(); ++i) {
      const size_t end = i + 1 < places_.size() ? places_[i + 1].line - 2 : line_ - 1;
      PrintError("lines " + std::to_string(places_[i].line) + " to " + std::to_string(end) +
                 " of the text are " + EscapeForMessage(places_[i].file, kFileNameBytesMax));
    }
  }

 private:
  struct Place {
    std::string file;
    size_t line = 0;
  };

  bool Tell(const std::string& path, const load::FileFault& fault) {
    PrintError(EscapeForMessage(path, kFileNameBytesMax) + ": " + fault.detail);
    exit_status_ = fault.type == "Unreadable"      ? kExitEnvironment
                   : fault.type == "LimitExceeded" ? kExitLimit
                                                   : kExitBadInput;
    return false;
  }

  bool AddRevision(const std::string& path) {
    RevisionFiles revision;
    const load::FileFault fault = ReadRevision(path, kTextBytesMax, revision);
    if (!fault.ok()) return Tell(path, fault);
    for (NamedText& file : revision.files) {
      if (!AddText(file.name, std::move(file.text))) return false;
    }
    return true;
  }

  bool AddFile(const std::string& path) {
    std::string text;
    const load::FileFault fault = load::ReadWhole(path, kTextBytesMax, text);
    return fault.ok() ? AddText(path, std::move(text)) : Tell(path, fault);
  }

  bool AddText(const std::string& path, std::string text) {
    if (const load::FileFault fault = load::Unpack(kTextBytesMax, text); !fault.ok()) {
      return Tell(path, fault);
    }
    if (text_.size() + text.size() + 5 > kTextBytesMax) {
      return Tell(path, {"LimitExceeded", "with the files before it, more than 64 MiB"});
    }
    if (!places_.empty()) Append("---\n");
    places_.push_back({.file = path, .line = line_});
    Append(text);
    if (!text.empty() && text.back() != '\n') Append("\n");
    return true;
  }

  void Append(std::string_view text) {
    text_ += text;
    for (const char c : text) line_ += c == '\n' ? 1 : 0;
  }

  std::string text_;
  std::vector<Place> places_;
  size_t line_ = 1;
  int exit_status_ = kExitDone;
};

std::string ResultText(const control::LoadResult& result, const LoadFlags& flags) {
  if (flags.output == "json") {
    std::string warnings;
    for (const std::string& warning : result.warnings) {
      warnings += (warnings.empty() ? "" : ",") + JsonString(warning);
    }
    return "{\"generation\":" + std::to_string(result.generation) +
           ",\"policy_hash\":" + JsonString(result.policy_hash) +
           ",\"pods\":" + std::to_string(result.pods) +
           ",\"policies\":" + std::to_string(result.policies) +
           ",\"compile_ns\":" + std::to_string(result.compile_ns) + ",\"warnings\":[" + warnings +
           "]}\n";
  }
  std::string text = "generation " + std::to_string(result.generation) + ": " +
                     std::to_string(result.policies) + " policies, " + std::to_string(result.pods) +
                     " pods, hash " + Shown(result.policy_hash) + ", compiled in " +
                     DurationText(result.compile_ns) + "\n";
  if (!flags.confirm.empty()) {
    text += "taken back in " + flags.confirm + " unless confirmed: npf load --confirm-generation " +
            std::to_string(result.generation) + "\n";
  }
  return text;
}

int RunWouldCut(control::ControlClient& client, const control::LoadRequest& request,
                const JoinedText& joined, const LoadFlags& flags) {
  const auto found = client.WouldCut(request, 100'000);
  if (!found.ok()) {
    joined.TellPlaces();
    return ReportLive(found.status());
  }
  WriteOut(flags.output == "json" ? ConnectionJson(*found) : ConnectionTable(*found));
  return found->empty() ? kExitDone : kExitDenied;
}

int RunConfirm(const LoadFlags& flags) {
  const auto client = ConnectLive(flags.socket);
  if (client == nullptr) return kExitEnvironment;
  const absl::Status done = client->Confirm(static_cast<uint32_t>(flags.generation));
  if (!done.ok()) return ReportLive(done);
  const std::string number = std::to_string(flags.generation);
  WriteOut(flags.output == "json" ? "{\"confirmed\":" + number + "}\n"
                                  : "generation " + number + " is confirmed\n");
  return kExitDone;
}

int RunLoad(const LoadFlags& flags) {
  if (flags.paths.empty() == (flags.generation == 0)) {
    throw BadUsage("give either --file or --confirm-generation");
  }
  if (flags.generation != 0) return RunConfirm(flags);
  JoinedText joined;
  for (const std::string& path : flags.paths) {
    if (!joined.Add(path, flags.git)) return joined.exit_status();
  }
  if (joined.text().empty()) {
    PrintError("there is nothing in these files; the appliance keeps what it has");
    return kExitBadInput;
  }
  const auto client = ConnectLive(flags.socket);
  if (client == nullptr) return kExitEnvironment;
  control::LoadRequest request;
  request.text = joined.text();
  if (!flags.confirm.empty()) request.confirm_ns = *ParseDuration(flags.confirm);
  if (flags.would_cut) return RunWouldCut(*client, request, joined, flags);
  const auto result = client->Load(request);
  if (!result.ok()) {
    if (result.status().code() == absl::StatusCode::kInvalidArgument) joined.TellPlaces();
    return ReportLive(result.status());
  }
  for (const std::string& warning : result->warnings) PrintError(Shown(warning));
  WriteOut(ResultText(*result, flags));
  return kExitDone;
}

}  // namespace

void AddLoadVerb(CommandLine& line) {
  Verb verb = line.AddVerb("load", "give a running appliance other objects, all at once");
  auto flags = std::make_shared<LoadFlags>();
  AddSocketFlag(verb, flags->socket);
  verb.AddTexts("-f,--file", flags->paths,
                "a file or directory of Kubernetes objects, or - for standard input; repeatable")
      .Type("PATH");
  AddGitFlag(verb, flags->git);
  verb.AddText("--confirm", flags->confirm, "take it back unless it is confirmed in this time")
      .Check(CheckDuration, "TIME");
  verb.AddNumber("--confirm-generation", flags->generation, {.min = 1, .max = UINT32_MAX},
                 "confirm that generation, and load nothing");
  verb.AddFlag("--would-cut", flags->would_cut,
               "load nothing; list the connections that would end (status 1 where there are any)");
  verb.AddChoice("-o,--output", flags->output, {"table", "json"}, "table or json");
  verb.SetFooter(
      "Needs uid 0 or the appliance's own. Where the objects are wrong nothing changes; status 3.\n"
      "\nExample:\n"
      "  npf load -f policies.yaml -f cluster.yaml --confirm 60s\n"
      "  npf load --confirm-generation 7");
  verb.OnRun([flags] { return RunLoad(*flags); });
}

}  // namespace npf::tools
