#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/discipline/path_sample.hpp"

#include <cmath>
#include <cstdint>
#include <random>

/// Exchanges with known truth, on the raw scale.
namespace concert::ntp::testing {

/// A repeatable source of noise.
class dice {
public:
  explicit dice(std::uint64_t seed = 1) : engine_(seed) {}

  /// In (0, 1).
  double uniform() {
    return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53;
  }
  double uniform(double low, double high) {
    return low + (high - low) * uniform();
  }
  double exponential() { return -std::log(uniform()); }
  double normal() {
    return std::sqrt(-2 * std::log(uniform()))
           * std::cos(6.283185307179586 * uniform());
  }

private:
  std::mt19937_64 engine_;
};

/// The ways to a server and back, s.
struct route {
  double forward_s = 1e-3;
  double backward_s = 1e-3;
  double queueing_s = 50e-6; ///< mean of the exponential part, each way
  double server_error_s = 0; ///< server − true time
};

inline raw_time raw_at(double s) {
  return raw_time{} + ntp_duration::from_seconds(s);
}

/// An oscillator that is wrong by known amounts, and exchanges made with it.
struct oscillator {
  double offset_s = 0;  ///< remote − raw at the start
  double frequency = 0; ///< of remote − raw, ratio

  /// remote − raw after `t_s` seconds.
  double at(double t_s) const { return offset_s + frequency * t_s; }

  /// An exchange whose middle is at `t_s`.
  path_sample exchange(const route& r, double t_s, dice& noise) const {
    const double forward = r.forward_s + r.queueing_s * noise.exponential();
    const double backward = r.backward_s + r.queueing_s * noise.exponential();
    path_sample s;
    s.at = raw_at(t_s);
    s.offset = ntp_duration::from_seconds(at(t_s) + (forward - backward) / 2
                                          + r.server_error_s);
    s.delay_s = forward + backward;
    s.span_s = forward + backward;
    s.noise_variance = 1e-14;
    return s;
  }
};

/// How far a belief about the clock is from the truth at `t_s`, s.
inline double error_of(const clock_estimate& c, const oscillator& truth,
                       double t_s) {
  const auto p = c.predicted(raw_at(t_s));
  return p.origin.seconds() + p.offset_s - truth.at(t_s);
}

} // namespace concert::ntp::testing
