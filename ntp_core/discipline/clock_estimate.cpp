#include "ntp_core/discipline/clock_estimate.hpp"

namespace concert::ntp {

clock_estimate clock_estimate::predicted(raw_time when) const {
  clock_estimate result = *this;
  const double dt = (when - at).seconds();
  result.at = when;
  result.offset_s += dt * frequency;
  if (dt <= 0)
    return result;
  const double q = wander * wander;
  result.variance_s2
    += dt * (2 * covariance_s + dt * (frequency_variance + q * dt / 3));
  result.covariance_s += dt * (frequency_variance + q * dt / 2);
  result.frequency_variance += q * dt;
  return result;
}

} // namespace concert::ntp
