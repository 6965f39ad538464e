#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace concert::ctl {

/// Where a time lies against the agreed one, and how surely, s.
struct interval {
  double middle_s = 0;
  double half_width_s = 0;
};

/// The smallest of 1, 2 and 5 times a power of ten that is no less than
/// `value` and than 1 us.
double round_scale(double value);

/// Draws an interval into `columns` characters, whose middle is the agreed
/// time and whose ends are `scale_s` before and after it:
/// "      |  [--o--]    ". What lies outside shows as '<' or '>' at that end.
std::string draw(const interval& what, double scale_s, std::size_t columns,
                 char mark);

/// The axis over such pictures: "500 us behind  |  500 us ahead".
std::string draw_axis(double scale_s, std::size_t columns);

} // namespace concert::ctl
