#include "tools/ntp_sim/regression_discipline.hpp"

#include <algorithm>
#include <cmath>

namespace concert::sim {

using ntp::clock_estimate;
using ntp::combined_estimate;
using ntp::path_sample;

namespace {

/// Resolution of the clock that weights are based on, s.
constexpr double precision_s = 1e-9;
/// A sample that is farther off than this is of another clock, s.
constexpr double incredible_s = 10;

double square(double v) {
  return v * v;
}

/// Likely asymmetry of a path, as the Kalman baseline takes it.
double asymmetry_of(double base_delay_s) {
  return std::clamp(0.1 * base_delay_s, 1e-6, 10e-3);
}

/// The belief after a measurement of its rate.
void learn_frequency(clock_estimate& e, double frequency, double variance) {
  const double innovation = frequency - e.frequency;
  const double expected = e.frequency_variance + variance;
  if (square(innovation) > 16 * expected)
    return;
  e.offset_s += e.covariance_s / expected * innovation;
  e.frequency += e.frequency_variance / expected * innovation;
  e.variance_s2 -= square(e.covariance_s) / expected;
  e.covariance_s *= variance / expected;
  e.frequency_variance *= variance / expected;
}

/// The belief after a measurement of its offset.
void learn_offset(clock_estimate& e, const path_sample& sample) {
  const double innovation = (sample.offset - e.origin).seconds() - e.offset_s;
  const double noise = square(sample.delay_s / 4) + sample.noise_variance;
  const double expected = e.variance_s2 + noise;
  e.offset_s += e.variance_s2 / expected * innovation;
  e.frequency += e.covariance_s / expected * innovation;
  e.frequency_variance -= square(e.covariance_s) / expected;
  e.covariance_s *= noise / expected;
  e.variance_s2 *= noise / expected;
}

} // namespace

// -- one source ---------------------------------------------------------------

regression_filter::regression_filter(
  const ntp::oscillator_prior& prior,
  const std::optional<ntp::path_memory>& memory)
  : prior_(prior) {
  if (!memory)
    return;
  estimate_ = memory->clock;
  base_delay_s_ = memory->base_delay_s;
  mean_excess_s_ = memory->mean_excess_s;
  prior_.frequency = memory->clock.frequency;
  prior_.deviation = std::sqrt(memory->clock.frequency_variance);
}

ntp::sample_verdict regression_filter::add(const path_sample& sample) {
  bool jumped = false;
  if (const auto expected = at(sample.at)) {
    const double off
      = (sample.offset - expected->origin).seconds() - expected->offset_s;
    const bool incredible
      = std::abs(off) > incredible_s + 6 * std::sqrt(expected->variance_s2);
    if (incredible && !suspect_) {
      suspect_ = true;
      return ntp::sample_verdict::suspect;
    }
    jumped = incredible;
    suspect_ = false;
  }
  if (jumped) {
    forget();
    estimate_.reset();
  }
  ++count_;
  samples_.push_back(sample);
  window_ = std::min(window_ + 1, most);
  fit();
  while (samples_.size() > ratio * window_)
    samples_.pop_front();
  return jumped ? ntp::sample_verdict::jump : ntp::sample_verdict::used;
}

void regression_filter::inflate(double offset_variance_s2,
                                double frequency_variance) {
  if (!estimate_)
    return;
  const bool news = offset_variance_s2 > estimate_->variance_s2
                    || frequency_variance > estimate_->frequency_variance;
  estimate_->inflate(offset_variance_s2, frequency_variance);
  if (news)
    forget();
}

void regression_filter::shift(ntp::ntp_duration by) {
  for (auto& sample : samples_)
    sample.offset += by;
  if (estimate_)
    estimate_->shift(by);
}

std::optional<clock_estimate> regression_filter::at(ntp::raw_time when) const {
  if (!estimate_)
    return std::nullopt;
  return estimate_->predicted(when);
}

/// Drops the samples; what they taught of the oscillator stays.
void regression_filter::forget() {
  samples_.clear();
  window_ = 0;
  if (!estimate_)
    return;
  prior_.frequency = estimate_->frequency;
  prior_.deviation = std::sqrt(estimate_->frequency_variance);
}

/// All samples relative to the newest one, with their weights; those older
/// than the window come first.
std::vector<point> regression_filter::points() const {
  const auto& newest = samples_.back();
  std::vector<point> result;
  result.reserve(samples_.size());
  for (const auto& s : samples_)
    result.push_back(
      {(s.at - newest.at).seconds(), (s.offset - newest.offset).seconds()});
  weigh(result);
  return result;
}

void regression_filter::weigh(std::vector<point>& points) const {
  std::vector<double> distance;
  for (const auto& s : samples_)
    distance.push_back(s.delay_s / 2 + std::sqrt(s.noise_variance));
  auto sorted = distance;
  const auto middle
    = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double median = *middle;
  const double least = *std::min_element(distance.begin(), distance.end());
  const double sd = std::clamp((median - least) / 0.7, precision_s,
                               std::max(least, precision_s));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double excess = std::max(0.0, distance[i] - least - precision_s);
    points[i].weight = 1 / square(1 + excess / sd);
  }
}

