#include "chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "report_text.h"

namespace npf::bench {
namespace {

// In units of the drawing, which is scaled to the width of its column. The page's style sheet sets
// text larger where that is narrow; there is room for 15 units.
constexpr double kWidth = 460;
constexpr double kLineHeight = 300;
constexpr double kLeft = 46;
constexpr double kRight = 14;
constexpr double kTop = 12;
constexpr double kBottom = 44;

std::string N(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// "1k", "20k", "1M".
std::string ShortNumber(double value) {
  const auto text = [](double number, const char* suffix) {
    const int decimals = number == std::floor(number) ? 0 : 1;
    return Fixed(number, decimals) + suffix;
  };
  if (value >= 1e6) return text(value / 1e6, "M");
  if (value >= 1e3) return text(value / 1e3, "k");
  return text(value, "");
}

std::string Text(double x, double y, std::string_view anchor, std::string_view text) {
  return absl::StrCat("<text x=\"", N(x), "\" y=\"", N(y), "\" text-anchor=\"", std::string(anchor),
                      "\">", EscapeHtml(text), "</text>");
}

std::string Rule(double x1, double y1, double x2, double y2, std::string_view kind) {
  return absl::StrCat("<line class=\"", std::string(kind), "\" x1=\"", N(x1), "\" y1=\"", N(y1),
                      "\" x2=\"", N(x2), "\" y2=\"", N(y2), "\"/>");
}

std::string Open(double height, const std::string& title) {
  return absl::StrCat("<svg viewBox=\"0 0 ", N(kWidth), " ", N(height),
                      "\" role=\"img\" aria-label=\"", EscapeHtml(title), "\">");
}

// A different shape for each tone, because colour alone tells nothing to some.
std::string Marker(double x, double y, size_t tone) {
  const std::string kind = absl::StrCat("class=\"tone", tone, "\"");
  if (tone % 3 == 0) {
    return absl::StrCat("<circle ", kind, " cx=\"", N(x), "\" cy=\"", N(y), "\" r=\"3.6\"/>");
  }
  if (tone % 3 == 1) {
    return absl::StrCat("<rect ", kind, " x=\"", N(x - 3.3), "\" y=\"", N(y - 3.3),
                        "\" width=\"6.6\" height=\"6.6\"/>");
  }
  return absl::StrCat("<path ", kind, " d=\"M", N(x), " ", N(y - 4.4), "L", N(x + 4.2), " ",
                      N(y + 3.4), "L", N(x - 4.2), " ", N(y + 3.4), "Z\"/>");
}

class LineDrawing {
 public:
  explicit LineDrawing(const LineChart& chart) : chart_(chart) {
    for (const Line& line : chart.lines) {
      for (const auto& [x, y] : line.points) {
        x_min_ = std::min(x_min_, x);
        x_max_ = std::max(x_max_, x);
        y_max_ = std::max(y_max_, y);
      }
    }
    if (x_max_ <= x_min_) x_max_ = 2 * x_min_;
    step_ = NiceStep(y_max_, 4);
    y_max_ = step_ * std::ceil(y_max_ / step_);
  }

  std::string Draw() const {
    std::string svg = Open(kLineHeight, chart_.title);
    DrawAxes(svg);
    for (size_t i = 0; i < chart_.lines.size(); ++i) DrawLine(chart_.lines[i], i, svg);
    return svg + "</svg>";
  }

 private:
  double X(double x) const {
    const double share = std::log(x / x_min_) / std::log(x_max_ / x_min_);
    return kLeft + 8 + share * (kWidth - kLeft - kRight - 16);
  }
  double Y(double y) const {
    return kLineHeight - kBottom - y / y_max_ * (kLineHeight - kTop - kBottom);
  }

  void DrawAxes(std::string& svg) const {
    for (double y = 0; y <= y_max_ * 1.001; y += step_) {
      svg += Rule(kLeft, Y(y), kWidth - kRight, Y(y), y == 0 ? "axis" : "grid");
      svg += Text(kLeft - 6, Y(y) + 4, "end", Fixed(y, step_ < 1 ? 1 : 0));
    }
    double last = -1e9;
    for (double decade = std::pow(10, std::floor(std::log10(x_min_))); decade <= x_max_;
         decade *= 10) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double x = decade * factor;
        if (x < x_min_ * 0.999 || x > x_max_ * 1.001 || X(x) - last < 42) continue;
        last = X(x);
        svg += Rule(X(x), Y(0), X(x), Y(0) + 4, "axis");
        svg += Text(X(x), Y(0) + 17, "middle", ShortNumber(x));
      }
    }
    svg += Text((kLeft + kWidth - kRight) / 2, kLineHeight - 8, "middle", chart_.x_label);
    absl::StrAppend(&svg, "<text text-anchor=\"middle\" transform=\"translate(12 ",
                    N((kTop + kLineHeight - kBottom) / 2), ") rotate(-90)\">",
                    EscapeHtml(chart_.y_label), "</text>");
  }

