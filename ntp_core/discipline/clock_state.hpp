#pragma once

#include "ntp_core/discipline/one_sided.hpp"

#include <cstddef>
#include <vector>

namespace concert::ntp {

/// Which way a packet went.
enum class direction { forward, backward };

/// A Gaussian belief about the clock and the paths to its sources
/// (algorithm.md §4.2), in this order:
///
///   f     rate of remote − raw, ratio
///   o     remote − raw, s, less an origin kept outside
///   a, b  of each path: asymmetry (forward longer by a, backward shorter by
///         a, so that it adds to what looks like offset) and base delay of one
///         way, s
///
/// Only o + a is ever seen in one path; what o is alone rests on the prior of
/// a, and on the paths' being many.
class clock_state {
public:
  static constexpr std::size_t frequency = 0;
  static constexpr std::size_t offset = 1;
  static constexpr std::size_t asymmetry(std::size_t path) {
    return 2 + 2 * path;
  }
  static constexpr std::size_t base(std::size_t path) { return 3 + 2 * path; }

  clock_state(double f, double frequency_variance);

  std::size_t size() const { return m_.size(); }
  double mean(std::size_t i) const { return m_[i]; }
  double& mean(std::size_t i) { return m_[i]; }
  double covariance(std::size_t i, std::size_t j) const {
    return p_[i * size() + j];
  }
  void set_covariance(std::size_t i, std::size_t j, double v);
  void add_variance(std::size_t i, double v) { p_[i * size() + i] += v; }

  /// Adds a path that nothing is known of but these moments.
  void add_path(double a, double a_variance, double b, double b_variance);
  void remove_path(std::size_t path);

  /// Forgets what `i` has to do with all else, and sets it.
  void replace(std::size_t i, double value, double variance);

  /// Lets `dt` seconds pass: `wander` is the variance rate of the frequency
  /// (1/s), `delay_drift` that of each base delay (s²/s), `jump` a variance of
  /// the offset, s².
  void predict(double dt, double wander, double delay_drift, double jump);

  /// Takes one way of an exchange that began `span_s` before the epoch of the
  /// state and ended there. Returns the log evidence.
  double update(std::size_t path, direction way, double span_s, double y,
                const noise_law& law);

  /// Takes Σ h_i x_i = y with this variance; h is as long as the state.
  void condition(const std::vector<double>& h, double y, double variance);

  /// What the belief expects of one way.
  double expected(std::size_t path, direction way, double span_s) const;
  /// Variance of o + a of one path.
  double seen_variance(std::size_t path) const;

  /// For mixing beliefs of equal size: this += w (…).
  void clear();
  void add_mean(const clock_state& s, double w);
  /// After all means: adds covariance and spread of a part.
  void add_spread(const clock_state& s, double w);

  bool is_sound() const;

private:
  double* row(std::size_t i) { return p_.data() + i * size(); }
  const double* row(std::size_t i) const { return p_.data() + i * size(); }

  std::vector<double> m_;
  std::vector<double> p_;
};

} // namespace concert::ntp
