#include "ntp_core/discipline/noise_expert.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace concert::ntp {

namespace {

// -- first guesses ------------------------------------------------------------

/// Likely asymmetry of a path against its round trip: one deviation of
/// |a| / b ~ U(0, 0.6), b being one way.
constexpr double likely_asymmetry = 0.175;
constexpr double least_asymmetry_s = 1e-6;
/// How well an earlier run knew a base delay, in scales.
constexpr double remembered_base = 0.2;

// -- base delays --------------------------------------------------------------

/// Variance rate of a base delay by itself, for a scale of 1 ms, s²/s. Results
/// do not depend on it between 0 and ten times this.
constexpr double delay_drift = 1e-14;
/// How much of the scale a base moves from sample to sample where the
/// round trips stay correlated.
constexpr double floor_motion = 0.2;
constexpr double floor_correlation = 0.3;
/// Beyond this it is the base that moves, and faster.
constexpr double free_correlation = 0.8;
constexpr double free_floor = 0.3;
/// Of the base of a path that has become shorter, in squares of the scale.
constexpr double new_base_variance = 2;
/// Samples in a row with a raised minimum that make a longer path, when they
/// are independent.
constexpr double samples_of_rise = 5;
/// A longer path is longer by this much against the spread of those samples.
/// At 1, hours of congestion cost three to five times the error.
constexpr double rise_to_spread = 4;

// -- evidence -----------------------------------------------------------------

constexpr double evidence_memory = 0.97;
constexpr std::uint64_t before_evidence = 3;
constexpr double scale_gain = 0.02;
constexpr double least_scale_s = 1e-9;
/// The mean of one way's queueing against the deviation of the round trip; no
/// law has more. Else a scale that feeds on its own error could grow for ever.
constexpr double widest_scale = 4;

// -- asymmetry ----------------------------------------------------------------

/// Doubt of a new route's asymmetry, in scales per sample seen on it.
constexpr double new_route_doubt = 0.7;
/// After so many samples a new route is known, after five times as many it is
/// known well. A change of asymmetry below this share of the change of delay is
/// none.
constexpr int samples_to_settle = 8;
constexpr double like_share = 0.05;
/// Time in which the long-run mean of the asymmetries is taken back.
constexpr double leak_time_s = 86400;

double square(double v) {
  return v * v;
}

constexpr auto f = clock_state::frequency;
constexpr auto o = clock_state::offset;

} // namespace

noise_expert::noise_expert(noise_shape shape, const oscillator_prior& prior)
  : shape_(shape),
    bank_(prior) {
}

// -- paths --------------------------------------------------------------------

void noise_expert::add_path(double dt, const exchange& x,
                            const first_guess& guess) {
  add_path(x, guess);
  measure_newcomer(dt, x);
}

/// The clock is known already: the newest path is measured against it, and says
/// nothing of the clock itself.
void noise_expert::measure_newcomer(double dt, const exchange& x) {
  const auto a = clock_state::asymmetry(paths_.size() - 1);
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.mean(a) = x.offset_s() - s.mean(o) - dt * s.mean(f);
    s.add_variance(a, square(x.delay_s()) / 4);
  });
}

void noise_expert::add_path(const exchange& x, const first_guess& guess) {
  const double delay = std::max(guess.delay_s, 1e-7);
  const double scale = std::max(guess.scale_s, 1e-7);
  const double b = shape_ == noise_shape::gaussian
                     ? delay / 2 + scale / 2
                     : std::max(0.0, delay / 2 - scale / 2);
  const double b_variance = square(std::min(delay / 4, 2 * scale) + 1e-8);
  const double a_variance
    = square(std::max(least_asymmetry_s, likely_asymmetry * delay));
  const bool first = paths_.empty();
  bank_.for_each([&](clock_state& s, std::size_t) {
    const auto index = paths_.size();
    s.add_path(0, a_variance, b, b_variance);
    if (first) {
      s.mean(o) = x.offset_s();
      s.set_covariance(
        o, o, square(x.delay_s()) + 1e-12 + 4 * square(scale) + a_variance);
      s.set_covariance(o, clock_state::asymmetry(index), -a_variance);
    }
  });
  path p;
  p.forward_s = scale;
  p.backward_s = scale;
  p.asymmetry_variance = a_variance;
  p.last_at_s = x.at_s;
  paths_.push_back(p);
}

