#pragma once

#include "actors/simulation/random.hpp"

#include <chrono>

namespace concert::actors {

/// What temperature does to an oscillator's frequency.
struct temperature_effect {
  double sine = 0; ///< amplitude, ratio
  double sine_period_s = 3600;
  /// ± this, ratio: the sign changes each half period…
  double square = 0;
  double square_period_s = 7200;
  double square_lag_s = 0; ///< …and takes effect through a first-order lag
};

/// A free-running oscillator. Its frequency is drawn anew each second: a
/// constant error, a random walk, and temperature (algorithm.md §1). Time only
/// goes forward.
class simulated_oscillator {
public:
  /// `error` ratio, positive = fast; `wander` per √s.
  simulated_oscillator(double error, double wander,
                       const temperature_effect& temperature,
                       std::uint64_t seed);

  /// By how many seconds it is ahead, `elapsed` after its start.
  double error_s(std::chrono::nanoseconds elapsed);
  /// Rate − 1 then.
  double frequency_error(std::chrono::nanoseconds elapsed);

  void change_frequency(std::chrono::nanoseconds elapsed, double by);
  void shift(double by_s) { phase_s_ += by_s; }

private:
  void advance(std::chrono::nanoseconds elapsed);
  double temperature_now();

  double walk_; ///< frequency without temperature
  double wander_;
  temperature_effect temperature_;
  seeded_random random_;
  double square_now_ = 0;
  double lag_left_ = 0; ///< of a difference, after a second
  std::chrono::seconds second_{0};
  double frequency_ = 0; ///< in this second
  double phase_s_ = 0;   ///< at its beginning
};

} // namespace concert::actors
