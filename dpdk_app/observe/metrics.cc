#include "observe/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <utility>

#include "npf/output.h"

namespace npf::observe {
namespace {

constexpr std::string_view kOther = "*/other";

std::string LabelValue(std::string_view text) {
  std::string out;
  for (const char c : tools::WellFormedUtf8(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
  }
  return out;
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  char text[32];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return text;
}

// The text, family by family.
class Writer {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void Counter(std::string_view name, std::string_view help) { Begin(name, "counter", help); }
  void Gauge(std::string_view name, std::string_view help) { Begin(name, "gauge", help); }
  void Histogram(std::string_view name, std::string_view help) { Begin(name, "histogram", help); }
  void Sample(const Labels& labels, uint64_t value) { Line(labels, std::to_string(value)); }
  void Sample(const Labels& labels, double value) { Line(labels, NumberText(value)); }
  void Sample(uint64_t value) { Sample({}, value); }
  void Sample(double value) { Sample({}, value); }
  // Of a histogram: "_bucket", "_sum" or "_count".
  template <typename Value>
  void Part(std::string_view suffix, const Labels& labels, Value value) {
    const size_t length = name_.size();
    name_ += suffix;
    Sample(labels, value);
    name_.resize(length);
  }

  std::string Take() { return std::move(out_); }

 private:
  void Begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help);
    out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void Line(const Labels& labels, std::string_view value) {
    out_ += name_;
    std::string_view before = "{";
    for (const auto& [label, text] : labels) {
      out_.append(before).append(label).append("=\"").append(LabelValue(text)).append("\"");
      before = ",";
    }
    if (labels.size() != 0) out_ += "}";
    out_.append(" ").append(value).append("\n");
  }

  std::string out_;
  std::string name_;
};

std::string_view VerdictWord(bool allowed) { return allowed ? "allow" : "deny"; }

double Seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

void WriteBuild(const BuildInfo& build, Writer& out) {
  out.Gauge("npf_build_info", "Always 1; the labels say what is running.");
  out.Sample({{"version", build.version}, {"revision", build.revision}, {"dpdk", build.dpdk}},
             uint64_t{1});
}

void WritePackets(const MetricsInput& input, Writer& out) {
  out.Counter("npf_packets_total", "Packets judged, by the port where they came in.");
  std::vector<PortVerdicts> ports = input.ports;
  if (ports.empty()) {
    PortVerdicts all{.port = "all"};
    for (const control::ReasonCount& count : input.status.reasons) {
      (count.allowed ? all.allowed : all.denied) += count.packets;
    }
    ports.push_back(all);
  }
  for (const PortVerdicts& port : ports) {
    for (const bool allowed : {true, false}) {
      out.Sample({{"port", port.port}, {"direction", "in"}, {"verdict", VerdictWord(allowed)}},
                 allowed ? port.allowed : port.denied);
    }
  }
}

void WriteReasons(const std::vector<control::ReasonCount>& reasons, Writer& out) {
  for (const bool allowed : {false, true}) {
    if (allowed) {
      out.Counter("npf_passes_total", "Packets allowed, by reason.");
    } else {
      out.Counter("npf_drops_total", "Packets denied, by reason.");
    }
    std::map<std::string_view, uint64_t> sums;
    for (const control::ReasonCount& count : reasons) {
      if (count.allowed == allowed) sums[count.reason] += count.packets;
    }
    for (const auto& [reason, packets] : sums) out.Sample({{"reason", reason}}, packets);
  }
}

void WritePolicyCounts(const std::vector<control::PolicyCount>& counts, std::string_view mode,
                       Writer& out) {
  out.Counter("npf_policy_verdicts_total",
              "First packets of connections, and packets without one, that a policy decided.");
  for (const control::PolicyCount& count : counts) {
    const std::string_view name = count.policy;
    const size_t slash = name.find('/');
    const bool has_namespace = slash != std::string_view::npos;
    out.Sample({{"namespace", has_namespace ? name.substr(0, slash) : ""},
                {"policy", has_namespace ? name.substr(slash + 1) : name},
                {"tier", count.tier},
                {"verdict", VerdictWord(count.allowed)},
                {"mode", mode}},
               count.packets);
  }
}

void WritePolicy(const MetricsInput& input, Writer& out) {
  const control::Status& status = input.status;
  out.Gauge("npf_fail_open",
            "1 where everything passes, because no policy could be read at the start.");
  out.Sample(uint64_t{input.failing_open});
  out.Gauge("npf_policy_generation", "The policy that decides; 0: none yet.");
  out.Sample(uint64_t{status.generation});
  out.Gauge("npf_policy_age_seconds", "Since the policy that decides was put in place.");
  out.Sample(Seconds(status.policy_age_ns));
  out.Gauge("npf_policy_update_refused",
            "1 where the last update was refused and changed nothing.");
  out.Sample(uint64_t{!status.last_refusal.empty()});
  out.Gauge("npf_policy_unconfirmed_seconds",
            "Until the policy that decides is taken back unless it is confirmed; 0: it is.");
  out.Sample(status.unconfirmed.has_value() ? Seconds(status.unconfirmed->left_ns) : 0.0);
  out.Gauge("npf_snapshot_memory_bytes", "Of the compiled policy.");
  out.Sample(uint64_t{status.program_bytes});
  out.Gauge("npf_snapshot_pods", "Pods that the policy knows.");
  out.Sample(uint64_t{status.pods});
  out.Gauge("npf_snapshot_policies", "Policies in force.");
  out.Sample(uint64_t{status.policies});
}

void WriteState(const control::Status& status, Writer& out) {
  out.Gauge("npf_conntrack_entries", "Known connections.");
  out.Sample(uint64_t{status.flows});
  out.Gauge("npf_conntrack_entries_max", "Connections that there is room for.");
  out.Sample(uint64_t{status.flows_max});
  out.Gauge("npf_conntrack_openings", "Connections that are not established yet.");
  out.Sample(uint64_t{status.openings});
  out.Counter("npf_log_suppressed_total", "Denials that no line of the log tells.");
  out.Sample(status.log_suppressed);
  out.Gauge("npf_ready", "1 where nothing that is seen contradicts the configuration.");
  out.Sample(uint64_t{status.ready});
  out.Gauge("npf_not_ready_reasons", "Why it is not ready: how many reasons /readyz lists.");
  out.Sample(uint64_t{status.not_ready.size()});
  out.Gauge("npf_uptime_seconds", "Since the process began.");
  out.Sample(Seconds(status.uptime_ns));
  out.Gauge("npf_worker_busy_ratio", "Share of a worker's loops that had packets.");
  for (size_t i = 0; i < status.busy.size(); ++i) {
    out.Sample({{"worker", std::to_string(i)}}, status.busy[i]);
  }
}

void WriteBursts(const Bursts& bursts, Writer& out) {
  out.Histogram("npf_burst_seconds",
                "What a worker took for the packets of one turn: receive, judge, send.");
  uint64_t count = 0;
  for (size_t i = 0; i + 1 < bursts.counts.size(); ++i) {
    count += bursts.counts[i];
    char bound[32];
    std::snprintf(bound, sizeof(bound), "%.9g", Seconds(BurstTimes::UpTo(i)));
    out.Part("_bucket", {{"le", bound}}, count);
  }
  count += bursts.counts.back();
  out.Part("_bucket", {{"le", "+Inf"}}, count);
  out.Part("_sum", {}, Seconds(bursts.sum_ns));
  out.Part("_count", {}, count);
}

void WritePorts(const std::vector<control::PortStatus>& ports, Writer& out) {
  struct Family {
    std::string_view name, help;
    uint64_t control::PortStatus::*member;
  };
  constexpr Family kFamilies[] = {
      {"npf_port_received_packets_total", "Packets that came in.", &control::PortStatus::received},
      {"npf_port_received_bytes_total", "Bytes that came in.",
       &control::PortStatus::received_bytes},
      {"npf_port_missed_total",
       "Packets never judged: no room in the port or before a worker, no buffer.",
       &control::PortStatus::missed},
      {"npf_port_sent_packets_total", "Packets that went out.", &control::PortStatus::sent},
      {"npf_port_sent_bytes_total", "Bytes that went out.", &control::PortStatus::sent_bytes},
      {"npf_port_not_sent_total", "Packets allowed, that the port took no more.",
       &control::PortStatus::not_sent},
  };
  out.Gauge("npf_port_link_up", "1 where the port has a link.");
  for (const control::PortStatus& port : ports) {
    out.Sample({{"port", port.name}}, uint64_t{port.link_up});
  }
  for (const Family& family : kFamilies) {
    out.Counter(family.name, family.help);
    for (const control::PortStatus& port : ports) {
      out.Sample({{"port", port.name}}, port.*family.member);
    }
  }
}

}  // namespace

bool PolicyCap::HasOwnSeries(const Policy& policy) {
  if (own_.contains(policy)) return true;
  for (const bool allowed : {true, false}) {
    if (others_.contains({policy.first, policy.second, allowed})) return false;
  }
  if (own_.size() >= policies_max_) return false;
  own_.insert(policy);
  return true;
}

void PolicyCap::Forget(const std::map<Series, uint64_t>& present) {
  const auto is_present = [&](const std::string& policy, const std::string& tier) {
    return present.contains({policy, tier, true}) || present.contains({policy, tier, false});
  };
  std::erase_if(own_, [&](const Policy& p) { return !is_present(p.first, p.second); });
  std::erase_if(others_, [&](const auto& entry) {
    return !is_present(std::get<0>(entry.first), std::get<1>(entry.first));
  });
}

std::vector<control::PolicyCount> PolicyCap::Apply(std::span<const control::PolicyCount> counts) {
  std::map<Series, uint64_t> present;
  for (const control::PolicyCount& count : counts) {
    present[{count.policy, count.tier, count.allowed}] += count.packets;
  }
  Forget(present);
  std::vector<control::PolicyCount> out;
  for (const auto& [series, packets] : present) {
    const auto& [policy, tier, allowed] = series;
    if (HasOwnSeries({policy, tier})) {
      out.push_back({policy, tier, allowed, packets});
      continue;
    }
    uint64_t& last = others_[series];
    if (packets < last) last = 0;  // it was begun anew
    sums_[{tier, allowed}] += packets - last;
    last = packets;
  }
  for (const auto& [other, packets] : sums_) {
    out.push_back({std::string(kOther), other.first, other.second, packets});
  }
  return out;
}

std::string MetricsPage::Text(const std::function<MetricsInput()>& collect) {
  const std::lock_guard lock(mutex_);
  const MetricsInput input = collect();
  const std::vector<control::PolicyCount> counts = cap_.Apply(input.policies);
  Writer out;
  WriteBuild(input.build, out);
  WritePackets(input, out);
  WriteReasons(input.status.reasons, out);
  out.Counter("npf_rejects_total", "TCP RST and ICMP errors to senders of denied packets.");
  out.Sample(input.rejects);
  WritePolicyCounts(counts, input.status.mode, out);
  WritePolicy(input, out);
  WriteState(input.status, out);
  WriteBursts(input.bursts, out);
  WritePorts(input.status.ports, out);
  return out.Take();
}

}  // namespace npf::observe
