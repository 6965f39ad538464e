#include "tools/ntp_sim/regression.hpp"

#include <cmath>

namespace concert::sim {

line_fit fit_line(std::span<const point> points) {
  double weights = 0;
  double mean_x = 0;
  double mean_y = 0;
  for (const auto& p : points) {
    weights += p.weight;
    mean_x += p.weight * p.x;
    mean_y += p.weight * p.y;
  }
  mean_x /= weights;
  mean_y /= weights;
  double xx = 0;
  double xy = 0;
  for (const auto& p : points) {
    xx += p.weight * (p.x - mean_x) * (p.x - mean_x);
    xy += p.weight * (p.x - mean_x) * (p.y - mean_y);
  }
  line_fit line;
  line.slope = xy / xx;
  line.offset = mean_y - line.slope * mean_x;

  double residuals = 0;
  for (const auto& p : points) {
    const double r = p.y - line.offset - line.slope * p.x;
    residuals += p.weight * r * r;
  }
  const auto n = static_cast<double>(points.size());
  const double variance = residuals / (n - 2);
  line.residual_variance = variance * n / weights;
  // The mean is independent of the slope; at x = 0 it is not.
  line.slope_variance = variance / xx;
  line.offset_variance
    = variance / weights + mean_x * mean_x * line.slope_variance;
  line.covariance = -mean_x * line.slope_variance;
  return line;
}

std::size_t count_runs(std::span<const point> points, const line_fit& line) {
  std::size_t runs = 0;
  bool above = false;
  for (const auto& p : points) {
    const bool now = p.y > line.offset + line.slope * p.x;
    if (runs == 0 || now != above)
      ++runs;
    above = now;
  }
  return runs;
}

std::size_t critical_runs(std::size_t n) {
  // Each of the n − 1 gaps is a change of sign with probability 1/2.
  if (n < 2)
    return 0;
  const auto gaps = static_cast<double>(n - 1);
  double probability = std::exp2(-gaps);
  double sum = 0;
  std::size_t changes = 0;
  while (sum + probability <= 0.05) {
    sum += probability;
    probability *= (gaps - static_cast<double>(changes))
                   / static_cast<double>(changes + 1);
    ++changes;
  }
  return changes;
}

} // namespace concert::sim
