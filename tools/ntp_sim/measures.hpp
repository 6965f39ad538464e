#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concert::sim {

/// What is known of a scenario from elsewhere, s unless named otherwise.
struct reference_figures {
  std::optional<double> bound; ///< RMS of the ideal estimator
  struct {
    std::optional<double> rms;
    std::optional<double> max;
    std::optional<double> p999;
    std::optional<double> frequency; ///< RMS, ratio
    std::optional<double> first_lock;
    std::optional<double> first_lock_worst;
    std::optional<double> packets; ///< per source
  } chrony;
  struct {
    std::optional<double> rms;
    std::optional<double> max;
    std::optional<double> p999;
  } prototype;
  /// The better of the baseline disciplines; known to reports only.
  std::optional<double> baseline;
};

/// All seeds of one row together: from `settle` on, of the clock's true error,
/// s unless named otherwise.
struct figures {
  std::uint64_t seeds = 0;
  double rms = 0;
  double rms_error = 0; ///< standard error of `rms`, by the spread of the seeds
  double max_mean = 0;  ///< mean of the seeds' maxima
  double max_worst = 0;
  double p999 = 0;
  double frequency_rms = 0; ///< ratio
  double packets = 0;       ///< per source, whole run
  std::optional<double> first_lock_median;
  std::optional<double> first_lock_worst;
  /// rms(true error / estimated_error), while synchronized.
  std::optional<double> consistency;
  double estimated_error = 0; ///< mean
  double stability = 0;       ///< mean
  double max_error = 0;       ///< mean of the daemon's bound
  /// One-way base delay and upstream root distance: what no bound may go below.
  double max_error_floor = 0;
  double bound_violations = 0; ///< looks with |error| > max_error, whole runs
  double bound_looks = 0;      ///< of so many
  std::optional<double> first_violation; ///< when, of any seed
  std::optional<double> last_violation;
  /// Changes of the set of selected sources.
  std::optional<double> selection_changes_per_day;
  std::array<double, 4> quarters{}; ///< mean |error| in each quarter
  double trend = 0; ///< growth of |error| by a straight line, in means
  double polls_per_second = 0;       ///< of the simulation, CPU time
  double times_real_time = 0;        ///< likewise
  std::optional<double> filter_cost; ///< CPU time per sample
  std::vector<double> seed_rms;
};

/// One number of a row, by the name that limits use.
struct measure {
  std::string_view name;
  std::optional<double> (*of)(const figures&, const reference_figures&);
  /// The key of `[reference]` without which there is no value; may be empty.
  std::string_view needs;
};

/// All that may be limited.
std::span<const measure> measures();
/// Null if there is none of this name.
const measure* find_measure(std::string_view name);

/// What a measure may be.
struct limit {
  const measure* what = nullptr;
  std::optional<double> low;
  double high = 0;
};

/// A limit that is broken, as a sentence: what, value, limit.
std::vector<std::string> broken_limits(const std::vector<limit>& limits,
                                       const figures& found,
                                       const reference_figures& reference);

} // namespace concert::sim
