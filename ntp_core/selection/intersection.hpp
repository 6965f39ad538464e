#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

namespace concert::ntp {

/// Where one source says that true time lies, s; both ends belong to it.
struct interval {
  double low = 0;
  double high = 0;

  /// How far they lie apart; not above 0 where they share a point.
  double gap(const interval& o) const {
    return std::max(low - o.high, o.low - high);
  }
  bool touches(const interval& o) const { return gap(o) <= 0; }
};

/// The stretch that most intervals share.
struct intersection {
  interval common;
  std::size_t count = 0; ///< how many intervals cover it
  /// From the lowest to the highest stretch that as many intervals cover; more
  /// than `common` if there are several.
  interval span;
};

/// Marzullo's intersection: the stretch covered by the most intervals. Between
/// equals the one nearest to `prefer` wins, else the narrowest. O(n log n).
/// Nothing when there are no intervals.
std::optional<intersection> intersect(std::span<const interval> intervals,
                                      std::optional<double> prefer);

} // namespace concert::ntp
