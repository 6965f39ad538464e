#include "tools/ntp_sim/tally.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace concert::sim {

namespace {

double square(double v) {
  return v * v;
}

double over(double sum, double count) {
  return count == 0 ? 0 : sum / count;
}

/// Σ of a member over all runs.
template <class Member>
double total(std::span<const tally> runs, Member member) {
  return std::accumulate(runs.begin(), runs.end(), 0.0,
                         [member](double sum, const tally& t) {
                           return sum + static_cast<double>(t.*member);
                         });
}

/// Time errors: RMS over all seeds, and how sure that is.
void pool_errors(std::span<const tally> runs, figures& f) {
  const auto n = static_cast<double>(runs.size());
  std::vector<double> means;
  histogram all;
  for (const auto& t : runs) {
    means.push_back(over(t.squares, static_cast<double>(t.seconds)));
    f.seed_rms.push_back(std::sqrt(means.back()));
    f.max_mean += t.max_s / n;
    f.max_worst = std::max(f.max_worst, t.max_s);
    all.add(t.magnitudes);
  }
  f.p999 = all.quantile(0.999);
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / n;
  f.rms = std::sqrt(mean);
  if (runs.size() < 2 || mean == 0)
    return;
  double spread = 0;
  for (const double m : means)
    spread += square(m - mean);
  // d√m = dm / (2 √m).
  f.rms_error = std::sqrt(spread / (n - 1) / n) / (2 * f.rms);
}

void pool_course(std::span<const tally> runs, figures& f) {
  double sum = 0;
  double seconds = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double part = 0;
    double part_seconds = 0;
    for (const auto& t : runs) {
      part += t.quarter_sums[i];
      part_seconds += static_cast<double>(t.quarter_seconds[i]);
    }
    f.quarters[i] = over(part, part_seconds);
    sum += part;
    seconds += part_seconds;
  }
  const double slope = over(total(runs, &tally::magnitude_time),
                            total(runs, &tally::time_squares));
  const double length = seconds / static_cast<double>(runs.size());
  f.trend = over(slope * length, over(sum, seconds));
}

/// Median and worst, s.
void pool_lock(std::span<const tally> runs, figures& f) {
  std::vector<double> times;
  for (const auto& t : runs)
    times.push_back(t.lock_s);
  std::sort(times.begin(), times.end());
  f.first_lock_median = times[times.size() / 2];
  f.first_lock_worst = times.back();
}

void pool_claims(std::span<const tally> runs, figures& f) {
  const double looks = total(runs, &tally::looks);
  f.estimated_error = over(total(runs, &tally::estimated_sum), looks);
  f.stability = over(total(runs, &tally::stability_sum), looks);
  f.max_error = over(total(runs, &tally::max_error_sum), looks);
  f.max_error_floor
    = total(runs, &tally::floor_s) / static_cast<double>(runs.size());
  if (const double judged = total(runs, &tally::judged); judged != 0)
    f.consistency = std::sqrt(total(runs, &tally::judged_squares) / judged);
  f.bound_looks = total(runs, &tally::bound_looks);
  f.bound_violations = total(runs, &tally::violations);
  for (const auto& t : runs) {
    if (t.violations == 0)
      continue;
    f.first_violation
      = std::min(f.first_violation.value_or(t.run_s), t.first_violation_s);
    f.last_violation
      = std::max(f.last_violation.value_or(0), t.last_violation_s);
  }
}

} // namespace

// -- one run ------------------------------------------------------------------

gauge::gauge(const scenario& s)
  : settle_s_(s.settle_s),
    duration_s_(s.duration_s),
    lock_level_s_(s.lock_level_s.value_or(0)),
    exceptions_(s.exceptions) {
  sum_.run_s = s.duration_s;
}

void gauge::second(double time_s, double error_s, double frequency) {
  const double magnitude = std::abs(error_s);
  // Locked after the last excursion of the first half.
  if (time_s <= duration_s_ / 2 && magnitude > lock_level_s_)
    sum_.lock_s = time_s;
  if (time_s < settle_s_)
    return;
  ++sum_.seconds;
  sum_.squares += square(error_s);
  sum_.max_s = std::max(sum_.max_s, magnitude);
  sum_.frequency_squares += square(frequency);
  sum_.magnitudes.add(magnitude);
  const double length = duration_s_ - settle_s_;
  const auto quarter = std::min<std::size_t>(
    3, static_cast<std::size_t>(4 * (time_s - settle_s_) / length));
  sum_.quarter_sums[quarter] += magnitude;
  ++sum_.quarter_seconds[quarter];
  const double t = time_s - settle_s_ - length / 2;
  sum_.magnitude_time += t * magnitude;
  sum_.time_squares += square(t);
}

void gauge::judge(double time_s, double error_s, const look& said) {
  if (!excepted(time_s)) {
    ++sum_.bound_looks;
    if (std::abs(error_s) > said.max_error_s) {
      if (sum_.violations++ == 0)
        sum_.first_violation_s = time_s;
      sum_.last_violation_s = time_s;
    }
  }
  if (time_s < settle_s_)
    return;
  ++sum_.looks;
  sum_.estimated_sum += said.estimated_error_s;
  sum_.stability_sum += said.stability_s;
  sum_.max_error_sum += said.max_error_s;
  if (!said.synchronized || said.estimated_error_s <= 0)
    return;
  ++sum_.judged;
  sum_.judged_squares += square(error_s / said.estimated_error_s);
}

void gauge::selection(double time_s, std::uint64_t set) {
  sum_.selection_watched = true;
  if (time_s >= settle_s_ && selected_ && *selected_ != set)
    ++sum_.selections;
  selected_ = set;
}

bool gauge::excepted(double time_s) const {
  return std::any_of(exceptions_.begin(), exceptions_.end(),
                     [time_s](const window& w) {
                       return time_s >= w.from_s && time_s <= w.until_s;
                     });
}

// -- all runs -----------------------------------------------------------------

figures pooled(std::span<const tally> runs, bool has_lock_level) {
  figures f;
  f.seeds = runs.size();
  pool_errors(runs, f);
  pool_course(runs, f);
  pool_claims(runs, f);
  if (has_lock_level)
    pool_lock(runs, f);
  const double seconds = total(runs, &tally::seconds);
  f.frequency_rms
    = std::sqrt(over(total(runs, &tally::frequency_squares), seconds));
  const double packets = total(runs, &tally::packets);
  f.packets = over(packets, total(runs, &tally::servers));
  const double cpu = total(runs, &tally::cpu_s);
  f.polls_per_second = over(packets, cpu);
  f.times_real_time = over(total(runs, &tally::run_s), cpu);
  if (const double samples = total(runs, &tally::filter_samples); samples != 0)
    f.filter_cost = total(runs, &tally::filter_s) / samples;
  if (runs.front().selection_watched)
    f.selection_changes_per_day
      = over(total(runs, &tally::selections), seconds / 86400);
  return f;
}

} // namespace concert::sim
