// The page of metrics, read back by a parser that accepts the text format 0.0.4 and nothing more.
#include "observe/metrics.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace npf::observe {
namespace {

using Labels = std::map<std::string, std::string>;

struct Family {
  std::string type;
  std::map<Labels, double> samples;
};

bool IsName(std::string_view name, bool colon_allowed) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && !(colon_allowed && c == ':')) {
      return false;
    }
  }
  return true;
}

class Page {
 public:
  explicit Page(std::string_view text) { Read(text); }
  const std::string& fault() const { return fault_; }
  const std::map<std::string, Family>& families() const { return families_; }
  std::optional<double> Value(const std::string& name, const Labels& labels = {}) const {
    const auto family = families_.find(name);
    if (family == families_.end()) return std::nullopt;
    const auto sample = family->second.samples.find(labels);
    if (sample == family->second.samples.end()) return std::nullopt;
    return sample->second;
  }

 private:
  void Read(std::string_view text) {
    if (!text.ends_with('\n')) fault_ = "no line end at the end";
    while (!text.empty() && fault_.empty()) {
      const size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (!(line.starts_with('#') ? ReadComment(line) : ReadSample(line))) {
        fault_ = "not a line of the format: " + std::string(line);
      }
    }
  }

  static std::string_view TakeWord(std::string_view& rest) {
    const size_t space = rest.find(' ');
    const std::string_view word = rest.substr(0, space);
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    return word;
  }

  // HELP, then TYPE, once each, before the samples of that family.
  bool ReadComment(std::string_view line) {
    if (TakeWord(line) != "#") return false;
    const std::string_view what = TakeWord(line);
    const std::string name(TakeWord(line));
    if (!IsName(name, true) || line.empty()) return false;
    if (what == "HELP") {
      helped_ = name;
      return !families_.contains(name) && line.find('\\') == std::string_view::npos;
    }
    if (what != "TYPE" || helped_ != name || families_.contains(name)) return false;
    if (line != "counter" && line != "gauge" && line != "histogram") return false;
    if ((line == "counter") != name.ends_with("_total")) return false;
    families_[name].type = line;
    current_ = name;
    return true;
  }

  // A histogram's samples have names of their own.
  bool IsOfFamily(const std::string& name) {
    if (families_[current_].type != "histogram") return name == current_;
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (name == current_ + suffix) return true;
    }
    return false;
  }

  bool ReadSample(std::string_view line) {
    const size_t end = line.find_first_of("{ ");
    const std::string name(line.substr(0, end));
    if (end == std::string_view::npos || !IsOfFamily(name)) return false;
    line.remove_prefix(end);
    Labels labels;
    if (line[0] == '{' && !ReadLabels(line, labels)) return false;
    if (!line.starts_with(' ')) return false;
    line.remove_prefix(1);
    double value = std::numeric_limits<double>::quiet_NaN();
    if (line != "NaN") {
      const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), value);
      if (error != std::errc() || rest != line.data() + line.size()) return false;
    }
    return families_[name].samples.emplace(labels, value).second;  // each series once
  }

  static bool ReadLabels(std::string_view& line, Labels& labels) {
    do {
      line.remove_prefix(1);
      const size_t equals = line.find("=\"");
      if (equals == std::string_view::npos) return false;
      const std::string name(line.substr(0, equals));
      line.remove_prefix(equals + 2);
      std::string value;
      while (!line.empty() && line[0] != '"') {
        if (line[0] == '\\') {
          line.remove_prefix(1);
          if (line.empty()) return false;
          if (line[0] != '\\' && line[0] != '"' && line[0] != 'n') return false;
          value += line[0] == 'n' ? '\n' : line[0];
        } else {
          value += line[0];
        }
        line.remove_prefix(1);
      }
      if (line.empty() || !IsName(name, false) || !labels.emplace(name, value).second) return false;
      line.remove_prefix(1);
    } while (line.starts_with(','));
    if (!line.starts_with('}')) return false;
    line.remove_prefix(1);
    return true;
  }

  std::map<std::string, Family> families_;
  std::string helped_, current_, fault_;
};

