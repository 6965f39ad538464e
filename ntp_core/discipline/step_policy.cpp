#include "ntp_core/discipline/step_policy.hpp"

#include <cmath>

namespace concert::ntp {

namespace {

constexpr std::chrono::hours between_steps{1};

bool beyond(double offset_s, const step_threshold& threshold) {
  return offset_s > threshold.forward_s || -offset_s > threshold.backward_s;
}

bool into_the_past(const steering_config& config, const correction_request& r) {
  return seconds_of(r.unix_time) + r.offset_s < seconds_of(config.not_before);
}

} // namespace

correction_decision step_policy::decide(const steering_config& config,
                                        const correction_request& r) const {
  const double size = std::abs(r.offset_s);
  const bool is_forced = forced(r.now);
  const double limit
    = is_forced || !started_ ? config.startup_step_s : config.step_s;
  if (size <= limit)
    return {correction::slew, panic_cause::none};
  if (is_forced)
    return {correction::step, panic_cause::none};
  if (started_ && !r.confirmed)
    return {correction::wait, panic_cause::none};

  const auto cause = forbids(config, r);
  if (cause != panic_cause::none)
    return {correction::panic, cause};
  if (started_ && last_step_ && r.now - *last_step_ < between_steps)
    return {correction::slew, panic_cause::none};
  return {correction::step, panic_cause::none};
}

panic_cause step_policy::forbids(const steering_config& config,
                                 const correction_request& r) const {
  const auto& threshold = started_ ? config.single_step_panic_threshold
                                   : config.startup_step_panic_threshold;
  if (beyond(r.offset_s, threshold))
    return started_ ? panic_cause::single_step : panic_cause::startup;
  if (into_the_past(config, r))
    return panic_cause::past;
  const auto& sum = config.accumulated_step_panic_threshold_s;
  if (started_ && sum && accumulated_s_ + std::abs(r.offset_s) > *sum)
    return panic_cause::accumulated;
  return panic_cause::none;
}

void step_policy::on_slewed() {
  started_ = true;
  forced_until_.reset();
}

void step_policy::on_stepped(double by_s, mono_time now) {
  ++steps_;
  last_step_s_ = by_s;
  if (started_) {
    accumulated_s_ += std::abs(by_s);
    last_step_ = now;
  }
  started_ = true;
  forced_until_.reset();
}

} // namespace concert::ntp