void regression_filter::fit() {
  const auto& newest = samples_.back();
  double sum = 0;
  base_delay_s_ = newest.delay_s;
  for (const auto& s : samples_) {
    base_delay_s_ = std::min(base_delay_s_, s.delay_s);
    sum += s.delay_s;
  }
  mean_excess_s_ = sum / static_cast<double>(samples_.size()) - base_delay_s_;

  if (window_ < needed) {
    if (estimate_)
      estimate_ = estimate_->predicted(newest.at);
    else
      estimate_ = {newest.at,
                   newest.offset,
                   0,
                   prior_.frequency,
                   1,
                   0,
                   square(prior_.deviation),
                   prior_.wander};
    learn_offset(*estimate_, newest);
    return;
  }
  const auto all = points();
  line_fit line;
  for (;; --window_) {
    line = fit_line(std::span{all}.last(window_));
    const auto tested
      = std::span{all}.last(std::min(all.size(), ratio * window_));
    if (window_ <= fewest
        || count_runs(tested, line) > critical_runs(tested.size()))
      break;
  }
  const double span = -all[all.size() - window_].x;
  clock_estimate e;
  e.at = newest.at;
  e.origin = newest.offset;
  e.offset_s = line.offset;
  e.frequency = line.slope;
  e.variance_s2 = std::max(line.offset_variance, square(precision_s));
  e.covariance_s = line.covariance;
  e.frequency_variance = std::max(line.slope_variance, 1e-24);
  e.wander = std::sqrt(e.frequency_variance / span);
  learn_frequency(e, prior_.frequency, square(prior_.deviation));
  estimate_ = e;
}

// -- all sources --------------------------------------------------------------

void regression_discipline::add_source(
  ntp::source_id id, const ntp::oscillator_prior& prior,
  const std::optional<ntp::path_memory>& memory) {
  filters_.try_emplace(id.value, prior, memory);
}

void regression_discipline::remove_source(ntp::source_id id) {
  filters_.erase(id.value);
  std::erase_if(selected_, [id](const auto& s) { return s.id == id; });
}

ntp::sample_verdict
regression_discipline::on_sample(ntp::source_id id, const path_sample& sample) {
  const auto found = filters_.find(id.value);
  return found == filters_.end() ? ntp::sample_verdict::suspect
                                 : found->second.add(sample);
}

void regression_discipline::set_selected(
  std::span<const ntp::selected_source> sources) {
  selected_.assign(sources.begin(), sources.end());
}

void regression_discipline::inflate(double offset_variance_s2,
                                    double frequency_variance) {
  for (auto& [id, filter] : filters_)
    filter.inflate(offset_variance_s2, frequency_variance);
}

void regression_discipline::shift(ntp::ntp_duration by) {
  for (auto& [id, filter] : filters_)
    filter.shift(by);
}

void regression_discipline::shift_source(ntp::source_id id,
                                         ntp::ntp_duration by) {
  if (const auto found = filters_.find(id.value); found != filters_.end())
    found->second.shift(by);
}

std::optional<ntp::source_estimate>
regression_discipline::source(ntp::source_id id, ntp::raw_time when) const {
  const auto found = filters_.find(id.value);
  if (found == filters_.end())
    return std::nullopt;
  const auto& filter = found->second;
  const auto estimate = filter.at(when);
  if (!estimate || filter.samples() == 0)
    return std::nullopt;
  ntp::source_estimate result;
  result.clock = *estimate;
  result.base_delay_s = filter.base_delay_s();
  result.mean_excess_s = filter.mean_excess_s();
  result.samples = filter.samples();
  return result;
}

std::optional<ntp::path_memory>
regression_discipline::memory(ntp::source_id id, ntp::raw_time when) const {
  const auto e = source(id, when);
  if (!e || e->samples < ntp::path_delay::enough)
    return std::nullopt;
  return ntp::path_memory{e->clock, e->base_delay_s, e->mean_excess_s};
}

std::optional<combined_estimate>
regression_discipline::combined(ntp::raw_time when) const {
  combined_estimate mean;
  mean.clock.at = when;
  double x_weight = 0;
  double f_weight = 0;
  for (const auto& selected : selected_) {
    const auto one = source(selected.id, when);
    if (!one)
      continue;
    const auto& e = one->clock;
    if (x_weight == 0)
      mean.clock.origin = e.origin;
    const double bias
      = square(asymmetry_of(one->base_delay_s)) + selected.server_variance;
    const double wx = 1 / (e.variance_s2 + bias);
    const double wf = 1 / e.frequency_variance;
    x_weight += wx;
    f_weight += wf;
    auto& sum = mean.clock;
    sum.offset_s += wx * (e.offset_s + (e.origin - sum.origin).seconds());
    sum.frequency += wf * e.frequency;
    sum.variance_s2 += square(wx) * e.variance_s2;
    sum.covariance_s += wx * wf * e.covariance_s;
    sum.wander += wf * square(e.wander);
    mean.bias_variance += square(wx) * bias;
  }
  if (x_weight == 0)
    return std::nullopt;
  auto& c = mean.clock;
  c.offset_s /= x_weight;
  c.frequency /= f_weight;
  c.variance_s2 /= square(x_weight);
  c.covariance_s /= x_weight * f_weight;
  c.frequency_variance = 1 / f_weight;
  c.wander = std::sqrt(c.wander / f_weight);
  mean.bias_variance /= square(x_weight);
  return mean;
}

} // namespace concert::sim
