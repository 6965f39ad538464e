#pragma once

#include "actors/simulation/random.hpp"
#include "actors/simulation/world_options.hpp"

#include <vector>

namespace concert::actors {

/// A normal process without memory but its value (Markov), continuous in time,
/// that may be looked at in any increasing instants and is exact in
/// distribution there.
///
/// Its values on a grid come from one stream and are the same whoever looks
/// when; what lies between them is drawn from another, given both neighbours.
class normal_process {
public:
  enum class law : std::uint8_t {
    stationary, ///< mean 0, deviation 1, correlation exp(−t / time)
    walk,       ///< begins at 0; variance t / time
  };

  normal_process(law which, double time_s, std::uint64_t seed);

  /// Its value at `t_s` ≥ 0; an instant before the last one gets the last
  /// value.
  double at(double t_s);

private:
  /// What comes `elapsed` after a value z: factor z + a normal variate.
  struct transition {
    double factor;
    double variance;
  };
  struct point {
    double at_s;
    double value;
  };

  transition after(double elapsed_s) const;
  point next_on_grid();

  law law_;
  double time_s_;
  double step_s_;
  double steps_ = 0; ///< on the grid
  transition on_grid_;
  seeded_random grid_;
  seeded_random between_;
  point last_;
  point next_;
};

/// A stationary normal process of mean 0 and deviation 1 with the memory of
/// one or of many time constants.
class memory_process {
public:
  /// `time_s` is for `ar1` only.
  memory_process(memory_law which, double time_s, std::uint64_t seed);
  double at(double t_s);

private:
  std::vector<normal_process> parts_;
};

} // namespace concert::actors
