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

std::string PlaceText(const Place& place) {
  return place.file.empty() ? "" : "  " + place.file + ":" + std::to_string(place.line);
}

std::string_view Word(bool allowed) { return allowed ? "allow" : "deny"; }

std::string PartyText(const Party& party) {
  std::string text = party.name.empty() ? party.address : party.name + " (" + party.address + ")";
  text += ", " + std::string(party.kind);
  if (!party.labels.empty()) text += ", " + party.labels;
  if (party.kind == "pod" && !party.node.empty()) text += ", on " + party.node;
  return text;
}

std::string QuestionName(const QuestionText& text) {
  std::string name = text.port_given || text.protocol.number != 255
                         ? ProtocolName(text.protocol.number)
                         : "no ports";
  if (text.port_given) name += " " + std::to_string(text.port);
  if (text.protocol.icmp_type) name += " type " + std::to_string(*text.protocol.icmp_type);
  return name;
}

class TextExplainer {
 public:
  explicit TextExplainer(const Places& places) : places_(places) {}

  std::string Run(const Question& question, const Explanation& why) {
    text_ = std::string(Word(why.verdict.allowed != 0)) + " (" +
            std::string(Name(static_cast<Reason>(why.verdict.reason))) +
            "): " + QuestionName(question.text) + "\n  from " + PartyText(why.src) + "\n  to   " +
            PartyText(why.dst) + "\n";
    AppendDirection("egress", why.src, why.egress);
    AppendDirection("ingress", why.dst, why.ingress);
    return std::move(text_);
  }

 private:
  void AppendDirection(std::string_view name, const Party& subject,
                       const DirectionExplanation& direction) {
    text_ += "\n" + std::string(name) + ": " + std::string(Word(direction.allowed));
    if (!direction.judged) {
      text_ += ", not judged\n";
      return;
    }
    const std::string who = subject.name.empty() ? subject.address : subject.name;
    if (!direction.tiers.empty()) text_ += ": " + direction.Path();
    if (direction.local_node) text_ += ", from the pod's own node";
    if (!direction.isolated && direction.tiers.empty()) text_ += ", no policy isolates " + who;
    text_ += '\n';
    for (const TierMatch& match : direction.tiers) {
      AppendLine(Decided(match.action),
                 std::string(Name(match.rule.kind)) + " " + match.rule.policy + " " +
                     match.rule.FieldPath(),
                 places_.Of(match.rule));
    }
    if (!direction.isolated) return;
    for (const std::string& policy : direction.isolating) {
      AppendLine("isolated by", policy, places_.Of(policy));
    }
    for (const RuleRef& rule : direction.allowing) {
      AppendLine("allowed by", rule.policy + " " + rule.FieldPath(), places_.Of(rule));
    }
    if (direction.nearest) {
      AppendLine("nearest miss",
                 direction.nearest->rule.policy + " " + direction.nearest->rule.FieldPath(),
                 places_.Of(direction.nearest->rule));
      text_ += "                " + direction.nearest->detail + "\n";
    } else if (!direction.allowed) {
      text_ += "  no rule of theirs allows anything in this direction\n";
    }
  }

  static std::string_view Decided(RuleAction action) {
    if (action == RuleAction::kPass) return "passed by";
    return action == RuleAction::kDeny ? "denied by" : "allowed by";
  }

  void AppendLine(std::string_view what, const std::string& which, const Place& place) {
    std::string head = "  " + std::string(what);
    head.resize(16, ' ');
    text_ += head + which + PlaceText(place) + "\n";
  }

  const Places& places_;
  std::string text_;
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
  std::string out = "{\"verdict\":" + JsonString(Word(v.allowed != 0)) +
                    ",\"reason\":" + JsonString(Name(static_cast<Reason>(v.reason))) +
                    ",\"egress\":" + JsonString(Word(why.egress.allowed)) +
                    ",\"ingress\":" + JsonString(Word(why.ingress.allowed)) +
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
  const CompiledInput compiled = CompileInput(flags.input);
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
                                  : TextExplainer(places).Run(*question, why));
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