void noise_expert::add_path(double dt, const exchange& x,
                            const noise_expert& other, std::size_t its_path,
                            bool same_clock) {
  const auto& known = other.paths_[its_path];
  const double b = other.bank_.mean(clock_state::base(its_path));
  add_path(x, first_guess{2 * b, (known.forward_s + known.backward_s) / 2});
  auto& p = paths_.back();
  p.forward_s = known.forward_s;
  p.backward_s = known.backward_s;
  p.asymmetry_variance = known.asymmetry_variance;
  p.samples = known.samples;
  const auto base = clock_state::base(paths_.size() - 1);
  const double variance = other.bank_.variance(clock_state::base(its_path));
  const auto asymmetry = clock_state::asymmetry(paths_.size() - 1);
  const double known_asymmetry
    = other.bank_.mean(clock_state::asymmetry(its_path));
  const double seen_variance = other.bank_.seen_variance(its_path, 0);
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.replace(base, b, variance);
    if (same_clock)
      s.replace(asymmetry, known_asymmetry, seen_variance);
  });
  if (!same_clock)
    measure_newcomer(dt, x);
}

void noise_expert::recall(const clock_estimate& clock, const first_guess& guess,
                          double asymmetry_s) {
  exchange x;
  x.forward_s = guess.delay_s / 2;
  x.backward_s = guess.delay_s / 2;
  add_path(x, guess);
  auto& p = paths_.front();
  p.samples = delay_watch::starting;
  bank_.favour(clock.wander);
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.mean(f) = clock.frequency;
    s.mean(o) = 0;
    s.mean(clock_state::asymmetry(0)) = asymmetry_s;
    s.set_covariance(clock_state::base(0), clock_state::base(0),
                     square(remembered_base * guess.scale_s));
    s.set_covariance(f, f, clock.frequency_variance);
    s.set_covariance(f, o, clock.covariance_s);
    s.set_covariance(o, o, clock.variance_s2 + p.asymmetry_variance);
  });
}

void noise_expert::remove_path(std::size_t path) {
  bank_.for_each([&](clock_state& s, std::size_t) { s.remove_path(path); });
  paths_.erase(paths_.begin() + static_cast<std::ptrdiff_t>(path));
  reanchor();
}

void noise_expert::set_scale(std::size_t path, double scale_s) {
  paths_[path].forward_s = scale_s;
  paths_[path].backward_s = scale_s;
}

/// Weights of the paths' asymmetries in the mean that the prior takes for
/// zero, as coefficients over the state.
std::vector<double> noise_expert::common_asymmetry() const {
  std::vector<double> h(2 + 2 * paths_.size());
  double sum = 0;
  for (const auto& p : paths_)
    sum += 1 / p.asymmetry_variance;
  for (std::size_t i = 0; i < paths_.size(); ++i)
    h[clock_state::asymmetry(i)] = 1 / paths_[i].asymmetry_variance / sum;
  return h;
}

/// After a path has gone, what it said of the others' asymmetry goes too:
/// forgets offset and asymmetries in common and takes their mean for zero.
void noise_expert::reanchor() {
  if (paths_.empty())
    return;
  double precision = 0;
  for (const auto& p : paths_)
    precision += 1 / p.asymmetry_variance;
  const double doubt = 100 * static_cast<double>(paths_.size()) / precision;
  const auto h = common_asymmetry();
  bank_.for_each([&](clock_state& s, std::size_t) {
    const auto sign = [](std::size_t i) { return i == o ? 1.0 : -1.0; };
    for (std::size_t i = o; i < s.size(); i += i == o ? 1 : 2)
      for (std::size_t j = o; j <= i; j += j == o ? 1 : 2)
        s.set_covariance(i, j, s.covariance(i, j) + sign(i) * sign(j) * doubt);
    s.condition(h, 0, 1 / precision);
  });
}

// -- from outside -------------------------------------------------------------

void noise_expert::inflate(double offset_variance, double frequency_variance) {
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.add_variance(o, offset_variance);
    s.add_variance(f, frequency_variance);
  });
}

void noise_expert::shift(double by) {
  bank_.for_each([&](clock_state& s, std::size_t) { s.mean(o) += by; });
}

// -- one exchange -------------------------------------------------------------

/// So many scales of both ways together, by shape.
double noise_expert::wall_s(const path& p, double one_sided, double softened,
                            double gaussian) const {
  const double both = p.forward_s + p.backward_s;
  switch (shape_) {
    case noise_shape::one_sided:
      return one_sided * both;
    case noise_shape::softened:
      return softened * both;
    case noise_shape::gaussian:
      break;
  }
  return gaussian * both;
}

