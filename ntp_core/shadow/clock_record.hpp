#pragma once

#include "ntp_core/discipline/clock_watch.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/discipline/steering_config.hpp"
#include "ntp_core/shadow/snapshot.hpp"

#include <deque>
#include <optional>

namespace concert::ntp {

/// Sums of what a `watched_span` tells.
class span_sums {
public:
  explicit span_sums(std::chrono::seconds since) { span_.since = since; }

  std::chrono::seconds since() const { return span_.since; }
  /// The offset and what we know of it, for so long.
  void add_offset(double weight_s, double offset_s, double estimated_error_s,
                  double max_error_s);
  void add_frequency(double ratio, bool changed);
  void add_step(double by_s);
  void add_own_step(double by_s);
  /// Takes what another span saw as well.
  void join(const span_sums& other);
  watched_span result() const;

private:
  watched_span span_; ///< counts and extremes; the means are made at the end
  double offset_sum_ = 0;
  double square_sum_ = 0;
  double uncertainty_sum_ = 0;
  double bound_sum_ = 0;
  bool has_frequency_ = false;
};

/// The record of a clock that another daemon steers, hour by hour for a week.
class clock_record {
public:
  static constexpr std::size_t most_hours = 7 * 24;
  /// The clock should be looked at this often.
  static constexpr std::chrono::seconds interval{64};

  /// Looks at the clock. `seen` is what the steering makes of it; only while it
  /// is synchronized its offset counts. `frequency` is the correction that the
  /// other daemon has set, ratio; `config` says when we would step.
  void look(const clock_reading& now, const system_snapshot& seen,
            double frequency, const steering_config& config);

  shadow_snapshot snapshot() const;

private:
  span_sums& hour_of(const clock_reading& now);
  void watch_clock(const clock_reading& now, double frequency, span_sums& hour);
  void imagine_step(double offset_s, const steering_config& config,
                    span_sums& hour);

  std::deque<span_sums> hours_;
  std::optional<clock_watch> watch_;
  std::optional<double> frequency_;     ///< at the last look
  std::optional<mono_time> last_known_; ///< last look while synchronized
  bool set_once_ = false;               ///< we would have set the clock
  double imagined_s_ = 0; ///< what our steps would have changed by now
};

} // namespace concert::ntp