  void DrawLine(const Line& line, size_t tone, std::string& svg) const {
    std::string path;
    for (const auto& [x, y] : line.points) {
      absl::StrAppend(&path, path.empty() ? "M" : "L", N(X(x)), " ", N(Y(y)));
    }
    absl::StrAppend(&svg, "<path class=\"line tone", tone, "\" d=\"", path, "\"/>");
    for (const auto& [x, y] : line.points) svg += Marker(X(x), Y(y), tone);
  }

  const LineChart& chart_;
  double x_min_ = 1e18;
  double x_max_ = 0;
  double y_max_ = 0;
  double step_ = 1;
};

}  // namespace

std::string MarkerSvg(size_t tone) {
  return absl::StrCat("<svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">", Marker(6, 6, tone),
                      "</svg>");
}

std::string ToSvg(const LineChart& chart) { return LineDrawing(chart).Draw(); }

std::string ToSvg(const BarChart& chart) {
  constexpr double kRow = 34;  // a line of text, and its bar below
  constexpr double kEdge = 8;
  const double bottom = kTop + kRow * static_cast<double>(chart.bars.size());
  const double scale = (kWidth - 2 * kEdge) / chart.max;
  std::string svg = Open(bottom + kBottom, chart.title);
  const double step = NiceStep(chart.max, 4);
  for (double value = 0; value <= chart.max * 1.001; value += step) {
    const double x = kEdge + value * scale;
    svg += Rule(x, kTop, x, bottom + 2, value == 0 ? "axis" : "grid");
    const char* anchor = value == 0 ? "start" : value > chart.max * 0.95 ? "end" : "middle";
    svg += Text(x, bottom + 16, anchor, Fixed(value, step < 1 ? 1 : 0));
  }
  svg += Text(kWidth / 2, bottom + 34, "middle", chart.label);
  double y = kTop;
  for (const Bar& bar : chart.bars) {
    const bool cut = bar.value > chart.max;
    const double end = kEdge + std::min(bar.value, chart.max) * scale;
    svg += Text(kEdge + 2, y + 13, "start", bar.name);
    svg += Text(kWidth - kEdge, y + 13, "end", bar.text);
    absl::StrAppend(&svg, "<path class=\"tone", bar.tone, "\" d=\"M", N(kEdge), " ", N(y + 18), "H",
                    N(cut ? end - 7 : end), cut ? "l7 5.5l-7 5.5" : "v11", "H", N(kEdge), "Z\"/>");
    y += kRow;
  }
  return svg + "</svg>";
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

double NiceStep(double max, int count) {
  if (max <= 0) return 1;
  const double decade = std::pow(10, std::floor(std::log10(max / count)));
  for (const double factor : {5.0, 2.0}) {
    if (decade * factor * count <= max) return decade * factor;
  }
  return decade;
}

}  // namespace npf::bench
