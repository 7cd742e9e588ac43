#include "npf/test_report.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>

#include "npf/expectation_ends.h"
#include "npf/explain.h"
#include "npf/output.h"
#include "npf/why_text.h"
#include "npf/xml.h"

namespace npf::tools {
namespace {

constexpr size_t kExplainedMax = 3;  // failures of one expectation, for people
constexpr size_t kSpansShown = 8;

std::string PlaceOf(const ExpectationFile& file, const Expectation& expectation) {
  return file.files[expectation.position.file] + ":" + std::to_string(expectation.position.line);
}

// "shop/frontend (10.244.1.10)", or the addresses alone.
std::string RangeText(const analysis::AddressRange& range, const AddressNames& names) {
  const std::string text = ToString(range);
  if (!IsSingle(range)) return text;
  const std::string_view pod = names.PodOf(range.first);
  return pod.empty() ? text : std::string(pod) + " (" + text + ")";
}

std::string MembersText(const Members& members, const AddressNames& names) {
  std::string text = RangeText(members.ranges[0], names);
  if (members.count > 1) text += " and " + std::to_string(members.count - 1) + " more like it";
  return text;
}

std::string PortsText(const std::vector<analysis::ProtocolRange>& spans) {
  std::string text;
  for (size_t i = 0; i < std::min(spans.size(), kSpansShown); ++i) {
    text += (i == 0 ? "" : ", ") + ToString(spans[i]);
  }
  if (spans.size() > kSpansShown) {
    text += " and " + Plural(spans.size() - kSpansShown, "more range");
  }
  return text;
}

// "expected deny, but 2 of 14 pairs are allowed".
std::string Summary(const Expectation& expectation, const Outcome& outcome) {
  return "expected " + std::string(VerdictWord(expectation.allow)) + ", but " +
         std::to_string(outcome.failed_pairs) + " of " + Plural(outcome.pairs, "pair") +
         (outcome.failed_pairs == 1 ? " is " : " are ") +
         (expectation.allow ? "denied" : "allowed");
}

Explanation Why(const TestResults& results, const Failure& failure) {
  return Explain(results.program, ExpectationOptions(), failure.witness);
}

QuestionText QuestionOf(const FlowKey& key) {
  QuestionText question;
  question.protocol.number = key.protocol;
  question.port = key.dst_port;
  question.port_given = HasPorts(key.protocol);
  return question;
}

// The failures to explain: of those between the same pods, which differ by family, one.
std::vector<const Failure*> Told(const TestResults& results, const Outcome& outcome) {
  std::vector<const Failure*> told;
  const auto pods_of = [&](const Failure& failure) {
    return std::pair(results.names.PodOf(failure.src.ranges[0].first),
                     results.names.PodOf(failure.dst.ranges[0].first));
  };
  for (const Failure& failure : outcome.failures) {
    const bool known = std::any_of(told.begin(), told.end(), [&](const Failure* other) {
      const auto pods = pods_of(failure);
      return !pods.first.empty() && !pods.second.empty() && pods == pods_of(*other) &&
             failure.ports == other->ports;
    });
    if (known) continue;
    told.push_back(&failure);
    if (told.size() == kExplainedMax) break;
  }
  return told;
}

// Each failure that is told, with its explanation; a margin before every line.
std::string Details(const TestResults& results, const Outcome& outcome, const std::string& margin) {
  std::string text;
  const std::vector<const Failure*> told = Told(results, outcome);
  for (const Failure* failure : told) {
    const std::string part =
        MembersText(failure->src, results.names) + " to " +
        MembersText(failure->dst, results.names) + ": " + PortsText(failure->ports) + "\n" +
        WhyText(QuestionOf(failure->witness), Why(results, *failure), results.places);
    bool head = true;
    for (size_t at = 0; at < part.size();) {
      const size_t end = part.find('\n', at);
      const std::string line = part.substr(at, end - at);
      if (!line.empty()) text += margin + (head ? "" : "  ") + line + "\n";
      head = false;
      at = end + 1;
    }
  }
  if (told.size() == kExplainedMax && outcome.failed_classes > kExplainedMax) {
    text += margin + "and more: " + Plural(outcome.failed_classes, "pair") + " of classes in all\n";
  }
  return text;
}

// Every expectation with its outcome.
template <class Visit>
void ForEach(const TestResults& results, Visit visit) {
  for (size_t i = 0; i < results.outcomes.size(); ++i) {
    visit(results.file.expectations[i], results.outcomes[i]);
  }
}

// A description may not have a line break, nor a # that would begin a directive.
std::string TapText(const std::string& text) {
  std::string out;
  for (const char c : WellFormedUtf8(text)) {
    if (c == '#' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

// In seconds, as JUnit has it.
std::string Seconds(uint64_t elapsed_ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f", static_cast<double>(elapsed_ns) / 1e9);
  return text;
}

std::string Timestamp(int64_t now_s) {
  const std::time_t time = now_s;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  return text;
}

std::string TestCase(const TestResults& results, const Expectation& expectation,
                     const Outcome& outcome) {
  const std::string& file = results.file.files[expectation.position.file];
  const std::string open = "    <testcase name=\"" + XmlAttribute(expectation.name) +
                           "\" classname=\"" + XmlAttribute(file) + "\" time=\"" +
                           Seconds(outcome.elapsed_ns) + "\"";
  if (outcome.ok()) return open + "/>\n";
  return open + ">\n      <failure type=\"" + std::string(VerdictWord(expectation.allow)) +
         "\" message=\"" +
         XmlAttribute(PlaceOf(results.file, expectation) + ": " + Summary(expectation, outcome)) +
         "\">" + XmlContent(Details(results, outcome, "")) + "</failure>\n    </testcase>\n";
}

std::string JsonMembers(const Members& members, const AddressNames& names) {
  std::string out = "{\"count\":" + std::to_string(members.count) + ",\"some\":[";
  for (size_t i = 0; i < members.ranges.size(); ++i) {
    const analysis::AddressRange& range = members.ranges[i];
    out += std::string(i == 0 ? "" : ",") + "{\"addresses\":" + JsonString(ToString(range));
    const std::string_view pod = IsSingle(range) ? names.PodOf(range.first) : std::string_view();
    if (!pod.empty()) out += ",\"pod\":" + JsonString(pod);
    out += "}";
  }
  return out + "]}";
}

std::string JsonFailure(const TestResults& results, const Failure& failure) {
  const Explanation why = Why(results, failure);
  std::string out = "{\"src\":" + JsonMembers(failure.src, results.names) +
                    ",\"dst\":" + JsonMembers(failure.dst, results.names) + ",\"ports\":[";
  for (size_t i = 0; i < failure.ports.size(); ++i) {
    out += (i == 0 ? "" : ",") + JsonString(ToString(failure.ports[i]));
  }
  return out + "],\"verdict\":" + JsonString(VerdictWord(why.verdict.allowed != 0)) +
         ",\"reason\":" + JsonString(Name(static_cast<Reason>(why.verdict.reason))) +
         ",\"why\":" + JsonWhy(why, results.places) + "}";
}

}  // namespace

size_t FailedCount(const TestResults& results) {
  return static_cast<size_t>(std::count_if(results.outcomes.begin(), results.outcomes.end(),
                                           [](const Outcome& outcome) { return !outcome.ok(); }));
}

std::string TestTable(const TestResults& results) {
  Table table({"RESULT", "EXPECT", ">PAIRS", "EXPECTATION", "LINE"});
  std::string details;
  ForEach(results, [&](const Expectation& expectation, const Outcome& outcome) {
    const std::string place = PlaceOf(results.file, expectation);
    const std::string name = EscapeForMessage(expectation.name);
    table.AddRow({outcome.ok() ? "ok" : "FAILED", std::string(VerdictWord(expectation.allow)),
                  std::to_string(outcome.pairs), name, place});
    if (outcome.ok()) return;
    details += "\n" + place + ": " + name + ": " + Summary(expectation, outcome) + "\n" +
               Details(results, outcome, "  ");
  });
  const size_t all = results.outcomes.size();
  return table.Text() + details + "\n" + std::to_string(all - FailedCount(results)) + " of " +
         Plural(all, "expectation") + (all == 1 ? " holds\n" : " hold\n");
}

std::string TestTap(const TestResults& results) {
  std::string out = "TAP version 14\n1.." + std::to_string(results.outcomes.size()) + "\n";
  size_t number = 0;
  ForEach(results, [&](const Expectation& expectation, const Outcome& outcome) {
    out += std::string(outcome.ok() ? "ok " : "not ok ") + std::to_string(++number) + " - " +
           TapText(expectation.name) + "\n";
    if (outcome.ok()) return;
    out += "  ---\n  message: " + JsonString(Summary(expectation, outcome)) +
           "\n  at: " + JsonString(PlaceOf(results.file, expectation)) + "\n  why: |2\n" +
           Details(results, outcome, "    ") + "  ...\n";
  });
  return out;
}

std::string TestJunit(const TestResults& results) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (uint32_t file = 1; file < results.file.files.size(); ++file) {
    size_t tests = 0;
    size_t failures = 0;
    uint64_t elapsed_ns = 0;
    std::string cases;
    ForEach(results, [&](const Expectation& expectation, const Outcome& outcome) {
      if (expectation.position.file != file) return;
      ++tests;
      failures += outcome.ok() ? 0 : 1;
      elapsed_ns += outcome.elapsed_ns;
      cases += TestCase(results, expectation, outcome);
    });
    out += "  <testsuite id=\"" + std::to_string(file - 1) + "\" package=\"npf\" name=\"" +
           XmlAttribute(results.file.files[file]) + "\" timestamp=\"" + Timestamp(results.now_s) +
           "\" hostname=\"localhost\" tests=\"" + std::to_string(tests) + "\" failures=\"" +
           std::to_string(failures) + "\" errors=\"0\" time=\"" + Seconds(elapsed_ns) +
           "\">\n    <properties/>\n" + cases +
           "    <system-out/>\n    <system-err/>\n  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string TestJson(const TestResults& results) {
  std::string out = "{\"expectations\":[";
  bool first = true;
  ForEach(results, [&](const Expectation& expectation, const Outcome& outcome) {
    out += std::string(first ? "" : ",") + "{\"name\":" + JsonString(expectation.name) +
           ",\"file\":" + JsonString(results.file.files[expectation.position.file]) +
           ",\"line\":" + std::to_string(expectation.position.line) +
           ",\"expect\":" + JsonString(VerdictWord(expectation.allow)) +
           ",\"ok\":" + (outcome.ok() ? "true" : "false") +
           ",\"pairs\":" + std::to_string(outcome.pairs) +
           ",\"failed_pairs\":" + std::to_string(outcome.failed_pairs) +
           ",\"failed_classes\":" + std::to_string(outcome.failed_classes) + ",\"failures\":[";
    first = false;
    for (size_t i = 0; i < outcome.failures.size(); ++i) {
      out += (i == 0 ? "" : ",") + JsonFailure(results, outcome.failures[i]);
    }
    out += "]}";
  });
  return out + "],\"failed\":" + std::to_string(FailedCount(results)) + "}\n";
}

}  // namespace npf::tools