/// Correlated samples are worth less than their number: the inverse of how
/// often each is counted. But where the clock wanders much between two of
/// them, the last ones are all there is.
double noise_expert::tempering(std::size_t path, double dt,
                               const delay_watch& watch) const {
  const double r = watch.correlation();
  if (r <= 0)
    return 1;
  const auto& p = paths_[path];
  const double rho = std::sqrt(bank_.wander_variance())
                     * std::pow(std::max(dt, 1.0), 1.5)
                     / ((p.forward_s + p.backward_s) / 2 + 1e-9);
  return std::max((1 - r) / (1 + r), std::min(1.0, std::pow(rho, 0.4)));
}

reception noise_expert::take(std::size_t path, double dt, const exchange& x,
                             const delay_watch& watch, bool fresh) {
  auto& p = paths_[path];
  const double since = x.at_s - p.last_at_s;
  p.last_at_s = x.at_s;
  ++p.samples;
  p.anchors.spend(since);
  const double beta = tempering(path, since, watch);
  auto result = reception::used;
  if (!fresh && lengthen(path, x, watch, beta))
    result = reception::lengthened;

  if (dt > 0 && advance(path, dt, x, watch, fresh))
    result = reception::jumped;
  if (!fresh)
    result = watch_for_drop(path, x, watch).value_or(result);
  if (result == reception::held_back)
    return result;

  double correction = 0;
  const auto forward = law(p.forward_s, x.stamp_variance, beta, correction);
  const auto backward = law(p.backward_s, x.stamp_variance, beta, correction);
  const double evidence = bank_.update(path, x.span_s, x.forward_s,
                                       x.backward_s, forward, backward);
  if (p.samples > before_evidence)
    log_weight_ = evidence_memory * log_weight_ + evidence + correction;
  doubt_new_route(p, path);
  if (!keep_bounded(path, x))
    return reception::impossible;
  settle_change(p, path);
  if (!fresh)
    learn(p, path, x, widest_scale * watch.spread_s());
  return result;
}

/// Lets `dt` seconds pass; true if the clock seems to have jumped meanwhile.
bool noise_expert::advance(std::size_t path, double dt, const exchange& x,
                           const delay_watch& watch, bool fresh) {
  const auto& p = paths_[path];
  const double least = std::min(p.forward_s, p.backward_s);
  // At the start a clock that is far off in frequency looks like jumps.
  const double jump = fresh ? 0 : jump_of(path, dt, x);
  bank_.advance(dt, delay_drift * std::max(1e-6, square(1e3 * least)), jump);
  leak(dt);
  const double lasting = watch.lasting_correlation();
  if (lasting > floor_correlation) {
    const double free
      = std::max(0.0, (lasting - free_correlation) / (1 - free_correlation));
    // Not the noise scale alone: that one grows with the base's doubt.
    const double motion
      = std::min(least, watch.spread_s())
        * (floor_motion * std::pow(lasting, 3) + free_floor * free);
    bank_.for_each([&](clock_state& s, std::size_t) {
      s.add_variance(clock_state::base(path), square(motion));
    });
  }
  return jump > 0;
}

/// A round trip below what the path can do is held back: one alone is a stamp
/// gone wrong, not a path. A second one makes another path.
std::optional<reception>
noise_expert::watch_for_drop(std::size_t path, const exchange& x,
                             const delay_watch& watch) {
  auto& p = paths_[path];
  const auto base = clock_state::base(path);
  const double drop = 2 * bank_.mean(base) - x.delay_s();
  const double limit = wall_s(p, 0.05, 1.6, 6)
                       + 12 * std::sqrt(bank_.variance(base))
                       + 6 * std::sqrt(x.stamp_variance);
  const bool before = std::exchange(p.dropped, drop > limit);
  if (!p.dropped)
    return std::nullopt;
  if (!before) {
    log_weight_ *= evidence_memory;
    return reception::held_back;
  }
  p.dropped = false;
  shorten(path, x, watch, drop);
  return reception::rerouted;
}

