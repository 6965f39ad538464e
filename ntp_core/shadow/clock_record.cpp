#include "ntp_core/shadow/clock_record.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace concert::ntp {

namespace {

constexpr double first_weight_s = 1;
/// A value says nothing of what was long after it.
constexpr double most_weight_s = 128;
/// Two readings of the kernel's frequency that differ by less are the same.
constexpr double frequency_unit = 2e-6 / 65536;

/// Of our offset, one deviation. The offset itself is no part of it: it is what
/// is measured, not, as for a clock of ours, an error on its way out.
double deviation_s(const error_budget& b) {
  const auto parts = {b.measurement_s, b.asymmetry_s, b.wander_s, b.server_s,
                      b.disagreement_s};
  return std::sqrt(
    std::inner_product(parts.begin(), parts.end(), parts.begin(), 0.0));
}

/// Likewise the hard bound of our offset.
double bound_s(const system_snapshot& seen) {
  return std::max(0.0, seen.max_error_s - std::abs(seen.offset_s));
}

} // namespace

void span_sums::add_offset(double weight_s, double offset_s,
                           double estimated_error_s, double max_error_s) {
  ++span_.looks;
  span_.watched_s += weight_s;
  span_.largest_s = std::max(span_.largest_s, std::abs(offset_s));
  offset_sum_ += weight_s * offset_s;
  square_sum_ += weight_s * offset_s * offset_s;
  uncertainty_sum_ += weight_s * estimated_error_s * estimated_error_s;
  bound_sum_ += weight_s * max_error_s;
}

void span_sums::add_frequency(double ratio, bool changed) {
  if (!has_frequency_)
    span_.lowest_frequency = span_.highest_frequency = ratio;
  has_frequency_ = true;
  span_.lowest_frequency = std::min(span_.lowest_frequency, ratio);
  span_.highest_frequency = std::max(span_.highest_frequency, ratio);
  span_.frequency_changes += changed ? 1 : 0;
}

void span_sums::add_step(double by_s) {
  ++span_.steps;
  span_.stepped_s += std::abs(by_s);
}

void span_sums::add_own_step(double by_s) {
  ++span_.own_steps;
  span_.own_stepped_s += std::abs(by_s);
}

void span_sums::join(const span_sums& other) {
  const auto& o = other.span_;
  span_.looks += o.looks;
  span_.watched_s += o.watched_s;
  span_.largest_s = std::max(span_.largest_s, o.largest_s);
  span_.steps += o.steps;
  span_.stepped_s += o.stepped_s;
  span_.own_steps += o.own_steps;
  span_.own_stepped_s += o.own_stepped_s;
  if (other.has_frequency_) {
    add_frequency(o.lowest_frequency, false);
    add_frequency(o.highest_frequency, false);
    span_.frequency_changes += o.frequency_changes;
  }
  offset_sum_ += other.offset_sum_;
  square_sum_ += other.square_sum_;
  uncertainty_sum_ += other.uncertainty_sum_;
  bound_sum_ += other.bound_sum_;
}

watched_span span_sums::result() const {
  watched_span r = span_;
  if (r.watched_s <= 0)
    return r;
  r.mean_s = offset_sum_ / r.watched_s;
  r.rms_s = std::sqrt(square_sum_ / r.watched_s);
  r.uncertainty_s = std::sqrt(uncertainty_sum_ / r.watched_s);
  r.max_error_s = bound_sum_ / r.watched_s;
  return r;
}

span_sums& clock_record::hour_of(const clock_reading& now) {
  const std::chrono::seconds since
    = std::chrono::floor<std::chrono::hours>(now.unix_time);
  // A clock that is set back goes on in a new hour, whatever it is called.
  if (hours_.empty() || hours_.back().since() != since)
    hours_.emplace_back(since);
  if (hours_.size() > most_hours)
    hours_.pop_front();
  return hours_.back();
}

void clock_record::watch_clock(const clock_reading& now, double frequency,
                               span_sums& hour) {
  const double rate = frequency_.value_or(frequency);
  const bool changed
    = frequency_ && std::abs(frequency - *frequency_) > frequency_unit;
  hour.add_frequency(frequency, changed);
  frequency_ = frequency;
  if (!watch_) {
    watch_.emplace(now);
    return;
  }
  if (const double jump = watch_->observe(now, rate).jump_s; jump != 0) {
    hour.add_step(jump);
    // Our clock would not have jumped with it.
    imagined_s_ -= jump;
  }
}

/// Once set, a clock of ours is slewed; only a jump of the time that the
/// sources tell would make us step it again.
void clock_record::imagine_step(double offset_s, const steering_config& config,
                                span_sums& hour) {
  const double left = offset_s - imagined_s_;
  const double limit = set_once_ ? config.step_s : config.startup_step_s;
  set_once_ = true;
  if (std::abs(left) > limit)
    hour.add_own_step(left);
  // By a step or by a slew: from here on our clock would be right.
  imagined_s_ = offset_s;
}

void clock_record::look(const clock_reading& now, const system_snapshot& seen,
                        double frequency, const steering_config& config) {
  auto& hour = hour_of(now);
  watch_clock(now, frequency, hour);
  if (!seen.synchronized || !seen.last_update) {
    last_known_.reset();
    return;
  }
  const double weight
    = last_known_ ? seconds_of(now.mono - *last_known_) : first_weight_s;
  last_known_ = now.mono;
  if (weight > 0)
    hour.add_offset(std::min(weight, most_weight_s), seen.offset_s,
                    deviation_s(seen.budget), bound_s(seen));
  imagine_step(seen.offset_s, config, hour);
}

shadow_snapshot clock_record::snapshot() const {
  shadow_snapshot result;
  span_sums total{hours_.empty() ? std::chrono::seconds{}
                                 : hours_.front().since()};
  for (const auto& hour : hours_) {
    total.join(hour);
    result.hours.push_back(hour.result());
  }
  result.total = total.result();
  return result;
}

} // namespace concert::ntp
