#include "html_report.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "chart.h"
#include "report_text.h"

namespace npf::bench {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--page:#fff;--ink:#1c2127;--faint:#5b6570;--grid:#e3e6ea;--card:#f7f8f9;
--tone0:#0b62c4;--tone1:#b5540a;--tone2:#2c7a3d;--tone3:#8a3fb0;--tone4:#9a6b00;--tone5:#c02f5f}
@media(prefers-color-scheme:dark){:root{--page:#14171a;--ink:#e6e9ec;--faint:#a0aab4;--grid:#343a41;
--card:#1c2024;--tone0:#6cb2ff;--tone1:#ff9f5a;--tone2:#74d08a;--tone3:#cf9bf0;--tone4:#e3b341;
--tone5:#ff86ad}}
*{box-sizing:border-box}
body{margin:0 auto;padding:16px;max-width:1240px;background:var(--page);color:var(--ink);
font:15px/1.45 system-ui,sans-serif}
h1{font-size:24px;margin:0 0 8px}
h2{font-size:20px;margin:28px 0 10px}
h3{font-size:16px;margin:0 0 2px}
p{margin:4px 0}
.faint{color:var(--faint);font-size:13.5px}
code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr))}
figure{margin:0;padding:14px;background:var(--card);border:1px solid var(--grid);border-radius:8px;
min-width:0}
svg{display:block;width:100%;height:auto;margin:6px 0;font:12px system-ui,sans-serif}
svg text{fill:var(--ink)}
@media(max-width:600px){svg{font-size:15px}}
.axis{stroke:var(--faint)}
.grid{stroke:var(--grid)}
.line{fill:none!important;stroke-width:2}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0 10px;padding:0;list-style:none;
font-size:13.5px}
.legend svg{display:inline-block;width:12px;height:12px;margin:0 5px 0 0;vertical-align:-1px}
.scroll{overflow-x:auto}
@media(min-width:1000px){.wide{grid-column:1/-1}
.wide .halves{display:grid;gap:24px;grid-template-columns:minmax(0,5fr) minmax(0,7fr)}}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:3px 6px;text-align:right;border-top:1px solid var(--grid)}
td{white-space:nowrap}
.tone0{fill:var(--tone0);stroke:var(--tone0)}.tone1{fill:var(--tone1);stroke:var(--tone1)}
.tone2{fill:var(--tone2);stroke:var(--tone2)}.tone3{fill:var(--tone3);stroke:var(--tone3)}
.tone4{fill:var(--tone4);stroke:var(--tone4)}.tone5{fill:var(--tone5);stroke:var(--tone5)}
th{color:var(--faint);font-weight:600;border-top:0}
th:first-child,td:first-child{text-align:left}
)";

using Rows = std::vector<std::vector<std::string>>;

std::string Html(std::string_view text) { return EscapeHtml(text); }