/// Variance of a jump of the clock, if the offset of this exchange and of the
/// one before lie further off than any queueing explains; else 0.
double noise_expert::jump_of(std::size_t path, double dt, const exchange& x) {
  auto& p = paths_[path];
  const auto a = clock_state::asymmetry(path);
  const auto b = clock_state::base(path);
  const double predicted = bank_.mean(o) + dt * bank_.mean(f) + bank_.mean(a);
  const double miss = std::abs(x.offset_s() - predicted);
  const double scale = std::max(p.forward_s, p.backward_s);
  const double blur = shape_ == noise_shape::one_sided  ? 0
                      : shape_ == noise_shape::softened ? 2.4
                                                        : 6;
  const double limit
    = std::max(0.0, x.delay_s() - 2 * bank_.mean(b)) / 2
      + 6 * std::sqrt(bank_.seen_variance(path, dt) + bank_.variance(b))
      + 3 * std::sqrt(x.stamp_variance) + blur * scale;
  const bool before = std::exchange(violated_, miss > limit);
  const bool own_before = std::exchange(p.violated, violated_);
  if (!violated_ || before)
    return violated_ ? square(miss) : 0;
  if (paths_.size() > 1) {
    // The others still agree: this server has stepped, or its path has changed
    // both ways at once.
    if (own_before)
      bank_.for_each(
        [&](clock_state& s, std::size_t) { s.add_variance(a, square(miss)); });
    return 0;
  }
  // Alone it may be one stamp gone wrong, which also shows in the round trip.
  const double excess = x.delay_s() - 2 * bank_.mean(b);
  const bool plain = excess >= 0 && excess <= miss;
  return plain ? square(miss) : 0;
}

noise_law noise_expert::law(double scale_s, double stamp_variance,
                            double tempering, double& log_correction) const {
  // The same factor on all densities would favour one shape for a purely
  // formal reason; the correction takes it out.
  if (tempering < 1 && shape_ == noise_shape::gaussian) {
    log_correction += -0.5 * std::log(tempering)
                      + (1 - tempering) / 2
                          * std::log(2 * std::numbers::pi * square(scale_s));
    scale_s /= std::sqrt(tempering);
  } else if (tempering < 1) {
    log_correction
      += -std::log(tempering) + (1 - tempering) * std::log(scale_s);
    scale_s /= tempering;
  }
  return {shape_, scale_s, stamp_variance};
}

/// Follows the mean of what is left once the state knows the exchange.
void noise_expert::learn(path& p, std::size_t path, const exchange& x,
                         double most) {
  const double gain
    = std::max(scale_gain, 1 / (static_cast<double>(p.samples) + 4));
  const auto a = clock_state::asymmetry(path);
  const auto b = clock_state::base(path);
  const double seen = bank_.mean(o) + bank_.mean(a);
  const double base = bank_.mean(b);
  const double forward = x.forward_s - (base + seen - x.span_s * bank_.mean(f));
  const double backward = x.backward_s - (base - seen);
  const auto follow = [&](double& scale, double left, double doubt) {
    if (shape_ == noise_shape::gaussian) {
      left = std::min(std::abs(left), 5 * scale);
      scale = std::sqrt(std::max(1e-18, (1 - gain) * square(scale)
                                          + gain * (square(left) + doubt)));
      return;
    }
    const double below = shape_ == noise_shape::softened ? -2 * 0.4 : 0;
    left = std::clamp(left, below * scale, 8 * scale);
    scale = std::max(least_scale_s, (1 - gain) * scale + gain * left);
  };
  double forward_doubt = 0;
  double backward_doubt = 0;
  if (shape_ == noise_shape::gaussian) {
    for (std::size_t k = 0; k < bank_.size(); ++k) {
      const auto& s = bank_.state(k);
      const double own = s.seen_variance(path) + s.covariance(b, b);
      const double shared = 2 * (s.covariance(o, b) + s.covariance(a, b));
      forward_doubt += bank_.weights()[k] * (own + shared);
      backward_doubt += bank_.weights()[k] * (own - shared);
    }
  }
  follow(p.forward_s, forward, forward_doubt);
  follow(p.backward_s, backward, backward_doubt);
  most = std::max(most, least_scale_s);
  p.forward_s = std::min(p.forward_s, most);
  p.backward_s = std::min(p.backward_s, most);
}

// -- changes of the path ------------------------------------------------------

/// Where many round trips in a row stay long the path has become longer.
bool noise_expert::lengthen(std::size_t path, const exchange& x,
                            const delay_watch& watch, double tempering) {
  auto& p = paths_[path];
  const auto count = std::min<std::size_t>(
    delay_watch::longest,
    static_cast<std::size_t>(std::lround(samples_of_rise / tempering)));
  const auto recent = watch.recent(count);
  if (!recent)
    return false;
  const auto b = clock_state::base(path);
  const double excess = recent->low_s - 2 * bank_.mean(b);
  if (excess <= wall_s(p, 3, 3, 6))
    return false;
  // Congestion raises the spread of the delays with their minimum.
  if (excess <= rise_to_spread * (recent->high_s - recent->low_s))
    return false;
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.add_variance(b, square(excess) / 4);
  });
  change_route(p, path, recent->low_s / 2, excess, x.at_s);
  return true;
}

