#include "table.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "measure.h"
#include "npf/output.h"
#include "report_text.h"

namespace npf::bench {
namespace {

constexpr double kTwoFibNs = 3.2;  // two bare look-ups on the core that row 1 is told for

std::string Ratio(double value) { return absl::StrCat(Fixed(value, 2), "x"); }

bool Meets(const Bound& bound, double limit) {
  return bound.at_least ? bound.value >= limit : bound.value <= limit;
}

// Looks figures up by what the rows call them, and knows when one is missing.
class TableMaker {
 public:
  TableMaker(const Report& report, double instructions)
      : report_(report), instructions_(instructions) {}

  std::vector<TableRow> Make() {
    AddSpeed();
    AddInstructions();
    AddFib();
    AddAcl(4, 10, "avx512x32", "avx2", {3, 5}, {5, 8});
    AddAcl(5, 100, "avx512x32", "scalar", {7, 13}, {10, 40});
    AddGrowth();
    AddParse();
    AddIpv6();
    AddCidrs();
    AddCompile();
    AddBytes();
    AddLatency();
    return std::move(rows_);
  }

 private:
  using Pair = std::pair<double, double>;

  const Scene* FindScene(const std::string& name) const {
    const auto found = std::ranges::find(report_.scenes, name, &Scene::Name);
    return found == report_.scenes.end() ? nullptr : &*found;
  }
  // The one of a scene's whose name begins so: a kernel or a size follows.
  static const Figure* FindFigure(const Scene* scene, const std::string& name) {
    if (scene == nullptr) return nullptr;
    const auto found = std::ranges::find_if(
        scene->figures, [&](const Figure& figure) { return figure.contender.starts_with(name); });
    return found == scene->figures.end() ? nullptr : &*found;
  }
  const Figure* Decide(const std::string& scene) const {
    return FindFigure(FindScene(scene), "npf decide");
  }

  // Round by round, because the rounds of both were interleaved. 0 where one is missing.
  static double RatioOf(const Figure* over, const Figure* under) {
    if (over == nullptr || under == nullptr) return 0;
    std::vector<double> ratios;
    for (size_t i = 0; i < std::min(over->ns.size(), under->ns.size()); ++i) {
      ratios.push_back(over->ns[i] / under->ns[i]);
    }
    return Median(std::move(ratios));
  }

  void Add(TableRow row, const std::vector<Bound>& bounds, const std::vector<Bound>& others = {}) {
    row.standing = StandingOf(bounds, others);
    if (row.standing == Standing::kNotMeasured) row.measured = "not measured";
    rows_.push_back(std::move(row));
  }

  void AddSpeed() {
    const Figure* const uniform = Decide("std/v4/uniform");
    const Figure* const zipf = Decide("std/v4/zipf");
    if (uniform == nullptr || zipf == nullptr) return;
    const Figure* const fib = FindFigure(FindScene("std/v4/zipf"), "rte_fib x2 avx512");
    const double scale = fib == nullptr ? 1 : kTwoFibNs / fib->median_ns();
    const Pair speed{uniform->decisions_per_second() / 1e6, zipf->decisions_per_second() / 1e6};
    const std::string scaled =
        fib == nullptr ? "" : absl::StrCat(" (two rte_fib: ", Fixed(fib->median_ns(), 1), " ns)");
    Add({.number = 1,
         .what = "decide, uniform / Zipf, M/s",
         .gate = absl::StrCat(">= ", Fixed(140 * scale, 0), scaled),
         .aim = absl::StrCat(">= ", Fixed(200 * scale, 0)),
         .measured = absl::StrCat(Fixed(speed.first, 0), " / ", Fixed(speed.second, 0))},
        {{speed.first, 140 * scale, 200 * scale, true},
         {speed.second, 140 * scale, 200 * scale, true}});
  }

  void AddInstructions() {
    Add({.number = 2,
         .what = "instructions a decision, scalar",
         .gate = "<= 75",
         .aim = "<= 50",
         .measured = Fixed(instructions_, 1)},
        {{instructions_, 75, 50}});
  }

