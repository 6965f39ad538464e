#pragma once

#include "tools/ntp_sim/histogram.hpp"
#include "tools/ntp_sim/measures.hpp"
#include "tools/ntp_sim/scenario.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

namespace concert::sim {

/// What one daemon in one run adds up to: a plain value, so that it can go
/// through a pipe. Sums are over [settle, duration] where nothing else is said.
struct tally {
  std::uint64_t seconds = 0;
  double squares = 0; ///< of the error, s²
  double max_s = 0;   ///< of |error|
  double frequency_squares = 0;
  std::array<double, 4> quarter_sums{}; ///< of |error|
  std::array<std::uint64_t, 4> quarter_seconds{};
  // Of a straight line through |error|, times relative to the middle.
  double magnitude_time = 0; ///< Σ t |error|
  double time_squares = 0;   ///< Σ t²
  histogram magnitudes;
  double lock_s = 0; ///< whole run; see `gauge`

  std::uint64_t looks = 0;
  double estimated_sum = 0;
  double stability_sum = 0;
  double max_error_sum = 0;
  std::uint64_t judged = 0;      ///< looks while synchronized
  double judged_squares = 0;     ///< Σ (error / estimated_error)²
  std::uint64_t bound_looks = 0; ///< whole run, outside the exceptions
  std::uint64_t violations = 0;  ///< of these
  double first_violation_s = 0;  ///< when, if there are any
  double last_violation_s = 0;
  double floor_s = 0;             ///< see `figures::max_error_floor`
  bool selection_watched = false; ///< there was something to select
  std::uint64_t selections = 0;   ///< changes

  std::uint64_t packets = 0; ///< whole run
  std::uint64_t servers = 0;
  double run_s = 0; ///< simulated
  double cpu_s = 0; ///< that it took
  std::uint64_t filter_samples = 0;
  double filter_s = 0;
};
static_assert(std::is_trivially_copyable_v<tally>);

/// What the daemon says of itself at one moment.
struct look {
  bool synchronized = false;
  double estimated_error_s = 0;
  double stability_s = 0;
  double max_error_s = 0;
};

/// Makes a tally out of a run, second by second.
class gauge {
public:
  explicit gauge(const scenario& s);

  /// The clock's true error and rate at `time_s`, once a second.
  void second(double time_s, double error_s, double frequency);
  /// What the daemon says at `time_s`, while the error is this.
  void judge(double time_s, double error_s, const look& said);
  /// The set of selected sources, as a number that names it, has been seen.
  void selection(double time_s, std::uint64_t set);

  tally& result() { return sum_; }

private:
  bool excepted(double time_s) const;

  double settle_s_;
  double duration_s_;
  double lock_level_s_;
  std::vector<window> exceptions_;
  std::optional<std::uint64_t> selected_;
  tally sum_;
};

/// All seeds of one row together; at least one.
figures pooled(std::span<const tally> runs, bool has_lock_level);

} // namespace concert::sim
