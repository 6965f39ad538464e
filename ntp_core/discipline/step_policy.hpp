#pragma once

#include "ntp_core/discipline/steering_config.hpp"
#include "ntp_core/time/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace concert::ntp {

/// What to do with the offset that the sources agree on.
enum class correction : std::uint8_t {
  slew,
  step,
  wait, ///< not confirmed yet: leave the clock alone
  panic,
};

/// Why a correction is refused.
enum class panic_cause : std::uint8_t {
  none,
  single_step, ///< beyond `single-step-panic-threshold`
  startup,     ///< beyond `startup-step-panic-threshold`
  accumulated, ///< beyond `accumulated-step-panic-threshold`
  past,        ///< would set the clock to before the build or the saved time
};

struct correction_request {
  double offset_s = 0;    ///< disciplined − wall
  bool confirmed = false; ///< a majority has seen it three times each
  mono_time now;
  std::chrono::nanoseconds unix_time{}; ///< of the wall clock
};

struct correction_decision {
  correction what = correction::slew;
  panic_cause cause = panic_cause::none;
};

/// The table of design §5: when the clock may be stepped, when it must be
/// slewed, and when a person must decide.
class step_policy {
public:
  /// `started`: the first correction of this boot has been made already.
  step_policy(bool started, double accumulated_s)
    : started_(started),
      accumulated_s_(accumulated_s) {}

  correction_decision decide(const steering_config& config,
                             const correction_request& request) const;

  /// What forbids a step of this size that a person wants now; `none` if
  /// nothing does.
  panic_cause forbids(const steering_config& config,
                      const correction_request& request) const;

  /// A person allows the next step, whatever its size, if it comes soon: what
  /// the sources want in an hour is not what that person saw.
  void force(mono_time now) { forced_until_ = now + force_lasts; }
  bool forced(mono_time now) const {
    return forced_until_ && now < *forced_until_;
  }

  /// A slew has begun, or the clock was right.
  void on_slewed();
  /// The clock was stepped.
  void on_stepped(double by_s, mono_time now);

  /// The first correction has been made.
  bool started() const { return started_; }
  double accumulated_s() const { return accumulated_s_; }
  std::uint64_t steps() const { return steps_; }
  double last_step_s() const { return last_step_s_; }

private:
  static constexpr std::chrono::minutes force_lasts{5};

  bool started_;
  std::optional<mono_time> forced_until_;
  double accumulated_s_;
  std::uint64_t steps_ = 0;
  double last_step_s_ = 0;
  /// Of the last step that was not the first correction.
  std::optional<mono_time> last_step_;
};

} // namespace concert::ntp