/// Two round trips in a row were shorter than the path: it has another base.
void noise_expert::shorten(std::size_t path, const exchange& x,
                           const delay_watch& watch, double drop) {
  auto& p = paths_[path];
  const double least = std::min(p.forward_s, p.backward_s);
  const auto both = watch.recent(2);
  const double delay = both ? both->low_s : x.delay_s();
  const double b = std::max(
    0.0, delay / 2 - (shape_ == noise_shape::one_sided ? least / 2 : 0));
  change_route(p, path, b, drop, x.at_s);
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.replace(clock_state::base(path), b, new_base_variance * square(least));
  });
}

/// Which way has changed is unknown, and the clock's own phase is known much
/// better: the apparent jump goes to the asymmetry. Unless the routes change so
/// often that it must be congestion; but a known route is a known route.
void noise_expert::change_route(path& p, std::size_t path, double base_s,
                                double change_s, double at_s) {
  const auto a = clock_state::asymmetry(path);
  const double both = p.forward_s + p.backward_s;
  const bool restless = p.anchors.is_restless(at_s);
  const double before = bank_.mean(a);
  p.anchors.leave(bank_.mean(clock_state::base(path)), before, at_s);
  const auto known = p.anchors.recall(base_s, 2 * both);
  if (known || !restless)
    bank_.for_each([&](clock_state& s, std::size_t) {
      s.add_variance(a, square(change_s) / 4);
    });
  p.change = {before, known, change_s, samples_to_settle, false};
}

/// Moments know a new wall too soon too well: what the first samples say of it
/// would later be paid by the clock.
void noise_expert::doubt_new_route(const path& p, std::size_t path) {
  if (!p.change)
    return;
  const int seen = p.change->settled
                     ? 5 * samples_to_settle - p.change->samples_left
                     : samples_to_settle - p.change->samples_left;
  const double doubt
    = new_route_doubt * std::min(p.forward_s, p.backward_s) / (seen + 1);
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.add_variance(clock_state::asymmetry(path), square(doubt));
  });
}

/// Once the route is known: if it has the asymmetry that a route with this base
/// had before, it is that one. If it is about as asymmetric as the last one, it
/// has changed in both ways alike. In both cases what it seems to add is the
/// clock's own error, made while the route was being learnt.
void noise_expert::settle_change(path& p, std::size_t path) {
  if (!p.change || --p.change->samples_left > 0)
    return;
  const double now = bank_.mean(clock_state::asymmetry(path));
  const double both = p.forward_s + p.backward_s;
  const auto& c = *p.change;
  const double by_last = now - c.asymmetry_before_s;
  if (c.asymmetry_known_s && std::abs(now - *c.asymmetry_known_s) < both)
    move_anchor(now - *c.asymmetry_known_s);
  else if (std::abs(by_last) < std::min(like_share * c.by_s, both / 2))
    move_anchor(by_last);
  if (std::exchange(p.change->settled, true))
    p.change.reset();
  else
    p.change->samples_left = 4 * samples_to_settle;
}

/// No way takes less than no time: |a| ≤ b, and the server may be wrong by its
/// root distance. What is beyond is the clock's own error, or of several
/// servers that server's lie; then false.
bool noise_expert::keep_bounded(std::size_t path, const exchange& x) {
  const double a = bank_.mean(clock_state::asymmetry(path));
  const double limit
    = std::max(least_asymmetry_s, bank_.mean(clock_state::base(path)))
      + x.root_distance_s;
  if (std::abs(a) <= limit)
    return true;
  if (paths_.size() == 1)
    move_anchor(a - std::copysign(limit, a));
  return paths_.size() == 1;
}

/// Takes `by` out of all asymmetries and into the offset: no exchange is
/// expected differently.
void noise_expert::move_anchor(double by) {
  bank_.for_each([&](clock_state& s, std::size_t) {
    s.mean(o) += by;
    for (std::size_t i = 0; i < paths_.size(); ++i)
      s.mean(clock_state::asymmetry(i)) -= by;
  });
  for (auto& p : paths_)
    p.anchors.shift(by);
}

/// Moves the clock slowly to where the routes' asymmetries have mean zero.
void noise_expert::leak(double dt) {
  const auto h = common_asymmetry();
  double mean = 0;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const auto a = clock_state::asymmetry(i);
    mean += h[a] * paths_[i].anchors.mean_asymmetry_s(bank_.mean(a));
  }
  if (mean != 0)
    move_anchor(mean * (1 - std::exp(-dt / leak_time_s)));
}

} // namespace concert::ntp
