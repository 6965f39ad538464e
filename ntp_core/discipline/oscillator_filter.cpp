#include "ntp_core/discipline/oscillator_filter.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// The origin moves along when the offset has grown to this, s.
constexpr double large_offset_s = 1;

double square(double v) {
  return v * v;
}

raw_time arrival_of(const path_sample& sample) {
  return sample.at + ntp_duration::from_seconds(sample.span_s / 2);
}

} // namespace

oscillator_filter::oscillator_filter(const oscillator_prior& prior)
  : experts_{noise_expert{noise_shape::one_sided, prior},
             noise_expert{noise_shape::softened, prior},
             noise_expert{noise_shape::gaussian, prior}} {
}

oscillator_filter::oscillator_filter(const oscillator_prior& prior,
                                     const path_memory& memory)
  : oscillator_filter(prior) {
  epoch_ = memory.clock.at;
  last_ = memory.clock.at;
  origin_
    = memory.clock.origin + ntp_duration::from_seconds(memory.clock.offset_s);
  for (auto& e : experts_)
    e.recall(memory.clock, {memory.base_delay_s, memory.mean_excess_s / 2},
             memory.asymmetry_s);
  renew();
}

/// A sample from before the last one (a poll old, being interleaved, beside
/// another source's) is carried on to that one's time by the frequency, with
/// the doubt that this costs.
exchange oscillator_filter::relative(const path_sample& sample) const {
  exchange x;
  double offset = (sample.offset - origin_).seconds();
  x.at_s = (arrival_of(sample) - epoch_).seconds();
  const double age
    = last_ ? std::max(0.0, (*last_ - arrival_of(sample)).seconds()) : 0;
  const auto& clock = belief_.clock;
  offset += age * clock.frequency;
  const double doubt
    = square(age) * (clock.frequency_variance + square(clock.wander) * age / 3);
  x.forward_s = sample.delay_s / 2 + offset;
  x.backward_s = sample.delay_s / 2 - offset;
  x.span_s = sample.span_s;
  x.stamp_variance = 2 * (sample.noise_variance + doubt);
  x.root_distance_s = sample.root_distance_s;
  return x;
}

reception oscillator_filter::take(std::size_t path, const path_sample& sample,
                                  const delay_watch& watch, bool fresh,
                                  bool same_server) {
  const auto arrival = arrival_of(sample);
  if (!last_) {
    epoch_ = arrival;
    last_ = arrival;
    origin_ = sample.offset;
  }
  const auto x = relative(sample);
  const double dt = std::max(0.0, (arrival - *last_).seconds());
  last_ = std::max(*last_, arrival);
  std::array<reception, 3> receptions{};
  for (std::size_t i = 0; i < experts_.size(); ++i) {
    auto& e = experts_[i];
    const bool gaussian = i == 2;
    const first_guess guess{
      watch.first_minimum_s(),
      gaussian ? std::max(1e-8, watch.first_deviation_s() / std::sqrt(2.0))
               : watch.first_scale_s()};
    if (path == e.paths() && same_server && path > 0)
      e.add_path(dt, x, guess);
    else if (path == e.paths())
      e.add_path(x, guess);
    else if (fresh)
      e.set_scale(path, guess.scale_s);
    receptions[i] = e.take(path, dt, x, watch, fresh);
  }
  keep_small();
  renew();
  const auto w = shares();
  return receptions[static_cast<std::size_t>(
    std::max_element(w.begin(), w.end()) - w.begin())];
}

reception oscillator_filter::join(const path_sample& sample,
                                  const delay_watch& watch,
                                  const oscillator_filter& other,
                                  std::size_t its_path, bool same_clock) {
  auto x = relative(sample);
  const double dt = std::max(0.0, (arrival_of(sample) - *last_).seconds());
  for (std::size_t i = 0; i < experts_.size(); ++i)
    experts_[i].add_path(dt, x, other.experts_[i], its_path, same_clock);
  return take(paths() - 1, sample, watch, false);
}

void oscillator_filter::remove_path(std::size_t path) {
  for (auto& e : experts_)
    e.remove_path(path);
  renew();
}