MetricsInput Input() {
  MetricsInput input{.build = {"0.1.0", "77d1a0d", "22.11"}};
  control::Status& status = input.status;
  status.mode = "enforce";
  status.generation = 7;
  status.policy_age_ns = 1'500'000'000;
  status.program_bytes = 4096;
  status.flows = 12;
  status.openings = 3;
  status.log_suppressed = 5;
  status.ready = true;
  status.busy = {0.25, 1};
  status.ports = {{.name = "0", .link_up = true, .received = 100, .missed = 2, .not_sent = 1},
                  {.name = "1", .received = 90}};
  status.reasons = {{"policy", false, 30}, {"policy", true, 60}, {"spoofed", false, 10}};
  input.policies = {{"shop/db", "NetworkPolicy", false, 30}, {"guard", "Admin", true, 60}};
  return input;
}

Page PageOf(MetricsPage& page, const MetricsInput& input) {
  return Page(page.Text([&] { return input; }));
}

TEST(ObserveMetrics, ThePageIsOfTheFormatAndHasWhatWasGiven) {
  MetricsPage metrics;
  const Page page = PageOf(metrics, Input());
  EXPECT_EQ(page.fault(), "");
  EXPECT_EQ(page.Value("npf_build_info",
                       {{"version", "0.1.0"}, {"revision", "77d1a0d"}, {"dpdk", "22.11"}}),
            1);
  EXPECT_EQ(page.Value("npf_policy_generation"), 7);
  EXPECT_EQ(page.Value("npf_policy_age_seconds"), 1.5);
  EXPECT_EQ(page.Value("npf_conntrack_entries"), 12);
  EXPECT_EQ(page.Value("npf_conntrack_openings"), 3);
  EXPECT_EQ(page.Value("npf_snapshot_memory_bytes"), 4096);
  EXPECT_EQ(page.Value("npf_log_suppressed_total"), 5);
  EXPECT_EQ(page.Value("npf_ready"), 1);
  EXPECT_EQ(page.Value("npf_worker_busy_ratio", {{"worker", "0"}}), 0.25);
  EXPECT_EQ(page.Value("npf_port_missed_total", {{"port", "0"}}), 2);
  EXPECT_EQ(page.Value("npf_port_not_sent_total", {{"port", "0"}}), 1);
  EXPECT_EQ(page.Value("npf_drops_total", {{"reason", "spoofed"}}), 10);
  EXPECT_EQ(page.Value("npf_drops_total", {{"reason", "policy"}}), 30);
  EXPECT_EQ(page.Value("npf_passes_total", {{"reason", "policy"}}), 60);
  EXPECT_EQ(page.Value("npf_policy_verdicts_total", {{"namespace", "shop"},
                                                     {"policy", "db"},
                                                     {"tier", "NetworkPolicy"},
                                                     {"verdict", "deny"},
                                                     {"mode", "enforce"}}),
            30);
}

