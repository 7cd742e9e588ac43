#include "npf/why_text.h"

#include <string_view>
#include <utility>

#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

std::string PlaceText(const Place& place) {
  return place.file.empty() ? "" : "  " + place.file + ":" + std::to_string(place.line);
}

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

  std::string Run(const QuestionText& question, const Explanation& why) {
    text_ = std::string(VerdictWord(why.verdict.allowed != 0)) + " (" +
            std::string(Name(static_cast<Reason>(why.verdict.reason))) +
            "): " + QuestionName(question) + "\n  from " + PartyText(why.src) + "\n  to   " +
            PartyText(why.dst) + "\n";
    AppendDirection("egress", why.src, why.egress);
    AppendDirection("ingress", why.dst, why.ingress);
    return std::move(text_);
  }

 private:
  void AppendDirection(std::string_view name, const Party& subject,
                       const DirectionExplanation& direction) {
    text_ += "\n" + std::string(name) + ": " + std::string(VerdictWord(direction.allowed));
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

}  // namespace

std::string WhyText(const QuestionText& question, const Explanation& why, const Places& places) {
  return TextExplainer(places).Run(question, why);
}

}  // namespace npf::tools
