// Findings that an object silences: its annotation npf/lint-ignore has "ID: reason; ID: reason".
// A reason is needed, because the next reader needs it.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lint/checks.h"
#include "model/validate.h"

namespace npf::lint {
namespace {

constexpr std::string_view kAnnotation = "npf/lint-ignore";
constexpr std::string_view kField = "metadata.annotations";

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

struct Wish {
  std::string id;
  std::string reason;
  bool used = false;
};

std::vector<Wish> Parse(std::string_view text) {
  std::vector<Wish> wishes;
  while (!text.empty()) {
    const size_t end = text.find(';');
    const std::string_view item = Trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (item.empty()) continue;
    const size_t colon = item.find(':');
    Wish wish;
    wish.id = Trimmed(item.substr(0, colon));
    if (colon != std::string_view::npos) wish.reason = Trimmed(item.substr(colon + 1));
    wishes.push_back(std::move(wish));
  }
  return wishes;
}

struct Silencer {
  Position position;
  std::vector<Wish> wishes;
};

class Silencing {
 public:
  explicit Silencing(const Facts& facts) {
    const Snapshot& snapshot = facts.snapshot();
    for (const NetworkPolicy& policy : snapshot.policies()) {
      Add(NameOf(policy), policy.annotations, PositionOf(policy, kField));
    }
    for (const ClusterPolicy& policy : snapshot.cluster_policies()) {
      Add(NameOf(policy), policy.annotations, PositionOf(policy, kField));
    }
    for (const Namespace& ns : snapshot.namespaces()) {
      Add(model::ObjectName("Namespace", "", ns.name), ns.annotations, ns.position);
    }
    for (const Pod& pod : snapshot.pods()) Add(NameOf(pod), pod.annotations, pod.position);
  }

  void Apply(Finding& finding) {
    const auto found = by_object_.find(finding.object);
    if (found == by_object_.end()) return;
    for (Wish& wish : found->second.wishes) {
      if (wish.id != KindOf(finding.id).name || wish.reason.empty()) continue;
      wish.used = true;
      finding.silenced_by = wish.reason;
    }
  }

  void Report(Reporter& reporter) const {
    for (const auto& [object, silencer] : by_object_) {
      for (const Wish& wish : silencer.wishes) {
        const std::string message = FaultOf(wish);
        if (message.empty()) continue;
        const Id id = wish.reason.empty() || !IsKnown(wish.id) ? Id::kSilenceWithoutReason
                                                               : Id::kSilenceUnused;
        Finding& finding = reporter.Add(id, silencer.position, object, message);
        finding.field = std::string(kField) + "." + std::string(kAnnotation);
      }
    }
  }

 private:
  static bool IsKnown(const std::string& id) {
    const auto all = Catalogue();
    return std::any_of(all.begin(), all.end(), [&](const Kind& kind) { return kind.name == id; });
  }

  static std::string FaultOf(const Wish& wish) {
    if (!IsKnown(wish.id)) return "there is no finding \"" + EscapeForMessage(wish.id) + "\"";
    if (wish.reason.empty()) return "\"" + wish.id + "\" needs a reason: \"ID: reason\"";
    return wish.used ? "" : "there is no " + wish.id + " here to silence";
  }

  void Add(std::string object, const Labels& annotations, const Position& position) {
    const std::string* text = annotations.Find(kAnnotation);
    if (text == nullptr) return;
    by_object_.emplace(std::move(object), Silencer{position, Parse(*text)});
  }

  std::map<std::string, Silencer> by_object_;
};

}  // namespace

void Silence(const Facts& facts, std::vector<Finding>& findings) {
  Silencing silencing(facts);
  for (Finding& finding : findings) silencing.Apply(finding);
  Reporter reporter(findings);
  silencing.Report(reporter);
}

}  // namespace npf::lint