TEST(ObserveMetrics, BurstsAreAHistogramWhoseBucketsHoldWhatIsNoLonger) {
  BurstTimes times;
  for (const int64_t ns : {0L, 1024L, 1025L, 40'960L, 40'961L, 3'000'000'000L}) {
    times.Add(static_cast<uint64_t>(ns));
  }
  MetricsInput input = Input();
  times.AddTo(input.bursts.counts, input.bursts.sum_ns);
  MetricsPage metrics;
  const Page page = PageOf(metrics, input);
  EXPECT_EQ(page.fault(), "");
  const auto up_to = [&](const char* bound) {
    return page.Value("npf_burst_seconds_bucket", {{"le", bound}});
  };
  EXPECT_EQ(up_to("1.024e-06"), 2);
  EXPECT_EQ(up_to("1.28e-06"), 3);
  EXPECT_EQ(up_to("4.096e-05"), 4);
  EXPECT_EQ(up_to("4.9152e-05"), 5);
  EXPECT_EQ(up_to("0.067108864"), 5);
  EXPECT_EQ(up_to("+Inf"), 6);
  EXPECT_EQ(page.Value("npf_burst_seconds_count"), 6);
  EXPECT_NEAR(*page.Value("npf_burst_seconds_sum"), 3.00008397, 1e-9);
  for (size_t i = 0; i + 1 < BurstTimes::kBuckets; ++i) {
    EXPECT_EQ(BurstTimes::IndexOf(BurstTimes::UpTo(i)), i);
    EXPECT_EQ(BurstTimes::IndexOf(BurstTimes::UpTo(i) + 1), i + 1);
  }
}

TEST(ObserveMetrics, PacketsAreByPortWherePortsAreGivenAndOfAllWhereNot) {
  MetricsPage metrics;
  MetricsInput input = Input();
  const auto value = [&](const char* port, const char* verdict) {
    return PageOf(metrics, input)
        .Value("npf_packets_total", {{"port", port}, {"direction", "in"}, {"verdict", verdict}});
  };
  EXPECT_EQ(value("all", "deny"), 40);
  EXPECT_EQ(value("all", "allow"), 60);
  input.ports = {{"0", 50, 40}, {"1", 10, 0}};
  EXPECT_EQ(value("0", "deny"), 40);
  EXPECT_EQ(value("1", "allow"), 10);
  EXPECT_EQ(value("all", "allow"), std::nullopt);
}

TEST(ObserveMetrics, LabelsAreEscapedAndAreUtf8) {
  MetricsPage metrics;
  MetricsInput input = Input();
  input.status.ports = {{.name = "a\"b\\c\nd\xff"}};
  const Page page = PageOf(metrics, input);
  EXPECT_EQ(page.fault(), "");
  EXPECT_EQ(page.Value("npf_port_link_up", {{"port", "a\"b\\c\nd\xef\xbf\xbd"}}), 0);
}

TEST(ObserveMetrics, AnEmptyStatusAndANumberThatIsNoneAreOfTheFormatToo) {
  MetricsPage metrics;
  EXPECT_EQ(PageOf(metrics, {}).fault(), "");
  MetricsInput input = Input();
  input.status.busy = {std::nan("")};
  const Page page = PageOf(metrics, input);
  EXPECT_EQ(page.fault(), "");
  EXPECT_TRUE(std::isnan(*page.Value("npf_worker_busy_ratio", {{"worker", "0"}})));
}

uint64_t Packets(const std::vector<control::PolicyCount>& counts, std::string_view policy) {
  uint64_t sum = 0;
  for (const control::PolicyCount& count : counts) {
    if (count.policy == policy) sum += count.packets;
  }
  return sum;
}

TEST(ObserveMetrics, PoliciesBeyondTheCapAreOneOther) {
  PolicyCap cap(2);
  std::vector<control::PolicyCount> counts;
  for (int i = 0; i < 100; ++i) {
    counts.push_back({"ns/p" + std::to_string(100 + i), "NetworkPolicy", false, 1});
  }
  EXPECT_EQ(cap.Apply(counts).size(), 3u);
  EXPECT_EQ(Packets(cap.Apply(counts), "*/other"), 98u);
  EXPECT_EQ(Packets(cap.Apply(counts), "ns/p100"), 1u);
}

TEST(ObserveMetrics, OtherNeverGoesBackAndCountsNothingTwice) {
  PolicyCap cap(1);
  const auto count = [](const char* name, uint64_t packets) {
    return control::PolicyCount{name, "NetworkPolicy", false, packets};
  };
  EXPECT_EQ(Packets(cap.Apply(std::vector{count("a/a", 1), count("b/b", 10)}), "*/other"), 10u);
  // The policy that had a series goes; b stays where it was counted.
  auto counts = cap.Apply(std::vector{count("b/b", 15)});
  EXPECT_EQ(Packets(counts, "*/other"), 15u);
  EXPECT_EQ(Packets(counts, "b/b"), 0u);
  // A new one has the place.
  counts = cap.Apply(std::vector{count("b/b", 15), count("c/c", 4)});
  EXPECT_EQ(Packets(counts, "c/c"), 4u);
  // What was counted of a policy that is gone stays counted.
  EXPECT_EQ(Packets(cap.Apply(std::vector{count("c/c", 4)}), "*/other"), 15u);
}

TEST(ObserveMetrics, APolicyCalledOtherIsNotTheBucket) {
  MetricsPage metrics(1);
  MetricsInput input = Input();
  input.policies = {{"other", "Admin", false, 1}, {"z", "Admin", false, 2}};
  EXPECT_EQ(PageOf(metrics, input).fault(), "");
}

}  // namespace
}  // namespace npf::observe
