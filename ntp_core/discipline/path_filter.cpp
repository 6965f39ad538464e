#include "ntp_core/discipline/path_filter.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// Innovations beyond this many deviations are suspect.
constexpr double gate = 6;

/// Root mean square over mode of the wander, where all that is known of it is
/// a mode: weights that fall by e for the first decade.
constexpr double spread = 11;

double square(double v) {
  return v * v;
}

/// A suspect sample is confirmed by a second one on the same side; a new
/// frequency makes it grow meanwhile.
bool confirms(double innovation, double suspect) {
  const double ratio = suspect == 0 ? 0 : innovation / suspect;
  return ratio > 0.5 && ratio < 3;
}

} // namespace

path_filter::path_filter(const oscillator_prior& prior,
                         const std::optional<path_memory>& memory)
  : prior_(prior) {
  const double likely = memory ? memory->clock.wander / spread : prior.wander;
  double sum = 0;
  for (std::size_t i = 0; i < levels; ++i) {
    const double decades = std::log10(std::max(likely, 1e-12) / wander_of(i));
    bank_[i].weight = std::exp(-square(decades));
    sum += bank_[i].weight;
  }
  for (auto& model : bank_)
    model.weight /= sum;
  if (memory)
    recall(*memory);
}

double path_filter::wander_of(std::size_t i) {
  static constexpr std::array<double, levels> wander{1e-10, 1e-9, 1e-8, 1e-7,
                                                     1e-6};
  return wander[i];
}

sample_verdict path_filter::add(const path_sample& sample) {
  // A much shorter route is another one, of which nothing is known yet.
  if (hearsay_ && sample.delay_s < delay_.base_s() - delay_.mean_excess_s())
    delay_ = {};
  delay_.add(sample.delay_s);
  const double noise
    = sample.noise_variance + delay_.queueing_variance(sample.delay_s);
  if (delay_.samples() == 1 && !hearsay_) {
    start(sample, noise);
    return sample_verdict::used;
  }

  const double dt = std::max(0.0, (sample.at - last_).seconds());
  const auto expected = at(last_ + ntp_duration::from_seconds(dt));
  const double innovation
    = (sample.offset - origin_).seconds() - expected.offset_s;
  // The doubt that a suspect sample has raised must not make the next one pass.
  const double expected_variance
    = expected.variance_s2 - square(suspect_s_) + noise;
  const bool far = square(innovation) > square(gate) * expected_variance;
  const bool jump = far && confirms(innovation, suspect_s_);
  if (far && hearsay_) {
    *this = path_filter{prior_};
    return add(sample);
  }
  hearsay_ = false;
  if (far && !jump) {
    suspect_s_ = innovation;
    return sample_verdict::suspect;
  }

  suspect_s_ = 0;
  mix(dt);
  predict(dt);
  last_ = last_ + ntp_duration::from_seconds(dt);
  if (jump)
    inflate(square(innovation),
            square(std::min(0.1, innovation / std::max(dt, 1.0))));
  update((sample.offset - origin_).seconds(), noise);
  keep_small();
  return jump ? sample_verdict::jump : sample_verdict::used;
}

clock_estimate path_filter::at(raw_time when) const {
  clock_estimate e;
  e.at = last_;
  e.origin = origin_;
  e.offset_s = mixture_.x;
  e.frequency = mixture_.f;
  e.variance_s2 = mixture_.pxx + square(suspect_s_);
  e.covariance_s = mixture_.pxf;
  e.frequency_variance = mixture_.pff;
  e.wander = wander_;
  return e.predicted(when);
}

void path_filter::inflate(double offset_variance_s2,
                          double frequency_variance) {
  for (auto& model : bank_) {
    model.pxx += offset_variance_s2;
    model.pff += frequency_variance;
  }
  mixture_.pxx += offset_variance_s2;
  mixture_.pff += frequency_variance;
}

