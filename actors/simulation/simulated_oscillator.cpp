#include "actors/simulation/simulated_oscillator.hpp"

#include "ntp_core/time/time.hpp"

#include <cmath>
#include <numbers>

namespace concert::actors {

namespace {

double fraction_of(double t_s, double period_s) {
  return t_s / period_s - std::floor(t_s / period_s);
}

} // namespace

simulated_oscillator::simulated_oscillator(
  double error, double wander, const temperature_effect& temperature,
  std::uint64_t seed)
  : walk_(error),
    wander_(wander),
    temperature_(temperature),
    random_(seed),
    lag_left_(temperature.square_lag_s > 0
                ? std::exp(-1 / temperature.square_lag_s)
                : 0),
    frequency_(walk_ + temperature_now()) {
}

/// The effect in the second that begins; to be asked once a second.
double simulated_oscillator::temperature_now() {
  const auto& t = temperature_;
  const auto now_s = static_cast<double>(second_.count());
  double effect = 0;
  if (t.sine != 0)
    effect
      += t.sine
         * std::sin(2 * std::numbers::pi * fraction_of(now_s, t.sine_period_s));
  if (t.square != 0) {
    const double goal
      = fraction_of(now_s, t.square_period_s) < 0.5 ? t.square : -t.square;
    square_now_ = goal + (square_now_ - goal) * lag_left_;
    effect += square_now_;
  }
  return effect;
}

void simulated_oscillator::advance(std::chrono::nanoseconds elapsed) {
  while (second_ + std::chrono::seconds{1} <= elapsed) {
    phase_s_ += frequency_;
    ++second_;
    if (wander_ != 0)
      walk_ += wander_ * random_.normal();
    frequency_ = walk_ + temperature_now();
  }
}

double simulated_oscillator::error_s(std::chrono::nanoseconds elapsed) {
  advance(elapsed);
  return phase_s_ + frequency_ * ntp::seconds_of(elapsed - second_);
}

double simulated_oscillator::frequency_error(std::chrono::nanoseconds elapsed) {
  advance(elapsed);
  return frequency_;
}

void simulated_oscillator::change_frequency(std::chrono::nanoseconds elapsed,
                                            double by) {
  advance(elapsed);
  // What passed of this second stays as it was.
  phase_s_ -= by * ntp::seconds_of(elapsed - second_);
  walk_ += by;
  frequency_ += by;
}

} // namespace concert::actors
