#pragma once

#include <cstddef>
#include <span>

namespace concert::sim {

/// One point of a regression; `weight` is a relative inverse variance.
struct point {
  double x = 0;
  double y = 0;
  double weight = 1;
};

/// A weighted straight line y = offset + slope x, and how sure it is.
struct line_fit {
  double offset = 0; ///< at x = 0
  double slope = 0;
  double offset_variance = 0;
  double covariance = 0; ///< of offset with slope
  double slope_variance = 0;
  /// Mean square of the residuals, for a point of mean weight.
  double residual_variance = 0;
};

/// Least squares; the errors follow from the residuals. At least three points
/// with two different x.
line_fit fit_line(std::span<const point> points);

/// Runs of equal sign among the residuals of `points`, in their order.
std::size_t count_runs(std::span<const point> points, const line_fit& line);

/// The largest number of runs that fewer than 5 % of the sequences of n fair
/// coins have; 0 if there is none.
std::size_t critical_runs(std::size_t n);

} // namespace concert::sim