// The first row is the header.
std::string TableHtml(const Rows& rows) {
  std::string html = "<div class=\"scroll\"><table>";
  for (const auto& row : rows) {
    const char* const cell = &row == &rows.front() ? "th" : "td";
    html += "<tr>";
    for (const std::string& text : row) {
      absl::StrAppend(&html, "<", cell, ">", Html(text), "</", cell, ">");
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

std::string LegendHtml(const std::vector<std::string>& names) {
  if (names.size() < 2) return "";
  std::string html = "<ul class=\"legend\">";
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StrAppend(&html, "<li>", MarkerSvg(i), Html(names[i]), "</li>");
  }
  return html + "</ul>";
}

struct Plot {
  bool wide = false;  // the numbers beside the drawing, where there is room
  std::string title;
  std::string about;
  std::string svg;
  std::vector<std::string> legend;
  Rows rows;
};

std::string PlotHtml(const Plot& plot) {
  return absl::StrCat(plot.wide ? "<figure class=\"wide\">" : "<figure>", "<h3>", Html(plot.title),
                      "</h3><p class=\"faint\">", Html(plot.about),
                      "</p><div class=\"halves\"><div>", plot.svg, LegendHtml(plot.legend),
                      "</div>", TableHtml(plot.rows), "</div></figure>\n");
}

struct Sweep {
  std::string_view name;  // as Scene::sweep
  std::string_view title;
  std::string_view x_label;
  uint64_t Scene::*x;
};

constexpr Sweep kSweeps[] = {
    {"pods", "pods", "pods (a policy for every ten)", &Scene::pods},
    {"policies", "policies", "policies (10,000 pods)", &Scene::policies},
    {"cidrs", "CIDRs", "distinct CIDRs (10,000 pods, 1,000 policies)", &Scene::cidrs},
};

// "avx512" of "npf decide avx512".
std::string ShortName(const std::string& contender) {
  constexpr std::string_view kStage = "npf decide ";
  return contender.starts_with(kStage) ? contender.substr(kStage.size()) : contender;
}

// Median ns by x, for each line.
using SweepLines = std::map<std::string, std::map<uint64_t, double>>;

SweepLines GatherSweep(std::span<const Report> reports, const Sweep& sweep,
                       std::string_view family) {
  SweepLines lines;
  for (const Report& report : reports) {
    for (const Scene& scene : report.scenes) {
      if (scene.sweep != sweep.name || scene.family != family) continue;
      for (const Figure& figure : scene.figures) {
        const std::string name = absl::StrCat(scene.traffic, ", ", ShortName(figure.contender));
        if (lines.size() < kTones || lines.contains(name)) {
          lines[name][scene.*sweep.x] = figure.median_ns();
        }
      }
    }
  }
  return lines;
}

Rows SweepRows(const SweepLines& lines, std::string_view x_name) {
  std::map<uint64_t, std::vector<std::string>> by_x;
  Rows rows{{std::string(x_name)}};
  for (const auto& [name, points] : lines) {
    rows[0].push_back(name);
    for (const auto& [x, ns] : points) {
      std::vector<std::string>& row = by_x[x];
      row.resize(rows[0].size() - 1, "-");
      row[0] = Fixed(static_cast<double>(x), 0);
      row.push_back(Fixed(ns, 2));
    }
  }
  for (auto& [x, row] : by_x) rows.push_back(std::move(row));
  return rows;
}

std::string SweepPlotHtml(const SweepLines& lines, const Sweep& sweep, std::string_view family) {
  LineChart chart{.title = absl::StrCat(family == "v6" ? "IPv6" : "IPv4", ": ns a decision over ",
                                        std::string(sweep.title)),
                  .x_label = std::string(sweep.x_label),
                  .y_label = "ns a decision"};
  Plot plot{.title = chart.title, .about = "Classify() in batches of 64, median of the rounds"};
  for (const auto& [name, points] : lines) {
    Line& line = chart.lines.emplace_back(Line{.name = name});
    for (const auto& [x, ns] : points) line.points.emplace_back(static_cast<double>(x), ns);
    plot.legend.push_back(name);
  }
  plot.svg = ToSvg(chart);
  plot.rows = SweepRows(lines, sweep.title);
  return PlotHtml(plot);
}

// A plot for each family, because IPv6 would leave no height for the lines of IPv4.
std::string SweepHtml(std::span<const Report> reports) {
  std::string html;
  for (const Sweep& sweep : kSweeps) {
    for (const std::string_view family : {"v4", "v6"}) {
      const SweepLines lines = GatherSweep(reports, sweep, family);
      if (!lines.empty()) html += SweepPlotHtml(lines, sweep, family);
    }
  }
  if (html.empty()) return "";
  return absl::StrCat("<h2>How cost grows</h2><div class=\"plots\">", html, "</div>");
}

Rows FigureRows(const Scene& scene) {
  Rows rows{{"contender", "median ns", "best ns", "cycles", "M/s", "tables", "build ms",
             "verdicts that differ"}};
  for (const Figure& figure : scene.figures) {
    rows.push_back({figure.contender, Fixed(figure.median_ns(), 2), Fixed(figure.best_ns(), 2),
                    Fixed(figure.median_cycles(), 1), Fixed(figure.decisions_per_second() / 1e6, 1),
                    Megabytes(figure.table_bytes),
                    Fixed(static_cast<double>(figure.build_ns) / 1e6, 1),
                    figure.checked == 0
                        ? "-"
                        : absl::StrCat(Fixed(static_cast<double>(figure.disagreements), 0), " of ",
                                       Fixed(static_cast<double>(figure.checked), 0))});
  }
  return rows;
}

std::string SceneHtml(const Scene& scene) {
  constexpr double kLongest = 16;  // times the shortest bar; beyond, it is cut off
  BarChart chart{.title = scene.Name(), .label = "ns a decision, median; less is better"};
  double shortest = 1e18;
  double longest = 0;
  for (const Figure& figure : scene.figures) {
    const double ns = figure.median_ns();
    shortest = std::min(shortest, ns);
    longest = std::max(longest, ns);
    chart.bars.push_back({.name = figure.contender,
                          .value = ns,
                          .text = absl::StrCat(Fixed(ns, ns < 100 ? 1 : 0), " ns"),
                          .tone = figure.rival ? size_t{1} : size_t{0}});
  }
  chart.max = std::min(longest, kLongest * shortest);
  const bool rivals = std::ranges::any_of(scene.figures, &Figure::rival);
  return PlotHtml(
      {.wide = true,
       .title = scene.Name(),
       .about = absl::StrCat(SceneText(scene), ". ", VerdictMixText(scene), "."),
       .svg = ToSvg(chart),
       .legend = rivals ? std::vector<std::string>{"npf", "others"} : std::vector<std::string>{},
       .rows = FigureRows(scene)});
}

std::string ScenesHtml(std::span<const Report> reports) {
  std::string html;
  for (const Report& report : reports) {
    for (const Scene& scene : report.scenes) {
      if (scene.sweep.empty() && !scene.figures.empty()) html += SceneHtml(scene);
    }
  }
  if (html.empty()) return "";
  return absl::StrCat("<h2>Beside others, over the same packets</h2><div class=\"plots\">", html,
                      "</div>");
}

void AddLatency(const Scene& scene, const Latency& latency, BarChart& chart, Plot& plot) {
  const std::string name = absl::StrCat(scene.Name(), ", ", latency.kernel);
  const std::pair<const char*, double> shares[] = {
      {"p50", latency.p50_ns}, {"p99", latency.p99_ns}, {"p99.9", latency.p999_ns}};
  for (size_t i = 0; i < std::size(shares); ++i) {
    chart.bars.push_back({.name = absl::StrCat(name, ": ", shares[i].first),
                          .value = shares[i].second,
                          .text = absl::StrCat(Fixed(shares[i].second, 0), " ns"),
                          .tone = i});
    chart.max = std::max(chart.max, shares[i].second);
  }
  plot.rows.push_back({name, Fixed(latency.p50_ns, 0), Fixed(latency.p99_ns, 0),
                       Fixed(latency.p999_ns, 0), Fixed(latency.p999_ns / latency.p50_ns, 1)});
}

std::string LatencyHtml(std::span<const Report> reports) {
  BarChart chart{.title = "Latency of a batch of 64", .label = "ns a batch of 64"};
  Plot plot{.wide = true,
            .title = chart.title,
            .about = "From the call of Classify() to its return.",
            .legend = {"p50", "p99", "p99.9"},
            .rows = {{"scene", "p50 ns", "p99 ns", "p99.9 ns", "p99.9 over p50"}}};
  for (const Report& report : reports) {
    for (const Scene& scene : report.scenes) {
      for (const Latency& latency : scene.latencies) AddLatency(scene, latency, chart, plot);
    }
  }
  if (chart.bars.empty()) return "";
  plot.svg = ToSvg(chart);
  return absl::StrCat("<h2>Latency</h2><div class=\"plots\">", PlotHtml(plot), "</div>");
}

}  // namespace

std::string ToHtml(std::span<const Report> reports) {
  std::string html = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>npf-bench</title><style>",
      std::string(kStyle), "</style></head><body><h1>npf-bench</h1>\n");
  for (const Report& report : reports) {
    absl::StrAppend(&html, "<p><code>", Html(report.command), "</code></p><p class=\"faint\">",
                    Html(report.date), ": ", Html(MachineText(report)), "</p>\n");
    for (const std::string& line : report.missing) {
      absl::StrAppend(&html, "<p class=\"faint\">Missing: ", Html(line), "</p>\n");
    }
  }
  html += ScenesHtml(reports);
  html += SweepHtml(reports);
  html += LatencyHtml(reports);
  return html + "</body></html>\n";
}

}  // namespace npf::bench
