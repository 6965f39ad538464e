#include "ntp_core/discipline/kalman_discipline.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// Share of a filter's variance that all filters have in common.
constexpr double common = 0.5;

double square(double v) {
  return v * v;
}

/// Likely asymmetry of a path: a tenth of its base (algorithm.md §4.7).
double asymmetry(const path_filter& filter) {
  return std::clamp(0.1 * filter.delay().base_s(), 1e-6, 10e-3);
}

/// Sums up the moments of a weighted mean of partly independent estimates.
class weighted_mean {
public:
  /// The estimates' offsets are relative to `origin`.
  explicit weighted_mean(ntp_duration origin) { sum_.origin = origin; }

  void add(const clock_estimate& e, double asymmetry_variance,
           double server_variance) {
    const double bias_variance = asymmetry_variance + server_variance;
    const double wx = 1 / (e.variance_s2 + bias_variance);
    const double wf = 1 / e.frequency_variance;
    x_weight_ += wx;
    f_weight_ += wf;
    sum_.offset_s += wx * (e.offset_s + (e.origin - sum_.origin).seconds());
    sum_.frequency += wf * e.frequency;
    // Independent parts add as squares, common parts as deviations.
    sum_.variance_s2 += wx * wx * e.variance_s2;
    sum_.frequency_variance += wf * wf * e.frequency_variance;
    sum_.covariance_s += wx * wf * e.covariance_s;
    x_deviation_ += wx * std::sqrt(e.variance_s2);
    f_deviation_ += wf * std::sqrt(e.frequency_variance);
    bias_ += wx * wx * bias_variance;
    servers_ += wx * wx * server_variance;
    wander_ += wf * square(e.wander);
  }

  combined_estimate result(raw_time when) const {
    combined_estimate c;
    c.clock = sum_;
    c.clock.at = when;
    c.clock.offset_s /= x_weight_;
    c.clock.frequency /= f_weight_;
    const double vx = sum_.variance_s2 / square(x_weight_);
    const double vf = sum_.frequency_variance / square(f_weight_);
    c.clock.variance_s2
      = (1 - common) * vx + common * square(x_deviation_ / x_weight_);
    c.clock.frequency_variance
      = (1 - common) * vf + common * square(f_deviation_ / f_weight_);
    // Keeps the correlation that the members have.
    const double r
      = sum_.covariance_s / (x_weight_ * f_weight_) / std::sqrt(vx * vf);
    c.clock.covariance_s
      = std::clamp(r, -1.0, 1.0)
        * std::sqrt(c.clock.variance_s2 * c.clock.frequency_variance);
    c.clock.wander = std::sqrt(wander_ / f_weight_);
    c.bias_variance = bias_ / square(x_weight_);
    c.server_variance = servers_ / square(x_weight_);
    return c;
  }

private:
  clock_estimate sum_;
  double x_weight_ = 0;
  double f_weight_ = 0;
  double x_deviation_ = 0;
  double f_deviation_ = 0;
  double bias_ = 0;
  double servers_ = 0;
  double wander_ = 0;
};

} // namespace

void kalman_discipline::add_source(source_id id, const oscillator_prior& prior,
                                   const std::optional<path_memory>& memory) {
  filters_.try_emplace(id.value, prior, memory);
}

void kalman_discipline::remove_source(source_id id) {
  filters_.erase(id.value);
  std::erase_if(selected_, [id](const auto& s) { return s.id == id; });
}

sample_verdict kalman_discipline::on_sample(source_id id,
                                            const path_sample& sample) {
  const auto found = filters_.find(id.value);
  return found == filters_.end() ? sample_verdict::suspect
                                 : found->second.add(sample);
}

void kalman_discipline::set_selected(std::span<const selected_source> sources) {
  selected_.assign(sources.begin(), sources.end());
}

void kalman_discipline::inflate(double offset_variance_s2,
                                double frequency_variance) {
  for (auto& [id, filter] : filters_)
    filter.inflate(offset_variance_s2, frequency_variance);
}

void kalman_discipline::shift(ntp_duration by) {
  for (auto& [id, filter] : filters_)
    filter.shift(by);
}

void kalman_discipline::shift_source(source_id id, ntp_duration by) {
  if (const auto found = filters_.find(id.value); found != filters_.end())
    found->second.shift(by);
}

std::optional<source_estimate> kalman_discipline::source(source_id id,
                                                         raw_time when) const {
  const auto found = filters_.find(id.value);
  if (found == filters_.end() || found->second.samples() == 0)
    return std::nullopt;
  const auto& filter = found->second;
  return source_estimate{filter.at(when), filter.delay().base_s(),
                         filter.delay().mean_excess_s(), 0, filter.samples()};
}

std::optional<path_memory> kalman_discipline::memory(source_id id,
                                                     raw_time when) const {
  const auto e = source(id, when);
  if (!e || e->samples < path_delay::enough)
    return std::nullopt;
  return path_memory{e->clock, e->base_delay_s, e->mean_excess_s};
}

std::optional<combined_estimate>
kalman_discipline::combined(raw_time when) const {
  std::optional<weighted_mean> mean;
  for (const auto& selected : selected_) {
    const auto found = filters_.find(selected.id.value);
    if (found == filters_.end() || found->second.samples() == 0)
      continue;
    const auto estimate = found->second.at(when);
    if (!mean)
      mean.emplace(estimate.origin);
    mean->add(estimate, square(asymmetry(found->second)),
              selected.server_variance);
  }
  if (!mean)
    return std::nullopt;
  return mean->result(when);
}

} // namespace concert::ntp