bool oscillator_filter::allows(const path_sample& sample,
                               double base_delay_s) const {
  const auto now = belief_.clock.predicted(sample.at);
  const double miss = now.offset_s + (now.origin - sample.offset).seconds();
  return std::abs(miss) <= sample.delay_s - base_delay_s / 2
                             + sample.root_distance_s
                             + 5 * std::sqrt(now.variance_s2);
}

void oscillator_filter::inflate(double offset_variance_s2,
                                double frequency_variance) {
  for (auto& e : experts_)
    e.inflate(offset_variance_s2, frequency_variance);
  renew();
}

void oscillator_filter::keep_small() {
  const double offset = experts_[0].bank().mean(clock_state::offset);
  if (std::abs(offset) < large_offset_s)
    return;
  const auto by = ntp_duration::from_seconds(offset);
  origin_ += by;
  for (auto& e : experts_)
    e.shift(-by.seconds());
}

std::array<double, 3> oscillator_filter::shares() const {
  std::array<double, 3> w{};
  double top = experts_[0].log_weight();
  for (const auto& e : experts_)
    top = std::max(top, e.log_weight());
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = std::exp(experts_[i].log_weight() - top);
    sum += w[i];
  }
  for (auto& v : w)
    v /= sum;
  return w;
}

void oscillator_filter::renew() {
  if (!last_)
    return;
  constexpr auto f = clock_state::frequency;
  constexpr auto o = clock_state::offset;
  const auto share = shares();
  const auto for_all = [&](auto&& use) {
    for (std::size_t e = 0; e < experts_.size(); ++e) {
      const auto& bank = experts_[e].bank();
      for (std::size_t k = 0; k < bank.size(); ++k)
        use(share[e] * bank.weights()[k], bank.state(k), k);
    }
  };
  double offset = 0;
  double frequency = 0;
  double wander = 0;
  for_all([&](double w, const clock_state& s, std::size_t k) {
    offset += w * s.mean(o);
    frequency += w * s.mean(f);
    wander += w * square(wander_bank::wander_of(k));
  });

  // o plus the weighted asymmetries: what many samples make certain.
  std::vector<double> h(2 + 2 * paths());
  double precision = 0;
  for (std::size_t i = 0; i < paths(); ++i)
    precision += 1 / experts_[0].asymmetry_variance(i);
  for (std::size_t i = 0; i < paths(); ++i)
    h[clock_state::asymmetry(i)]
      = 1 / experts_[0].asymmetry_variance(i) / precision;
  h[o] = 1;
  belief_ = {};
  auto& b = belief_;
  double total = 0;
  for_all([&](double w, const clock_state& s, std::size_t) {
    if (w < 1e-12)
      return;
    double seen = 0;
    double with_frequency = 0;
    for (std::size_t i = o; i < h.size(); i += i == o ? 1 : 2) {
      with_frequency += h[i] * s.covariance(i, f);
      for (std::size_t j = o; j < h.size(); j += j == o ? 1 : 2)
        seen += h[i] * h[j] * s.covariance(i, j);
    }
    const double dx = s.mean(o) - offset;
    const double df = s.mean(f) - frequency;
    b.clock.variance_s2 += w * (std::max(0.0, seen) + square(dx));
    b.clock.covariance_s += w * (with_frequency + dx * df);
    b.clock.frequency_variance += w * (s.covariance(f, f) + square(df));
    total += w * (s.covariance(o, o) + square(dx));
  });
  b.clock.at = *last_;
  b.clock.origin = origin_;
  b.clock.offset_s = offset;
  b.clock.frequency = frequency;
  b.clock.wander = std::sqrt(wander);
  b.asymmetry_variance = std::max(0.0, total - b.clock.variance_s2);
}

double oscillator_filter::base_delay_s(std::size_t path) const {
  return 2 * std::max(0.0, experts_[0].bank().mean(clock_state::base(path)));
}

double oscillator_filter::mean_excess_s(std::size_t path) const {
  return experts_[0].forward_scale_s(path) + experts_[0].backward_scale_s(path);
}

double oscillator_filter::asymmetry_s(std::size_t path) const {
  const auto share = shares();
  double a = 0;
  for (std::size_t e = 0; e < experts_.size(); ++e)
    a += share[e] * experts_[e].bank().mean(clock_state::asymmetry(path));
  return a;
}

} // namespace concert::ntp