  void AddFib() {
    const double ratio =
        RatioOf(Decide("std/v4/zipf"), FindFigure(FindScene("std/v4/zipf"), "rte_fib x2 avx512"));
    Add({.number = 3,
         .what = "decide over two rte_fib AVX-512, Zipf",
         .gate = "<= 1.9x",
         .aim = "<= 1.4x",
         .measured = Ratio(ratio)},
        {{ratio, 1.9, 1.4}});
  }

  // The scene whose packets go to what a set of at most that many rules speaks of: the largest.
  const Scene* FindAclScene(uint64_t rules_max) const {
    const Scene* found = nullptr;
    uint64_t most = 0;
    for (const Scene& scene : report_.scenes) {
      unsigned long rules = 0;
      if (std::sscanf(scene.traffic.c_str(), "to-%lu-rules", &rules) != 1) continue;
      if (rules > rules_max || rules < most) continue;
      most = rules;
      found = &scene;
    }
    return found;
  }

  void AddAcl(int number, uint64_t thousands, const std::string& fast, const std::string& slow,
              Pair gate, Pair aim) {
    const std::string size = absl::StrCat(thousands, "k");
    const Scene* const scene = FindAclScene(thousands * 1'000);
    const Figure* const decide = FindFigure(scene, "npf decide");
    const auto ratio = [&](const std::string& how) {
      return RatioOf(FindFigure(scene, absl::StrCat("rte_acl ", size, " ", how)), decide);
    };
    const Pair faster{ratio(fast), ratio(slow)};
    Add({.number = number,
         .what = absl::StrCat("rte_acl ", size, " ", fast, " / ", slow, " over decide"),
         .gate = absl::StrCat(">= ", Fixed(gate.first, 0), "x / ", Fixed(gate.second, 0), "x"),
         .aim = absl::StrCat(">= ", Fixed(aim.first, 0), "x / ", Fixed(aim.second, 0), "x"),
         .measured = absl::StrCat(Ratio(faster.first), " / ", Ratio(faster.second))},
        {{faster.first, gate.first, aim.first, true},
         {faster.second, gate.second, aim.second, true}});
  }

  void AddGrowth() {
    const Figure* const uniform = Decide("large/v4/uniform");
    const Figure* const zipf = Decide("large/v4/zipf");
    if (uniform == nullptr || zipf == nullptr) return;
    const Pair ratio{RatioOf(uniform, Decide("tiny/v4/uniform")),
                     RatioOf(zipf, Decide("tiny/v4/zipf"))};
    Add({.number = 6,
         .what = "large over tiny, uniform / Zipf",
         .gate = "<= 2.5x / 1.8x, or 10 / 8 ns",
         .aim = "<= 1.6x / 1.3x",
         .measured = absl::StrCat(Ratio(ratio.first), " / ", Ratio(ratio.second), ", ",
                                  Fixed(uniform->median_ns(), 1), " / ",
                                  Fixed(zipf->median_ns(), 1), " ns")},
        {{ratio.first, 2.5, 1.6}, {ratio.second, 1.8, 1.3}},
        {{uniform->median_ns(), 10, 0}, {zipf->median_ns(), 8, 0}});
  }

  void AddParse() {
    const Figure* const decide = Decide("std/v4/uniform");
    const Figure* const parse = FindFigure(FindScene("std/v4/uniform"), "npf parse+decide");
    if (decide == nullptr || parse == nullptr) return;
    const double ratio = RatioOf(parse, decide);
    const double added_ns = parse->median_ns() - decide->median_ns();
    Add({.number = 7,
         .what = "parse+decide over decide",
         .gate = "<= 1.5x, or + 3 ns",
         .aim = "<= 1.25x",
         .measured = absl::StrCat(Ratio(ratio), ", + ", Fixed(added_ns, 1), " ns")},
        {{ratio, 1.5, 1.25}}, {{added_ns, 3, 0}});
  }

  void AddIpv6() {
    const Figure* const v6 = Decide("std/v6/uniform");
    if (v6 == nullptr) return;
    const double ratio = RatioOf(v6, Decide("std/v4/uniform"));
    Add({.number = 8,
         .what = "IPv6 over IPv4",
         .gate = "<= 2.5x, or 14 ns",
         .aim = "<= 1.5x",
         .measured = absl::StrCat(Ratio(ratio), ", ", Fixed(v6->median_ns(), 1), " ns")},
        {{ratio, 2.5, 1.5}}, {{v6->median_ns(), 14, 0}});
  }

  void AddCidrs() {
    const double ratio = RatioOf(Decide("cidr/v4/uniform"), Decide("std/v4/uniform"));
    Add({.number = 9,
         .what = "cidr over std",
         .gate = "<= 2x",
         .aim = "<= 1.4x",
         .measured = Ratio(ratio)},
        {{ratio, 2, 1.4}});
  }

  void AddCompile() {
    const Scene* const standard = FindScene("std/v4/uniform");
    const Scene* const large = FindScene("large/v4/uniform");
    if (standard == nullptr || large == nullptr) return;
    const Pair ms{static_cast<double>(standard->compile_ns) / 1e6,
                  static_cast<double>(large->compile_ns) / 1e6};
    Add({.number = 10,
         .what = "compile std / large, ms",
         .gate = "<= 20 / 600",
         .aim = "<= 5 / 100",
         .measured = absl::StrCat(Fixed(ms.first, 1), " / ", Fixed(ms.second, 0))},
        {{ms.first, 20, 5}, {ms.second, 600, 100}});
  }

  void AddBytes() {
    const Scene* const standard = FindScene("std/v4/uniform");
    const Scene* const large = FindScene("large/v4/uniform");
    if (standard == nullptr || large == nullptr) return;
    const Pair megabytes{static_cast<double>(standard->v4_bytes) / 1e6,
                         static_cast<double>(large->v4_bytes) / 1e6};
    Add({.number = 11,
         .what = "tables of IPv4, std / large, MB",
         .gate = "<= 1.5 / 16",
         .aim = "<= 0.75 / 6",
         .measured = absl::StrCat(Fixed(megabytes.first, 2), " / ", Fixed(megabytes.second, 2))},
        {{megabytes.first, 1.5, 0.75}, {megabytes.second, 16, 6}});
  }

  void AddLatency() {
    const Scene* const scene = FindScene("std/v4/uniform");
    if (scene == nullptr || scene->latencies.empty()) return;
    const Latency& latency = scene->latencies.front();
    const double ratio = latency.p999_ns / latency.p50_ns;
    Add({.number = 12,
         .what = "batch of 64: p99.9 over p50",
         .gate = "<= 3x",
         .aim = "<= 2x",
         .measured = absl::StrCat(Ratio(ratio), ", ", Fixed(latency.p999_ns, 0), " / ",
                                  Fixed(latency.p50_ns, 0), " ns")},
        {{ratio, 3, 2}});
  }

  const Report& report_;
  double instructions_;
  std::vector<TableRow> rows_;
};

}  // namespace

Standing StandingOf(std::span<const Bound> bounds, std::span<const Bound> others) {
  const auto measured = [](const Bound& bound) { return bound.value > 0; };
  const auto holds = [](const Bound& bound) { return Meets(bound, bound.gate); };
  const auto reaches = [](const Bound& bound) { return Meets(bound, bound.aim); };
  if (!std::ranges::all_of(bounds, measured)) return Standing::kNotMeasured;
  if (std::ranges::all_of(bounds, reaches)) return Standing::kAim;
  if (std::ranges::all_of(bounds, holds)) return Standing::kHolds;
  const bool otherwise = !others.empty() && std::ranges::all_of(others, holds);
  return otherwise ? Standing::kHolds : Standing::kOver;
}

std::vector<TableRow> MakeTable(const Report& report, double instructions) {
  return TableMaker(report, instructions).Make();
}

std::string ToText(std::span<const TableRow> rows) {
  constexpr const char* kStandings[] = {"-", "OVER", "holds", "holds, and the aim"};
  tools::Table table({">#", "FIGURE", "GATE", "AIM", "MEASURED", ""});
  for (const TableRow& row : rows) {
    table.AddRow({absl::StrCat(row.number), row.what, row.gate, row.aim, row.measured,
                  kStandings[static_cast<size_t>(row.standing)]});
  }
  return table.Text();
}

}  // namespace npf::bench