path_filter::level path_filter::moments(const bank& models,
                                        const std::array<double, levels>& w) {
  level m;
  for (std::size_t i = 0; i < levels; ++i) {
    m.x += w[i] * models[i].x;
    m.f += w[i] * models[i].f;
  }
  for (std::size_t i = 0; i < levels; ++i) {
    const double dx = models[i].x - m.x;
    const double df = models[i].f - m.f;
    m.pxx += w[i] * (models[i].pxx + dx * dx);
    m.pxf += w[i] * (models[i].pxf + dx * df);
    m.pff += w[i] * (models[i].pff + df * df);
  }
  return m;
}

void path_filter::recall(const path_memory& memory) {
  const auto& e = memory.clock;
  delay_ = {memory.base_delay_s, memory.mean_excess_s};
  last_ = e.at;
  origin_ = e.origin;
  wander_ = e.wander;
  for (auto& model : bank_) {
    model.x = e.offset_s;
    model.f = e.frequency;
    model.pxx = e.variance_s2;
    model.pxf = e.covariance_s;
    model.pff = e.frequency_variance;
  }
  mixture_ = bank_[0];
  hearsay_ = true;
}

void path_filter::start(const path_sample& sample, double noise) {
  last_ = sample.at;
  origin_ = sample.offset;
  wander_ = prior_.wander;
  for (auto& model : bank_) {
    model.f = prior_.frequency;
    model.pxx = square(sample.delay_s / 4) + noise;
    model.pff = square(prior_.deviation);
  }
  mixture_ = bank_[0];
}

/// Interacting multiple models: each starts from a blend of all that might
/// have become it. The chance to change grows with the time passed.
void path_filter::mix(double dt) {
  const double leave = 0.01 * std::min(1.0, dt / 64);
  const double other = leave / (levels - 1);
  const bank before = bank_;
  for (std::size_t to = 0; to < levels; ++to) {
    std::array<double, levels> w{};
    double sum = 0;
    for (std::size_t from = 0; from < levels; ++from) {
      w[from] = before[from].weight * (from == to ? 1 - leave : other);
      sum += w[from];
    }
    for (auto& share : w)
      share /= sum;
    bank_[to] = moments(before, w);
    bank_[to].weight = sum;
  }
}

void path_filter::predict(double dt) {
  for (std::size_t i = 0; i < levels; ++i) {
    auto& m = bank_[i];
    const double q = square(wander_of(i));
    m.x += dt * m.f;
    m.pxx += dt * (2 * m.pxf + dt * (m.pff + q * dt / 3));
    m.pxf += dt * (m.pff + q * dt / 2);
    m.pff += q * dt;
  }
}

void path_filter::update(double y, double noise) {
  std::array<double, levels> log_weight{};
  for (std::size_t i = 0; i < levels; ++i) {
    auto& m = bank_[i];
    const double s = m.pxx + noise;
    const double innovation = y - m.x;
    const double kx = m.pxx / s;
    const double kf = m.pxf / s;
    log_weight[i]
      = std::log(m.weight) - 0.5 * (std::log(s) + innovation * innovation / s);
    m.x += kx * innovation;
    m.f += kf * innovation;
    m.pff = std::max(m.pff - kf * m.pxf, 1e-26);
    m.pxf *= noise / s;
    m.pxx *= noise / s;
  }

  const double best = *std::max_element(log_weight.begin(), log_weight.end());
  std::array<double, levels> w{};
  double sum = 0;
  for (std::size_t i = 0; i < levels; ++i) {
    // Never quite zero: a model may come back.
    w[i] = std::exp(std::max(log_weight[i] - best, -40.0));
    sum += w[i];
  }
  double q = 0;
  for (std::size_t i = 0; i < levels; ++i) {
    w[i] /= sum;
    bank_[i].weight = w[i];
    q += w[i] * square(wander_of(i));
  }
  mixture_ = moments(bank_, w);
  wander_ = std::sqrt(q);
}

/// Moves the whole seconds into the integer, where they cost no precision.
void path_filter::keep_small() {
  if (std::abs(mixture_.x) < 1)
    return;
  const auto by = ntp_duration::from_seconds(std::trunc(mixture_.x));
  origin_ += by;
  mixture_.x -= by.seconds();
  for (auto& model : bank_)
    model.x -= by.seconds();
}

} // namespace concert::ntp
