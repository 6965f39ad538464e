#include "ctl/picture.hpp"

#include "ctl/format.hpp"
#include "ctl/text.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ctl {

double round_scale(double value) {
  constexpr double least = 1e-6;
  if (!(value > least))
    return least;
  const double decade = std::pow(10, std::floor(std::log10(value)));
  // A hair of slack, so that the powers' rounding does not cost a step.
  for (const double factor : {1.0, 2.0, 5.0})
    if (value <= decade * factor * (1 + 1e-9))
      return decade * factor;
  return decade * 10;
}

std::string draw(const interval& what, double scale_s, std::size_t columns,
                 char mark) {
  std::string line(columns, ' ');
  const auto centre = static_cast<std::ptrdiff_t>(columns / 2);
  const auto end = static_cast<std::ptrdiff_t>(columns);
  line[static_cast<std::size_t>(centre)] = '|';
  // −1 and `end` stand for all that lies outside, whatever its size.
  const auto column = [&](double s) {
    const double at
      = std::round(static_cast<double>(centre) * (1 + s / scale_s));
    if (!(at >= 0))
      return std::ptrdiff_t{-1};
    return at < static_cast<double>(end) ? static_cast<std::ptrdiff_t>(at)
                                         : end;
  };
  const auto put = [&](std::ptrdiff_t at, char c) {
    if (at >= 0 && at < end)
      line[static_cast<std::size_t>(at)] = c;
  };
  const std::ptrdiff_t middle = column(what.middle_s);
  const std::ptrdiff_t from = column(what.middle_s - what.half_width_s);
  const std::ptrdiff_t to = column(what.middle_s + what.half_width_s);
  for (std::ptrdiff_t at = from; at <= to; ++at)
    put(at, '-');
  if (from < to) {
    put(from, '[');
    put(to, ']');
  }
  put(middle, mark);
  if (middle < 0)
    put(0, '<');
  if (middle == end)
    put(end - 1, '>');
  return line;
}

std::string draw_axis(double scale_s, std::size_t columns) {
  const std::string low = span(scale_s) + " behind";
  const std::string high = span(scale_s) + " ahead";
  std::string line = left(low, columns - std::min(columns, high.size())) + high;
  if (line[columns / 2] == ' ')
    line[columns / 2] = '|';
  return line;
}

} // namespace concert::ctl
