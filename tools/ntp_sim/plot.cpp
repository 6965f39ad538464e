#include "tools/ntp_sim/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <vector>

namespace concert::sim {

namespace {

constexpr double width = 1200;
constexpr double left = 90;
constexpr double right = 250; ///< for the legend
constexpr double panel_height = 320;
constexpr double gap = 70;
constexpr double top = 50;

struct curve {
  const series* data;
  std::string name;
  std::string_view colour;
  bool dashed = false;
};

/// A unit in which numbers of this size are easy to read.
struct unit {
  double size;
  std::string_view name;
};

unit time_unit(double span_s) {
  constexpr std::array<unit, 4> units{
    {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
  for (const auto& u : units)
    if (span_s >= 4 * u.size)
      return u;
  return units.back();
}

unit error_unit(double largest_s) {
  constexpr std::array<unit, 4> units{
    {{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}}};
  for (const auto& u : units)
    if (largest_s >= u.size)
      return u;
  return units.back();
}

/// 1, 2 or 5 times a power of ten, so that about `count` fit.
double tick_step(double span, int count) {
  const double raw = span / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw)
      return factor * power;
  return 10 * power;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  }
  return result;
}

/// One frame with its axes and curves.
class panel {
public:
  panel(std::string& out, double y, double from_s, double until_s)
    : out_(out),
      y_(y),
      from_s_(from_s),
      until_s_(until_s),
      time_(time_unit(until_s - from_s)) {
    // nop
  }

  void draw(const std::vector<curve>& curves, std::string_view title) {
    find_range(curves);
    text(left, y_ - 8, title, "start", "bold");
    frame();
    for (std::size_t i = 0; i < curves.size(); ++i) {
      draw_curve(curves[i]);
      draw_legend(curves[i], i);
    }
  }

private:
  double x_of(double time_s) const {
    return left
           + (time_s - from_s_) / (until_s_ - from_s_) * (width - left - right);
  }
  double y_of(double value) const {
    const double share = (value - low_) / (high_ - low_);
    // What lies outside is drawn at the edge.
    return y_ + panel_height * (1 - std::clamp(share, 0.0, 1.0));
  }

  void find_range(const std::vector<curve>& curves) {
    bool any = false;
    for (const auto& c : curves) {
      for (const auto& s : c.data->spans()) {
        if (s.empty)
          continue;
        low_ = any ? std::min(low_, s.low) : s.low;
        high_ = any ? std::max(high_, s.high) : s.high;
        any = true;
      }
    }
    if (!any || !std::isfinite(low_) || !std::isfinite(high_)) {
      low_ = -1;
      high_ = 1;
    }
    const double margin = std::max(0.05 * (high_ - low_), 1e-10);
    low_ -= margin;
    high_ += margin;
    error_ = error_unit(std::max(std::abs(low_), std::abs(high_)));
  }

  void line(double x1, double y1, double x2, double y2,
            std::string_view colour) {
    fmt::format_to(std::back_inserter(out_),
                   "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" "
                   "y2=\"{:.1f}\" stroke=\"{}\"/>\n",
                   x1, y1, x2, y2, colour);
  }

  void text(double x, double y, std::string_view what, std::string_view anchor,
            std::string_view weight = "normal") {
    fmt::format_to(std::back_inserter(out_),
                   "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" "
                   "font-weight=\"{}\">{}</text>\n",
                   x, y, anchor, weight, escaped(what));
  }

  /// The multiples of a step that lie in a range.
  static std::vector<double> ticks(double low, double high, int about) {
    const double step = tick_step(high - low, about);
    const double first = std::ceil(low / step);
    const auto count = static_cast<int>(std::floor(high / step) - first) + 1;
    std::vector<double> result;
    result.reserve(static_cast<std::size_t>(std::max(count, 0)));
    for (int i = 0; i < count; ++i)
      result.push_back((first + i) * step);
    return result;
  }

  void frame() {
    for (const double v : ticks(low_ / error_.size, high_ / error_.size, 6)) {
      const double y = y_of(v * error_.size);
      line(left, y, width - right, y, v == 0 ? "#888" : "#ddd");
      text(left - 6, y + 4, fmt::format("{:.6g} {}", v, error_.name), "end");
    }
    for (const double v :
         ticks(from_s_ / time_.size, until_s_ / time_.size, 8)) {
      const double x = x_of(v * time_.size);
      line(x, y_, x, y_ + panel_height, "#ddd");
      text(x, y_ + panel_height + 16, fmt::format("{:.6g} {}", v, time_.name),
           "middle");
    }
    fmt::format_to(std::back_inserter(out_),
                   "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                   "height=\"{:.1f}\" fill=\"none\" stroke=\"#444\"/>\n",
                   left, y_, width - left - right, panel_height);
  }

  void draw_curve(const curve& c) {
    std::string points;
    const auto& spans = c.data->spans();
    for (std::size_t i = 0; i < spans.size(); ++i) {
      if (spans[i].empty)
        continue;
      const double x = x_of(c.data->time_s(i));
      fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", x,
                     y_of(spans[i].low));
      if (spans[i].high != spans[i].low)
        fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", x,
                       y_of(spans[i].high));
    }
    fmt::format_to(std::back_inserter(out_),
                   "<polyline fill=\"none\" stroke=\"{}\"{} points=\"{}\"/>\n",
                   c.colour, c.dashed ? " stroke-dasharray=\"4 3\"" : "",
                   points);
  }

  void draw_legend(const curve& c, std::size_t row) {
    const double y = y_ + 14 + 18 * static_cast<double>(row);
    line(width - right + 12, y - 4, width - right + 36, y - 4, c.colour);
    text(width - right + 42, y, c.name, "start");
  }

  std::string& out_;
  double y_;
  double from_s_;
  double until_s_;
  unit time_;
  unit error_{1, "s"};
  double low_ = -1;
  double high_ = 1;
};

std::vector<curve> upper_curves(const course& c) {
  return {{&c.sure_low, "belief − estimated error", "#7aa6d9", true},
          {&c.sure_high, "belief + estimated error", "#7aa6d9", true},
          {&c.belief, "what the daemon believes", "#1f5fa8"},
          {&c.error, "true error", "#c22"}};
}

std::vector<curve> lower_curves(const course& c) {
  constexpr std::array<std::string_view, 8> colours{
    "#2a7", "#b70", "#75b", "#088", "#a55", "#583", "#c5a", "#667"};
  // A legend has room for so many.
  constexpr std::size_t most = 12;
  std::vector<curve> result{
    {&c.bound_low, "belief − max error", "#999", true},
    {&c.bound_high, "belief + max error", "#999", true}};
  for (const auto& [name, data] : c.sources) {
    if (result.size() == most)
      break;
    result.push_back(
      {&data, "by " + name, colours[result.size() % colours.size()]});
  }
  result.push_back({&c.error, "true error", "#c22"});
  return result;
}

} // namespace

std::string plot(const course& c, const std::string& title) {
  const double height = top + 2 * panel_height + 2 * gap;
  std::string out = fmt::format(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
    "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
    "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
    "<text x=\"{2}\" y=\"22\" font-size=\"16\">{3}</text>\n",
    width, height, left, escaped(title));
  panel{out, top, c.from_s, c.until_s}.draw(upper_curves(c), "clock − truth");
  panel{out, top + panel_height + gap, c.from_s, c.until_s}.draw(
    lower_curves(c), "clock − truth: bound, and by each source");
  return out + "</svg>\n";
}

} // namespace concert::sim
