// `npf explain SRC DST[:PORT[/PROTO]]`: the verdict, and which line of which file it comes from.
//
// The answer is the library's (npf/explain.h), from the compiled Program. An image has no file
// names and lines; the Snapshot has them, and they are added here.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/exit_status.h"
#include "npf/explain.h"
#include "npf/explain_live.h"
#include "npf/judge_flags.h"
#include "npf/output.h"
#include "npf/question.h"
#include "npf/verbs.h"
#include "npf/why.h"
#include "npf/why_text.h"

namespace npf::tools {
namespace {

struct ExplainFlags {
  InputFlags input;
  JudgeFlags judge;
  std::string src;
  std::string dst;
  std::string output = "table";
  bool prefer_v6 = false;
  ExplainLiveFlags live;
};

// Records are those of docs/verdict.schema.json, as replay writes them too.
std::string JsonParty(std::string_view role, const Party& party) {
  const std::string name = ",\"" + std::string(role);
  std::string out =
      name + "\":" + JsonString(party.address) + name + "_kind\":" + JsonString(party.kind);
  if (party.kind == "pod") out += name + "_pod\":" + JsonString(party.name);
  if (!party.node.empty()) out += name + "_node\":" + JsonString(party.node);
  if (!party.labels.empty()) out += name + "_labels\":" + JsonString(party.labels);
  return out;
}

std::string Json(const Question& question, const Explanation& why, const Places& places) {
  const Verdict& v = why.verdict;
  const QuestionText& text = question.text;
  std::string out = "{\"verdict\":" + JsonString(VerdictWord(v.allowed != 0)) +
                    ",\"reason\":" + JsonString(Name(static_cast<Reason>(v.reason))) +
                    ",\"egress\":" + JsonString(VerdictWord(why.egress.allowed)) +
                    ",\"ingress\":" + JsonString(VerdictWord(why.ingress.allowed)) +
                    JsonParty("src", why.src) + JsonParty("dst", why.dst) +
                    ",\"proto\":" + JsonString(ProtocolName(text.protocol.number));
  if (text.port_given) out += ",\"dst_port\":" + std::to_string(text.port);
  if (text.protocol.icmp_type) {
    out += ",\"icmp_type\":" + std::to_string(*text.protocol.icmp_type);
  }
  return out + ",\"cell\":" + std::to_string(v.cell) +
         ",\"generation\":" + std::to_string(v.generation) + ",\"why\":" + JsonWhy(why, places) +
         "}\n";
}

// Neighbour discovery and MLD are answered as a well-formed packet would be.
void MakeLinkControl(Explanation& why) {
  why.verdict.allowed = 1;
  why.verdict.directions = kIngressAllowed | kEgressAllowed;
  why.verdict.reason = static_cast<uint8_t>(Reason::kLinkControl);
  why.ingress = {};
  why.egress = {};
}

int RunExplain(const ExplainFlags& flags) {
  if (flags.live.live && !flags.input.paths.empty()) {
    throw BadUsage("--live: the appliance has its own objects; leave --file out");
  }
  if (!flags.live.live && flags.input.paths.empty()) throw BadUsage("--file is required");
  const absl::StatusOr<QuestionText> text = ParseQuestion(flags.src, flags.dst);
  if (!text.ok()) {
    ReportStatus(text.status());
    return kExitUsage;
  }
  if (flags.live.live) return RunExplainLive(flags.live, *text, flags.output == "json");
  // A pod that was never started can be asked about by its name, as diff and list speak of it.
  InputFlags input = flags.input;
  input.assume_addresses = !ParseIpAddress(text->src) || !ParseIpAddress(text->dst);
  const CompiledInput compiled = CompileInput(input);
  if (!compiled.program) return compiled.exit_status;
  const Snapshot& snapshot = *compiled.input.snapshot;
  const absl::StatusOr<Question> question =
      ResolveQuestion(*text, snapshot, flags.input.default_namespace, flags.prefer_v6);
  if (!question.ok()) {
    ReportStatus(question.status());
    return kExitUsage;
  }
  const FlowKey key = MakeFlowKey(question->src, question->dst, text->protocol.number, text->port);
  Explanation why = Explain(*compiled.program, ToClassifyOptions(flags.judge), key);
  if (IsLinkControl(text->protocol, question->src)) MakeLinkControl(why);
  const Places places(snapshot);
  WriteOut(flags.output == "json" ? Json(*question, why, places)
                                  : WhyText(question->text, why, places));
  return why.verdict.allowed != 0 ? kExitDone : kExitDenied;
}

}  // namespace

void AddExplainVerb(CommandLine& line) {
  Verb verb = line.AddVerb("explain", "the verdict for one question, and why");
  auto flags = std::make_shared<ExplainFlags>();
  AddInputFlags(verb, flags->input, InputNeed::kOptional);
  AddGitFlag(verb, flags->input.git);
  AddJudgeFlags(verb, flags->judge);
  verb.AddText("SRC", flags->src, "an IP address, NAMESPACE/POD or POD").Required();
  verb.AddText("DST", flags->dst,
               "the same, with :PORT, :PORT/PROTO, :ICMP, :ICMP/TYPE or :/NUMBER; IPv6 in "
               "brackets. Without a port: traffic without ports")
      .Required();
  verb.AddChoice("-o,--output", flags->output, {"table", "json"}, "table or json");
  verb.AddFlag("-6,--ipv6", flags->prefer_v6, "of pods with both, take the IPv6 addresses");
  AddExplainLiveFlags(verb, flags->live);
  verb.SetFooter(
      "Status 0 where it is allowed, 1 where it is denied.\n\n"
      "Example:\n"
      "  npf explain -f policies.yaml -f cluster.yaml shop/frontend shop/postgres:5432\n"
      "  npf explain -f policies.yaml -f cluster.yaml shop/api [2001:db8::1]:53/UDP");
  verb.OnRun([flags] { return RunExplain(*flags); });
}

}  // namespace npf::tools
