#include "ntp_core/discipline/error_bound.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// No oscillator is trusted more than this over time, ratio.
constexpr double least_growth = 0.1e-6;

/// Deviations within which the error always lies. With two of them it lay
/// outside 0.5 % of the time where the poll is long for the oscillator.
constexpr double certain = 5;

double square(double v) {
  return v * v;
}

} // namespace

double error_bound::doubt_s(raw_time when) const {
  const double age = std::max(0.0, (when - belief_.at).seconds());
  return std::hypot(certain * stability_s(when), least_growth * age);
}

double error_bound::max_error_s(raw_time when) const {
  return upstream_.delay_s / 2 + upstream_.dispersion_s
         + upstream_.disagreement_s + doubt_s(when);
}

double error_bound::stability_s(raw_time when) const {
  return std::sqrt(belief_.predicted(when).variance_s2);
}

double error_bound::estimated_error_s(raw_time when) const {
  return std::sqrt(square(stability_s(when)) + upstream_.bias_variance
                   + square(upstream_.stamp_s)
                   + square(upstream_.disagreement_s));
}

error_budget error_bound::budget(raw_time when) const {
  const double now = belief_.predicted(when).variance_s2;
  // An error of the frequency that makes up for one of the offset lets the
  // doubt shrink for a while.
  const double growth = std::max(0.0, now - belief_.variance_s2);
  error_budget b;
  b.measurement_s = std::sqrt(now - growth);
  b.wander_s = std::sqrt(growth);
  b.server_s = std::sqrt(upstream_.server_variance + square(upstream_.stamp_s));
  b.asymmetry_s = std::sqrt(
    std::max(0.0, upstream_.bias_variance - upstream_.server_variance));
  b.disagreement_s = upstream_.disagreement_s;
  return b;
}

void error_bound::serve(served_time& served, raw_time when,
                        double extra_s) const {
  const auto now = belief_.predicted(when);
  const double fixed = std::max(
    upstream_.dispersion_s + upstream_.disagreement_s + extra_s, 1e-9);
  const double moving = std::max(doubt_s(when), 1e-9);
  // (fixed + moving(t))² ≤ (1 + k) fixed² + (1 + 1/k) moving(t)²; the k that
  // makes it equal now, kept from making later values needlessly large.
  const double k = std::clamp(moving / fixed, 0.05, 20.0);
  const double gain = 1 + 1 / k;
  const double age = std::max(0.0, (when - belief_.at).seconds());
  served.variance_base = (1 + k) * square(fixed) + gain * square(moving);
  served.variance_linear
    = gain
      * (2 * square(certain) * std::max(0.0, now.covariance_s)
         + 2 * square(least_growth) * age);
  served.variance_quadratic
    = gain * (square(certain) * now.frequency_variance + square(least_growth));
  served.variance_cubic = gain * square(certain) * square(now.wander) / 3;
}

} // namespace concert::ntp
