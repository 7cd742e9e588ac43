// Charts as SVG that stands inside a page: no script, colours by the page's style sheet.
#ifndef NPF_BENCH_CHART_H_
#define NPF_BENCH_CHART_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace npf::bench {

// Colours and markers by number: the first is ours.
inline constexpr size_t kTones = 6;

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;  // by x, which is positive
};
struct LineChart {
  std::string title;
  std::string x_label;  // with its unit
  std::string y_label;
  std::vector<Line> lines;  // at most kTones
};
// x is logarithmic, y begins at 0.
std::string ToSvg(const LineChart& chart);

struct Bar {
  std::string name;
  double value = 0;
  std::string text;  // the value for people
  size_t tone = 0;
};
struct BarChart {
  std::string title;
  std::string label;  // what the values are, with their unit
  std::vector<Bar> bars;
  double max = 0;  // longer bars are cut off there, with an arrow
};
std::string ToSvg(const BarChart& chart);

// What stands for a tone in a legend.
std::string MarkerSvg(size_t tone);

// Text as it may stand in a page.
std::string EscapeHtml(std::string_view text);
// 1, 2 or 5 times a power of ten: the widest step that makes at least `count` of them up to `max`.
double NiceStep(double max, int count);

}  // namespace npf::bench

#endif  // NPF_BENCH_CHART_H_
