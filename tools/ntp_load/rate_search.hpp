#pragma once

#include <optional>

namespace concert::load {

/// Looks for the highest rate that a server carries: doubles until it no longer
/// does, then halves the gap on a logarithmic scale.
class rate_search {
public:
  /// Ends when the highest good rate and the lowest bad one are within
  /// `resolution` (ratio − 1), or above `limit`.
  rate_search(double first, double limit, double resolution)
    : next_(first),
      limit_(limit),
      resolution_(resolution) {}

  /// The next rate to try; nothing when the search is over.
  std::optional<double> next() const;
  /// What became of `next()`.
  void report(bool good);
  /// The highest good rate so far.
  std::optional<double> best() const { return good_; }

private:
  /// Nothing below is of interest.
  static constexpr double least = 10;

  std::optional<double> next_;
  double limit_;
  double resolution_;
  std::optional<double> good_;
  std::optional<double> bad_;
};

} // namespace concert::load
