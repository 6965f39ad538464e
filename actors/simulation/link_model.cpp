#include "actors/simulation/link_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace concert::actors {

namespace {

constexpr double day_s = 86'400;
constexpr double turn = 2 * std::numbers::pi;
/// Nothing arrives before it was sent.
constexpr double least_delay_s = 1e-9;

ntp::stamp_kind stamp_kind_of(const std::string& name) {
  if (name == "hardware")
    return ntp::stamp_kind::hardware;
  if (name == "kernel")
    return ntp::stamp_kind::kernel;
  if (name == "daemon")
    return ntp::stamp_kind::daemon;
  throw std::invalid_argument{"there are no stamps of kind \"" + name + "\""};
}

/// One packet's queueing in units of the jitter.
double draw(queueing_shape shape, seeded_random& random) {
  const auto e = [&random] { return random.exponential(1); };
  switch (shape) {
    case queueing_shape::exponential:
      return e();
    case queueing_shape::gaussian:
      return random.normal();
    case queueing_shape::heavy:
      return e() * e() * e();
    case queueing_shape::uniform:
      return random.uniform();
    case queueing_shape::bimodal:
      return e() + (random.uniform() < 0.3 ? 5 : 0);
    case queueing_shape::exp_gauss:
      return e() + random.normal() / 2;
    case queueing_shape::gamma4:
      return (e() + e() + e() + e()) / 2;
    case queueing_shape::triangular:
      return random.uniform() - random.uniform();
  }
  return 0;
}

/// An exponential variate that is to its law what `z` is to the normal one.
double exponential_of_normal(double z) {
  return -std::log(std::erfc(z / std::numbers::sqrt2) / 2);
}

/// A free walk seen in two mirrors at ±1: a reflected walk.
double mirrored(double x) {
  const double in_period = x + 1 - 4 * std::floor((x + 1) / 4);
  return in_period < 2 ? in_period - 1 : 3 - in_period;
}

bool is_on(const link_event& e, double t_s) {
  double since = t_s - e.at_s;
  if (since < 0)
    return false;
  if (e.every_s > 0)
    since = std::fmod(since, e.every_s);
  return e.until_s <= e.at_s || since < e.until_s - e.at_s;
}

/// The last of a list by time that has begun at `t_s`.
template <class Entries>
auto begun(const Entries& entries, double t_s) {
  const auto next
    = std::upper_bound(entries.begin(), entries.end(), t_s,
                       [](double t, const auto& e) { return t < e.from_s; });
  return next == entries.begin() ? nullptr : &*std::prev(next);
}

} // namespace

// -- one direction ------------------------------------------------------------

link_direction::link_direction(const direction_options& options,
                               std::uint64_t seed)
  : options_(options),
    random_(seed) {
  seeded_random seeds{random_.next()};
  sine_phase_ = turn * seeds.uniform();
  walk_start_ = seeds.between(-1, 1);
  const auto walk_seed = seeds.next();
  const auto memory_seed = seeds.next();
  // A free walk of variance t / T leaves ±1 after T on average.
  if (options_.floor_walk > 0)
    walk_.emplace(normal_process::law::walk, options_.floor_period_s,
                  walk_seed);
  if (options_.memory != queueing_memory::none)
    memory_.emplace(options_.law, options_.memory_s, memory_seed);
}

double link_direction::floor_share(double t_s) {
  double share = 0;
  if (options_.floor_sine != 0)
    share += options_.floor_sine
             * std::sin(turn * t_s / options_.floor_period_s + sine_phase_);
  if (walk_)
    share += options_.floor_walk * mirrored(walk_start_ + walk_->at(t_s));
  return share;
}

double link_direction::queueing_s(double t_s, double factor) {
  double jitter_s = options_.jitter_s * factor;
  if (options_.daily_factor != 1)
    jitter_s *= std::pow(options_.daily_factor, std::sin(turn * t_s / day_s));
  if (!memory_)
    return jitter_s * draw(options_.shape, random_);
  const double z = memory_->at(t_s);
  if (options_.memory == queueing_memory::excess)
    return jitter_s * exponential_of_normal(z);
  return jitter_s * std::exp(options_.memory_sd * z)
         * draw(options_.shape, random_);
}

std::optional<double> link_direction::delay_s(double t_s,
                                              const link_condition& now) {
  if (now.cut || (options_.loss > 0 && random_.uniform() < options_.loss))
    return {};
  double delay_s = now.base_s * (1 + floor_share(t_s)) + now.more_s
                   + queueing_s(t_s, now.factor);
  if (options_.short_share > 0 && random_.uniform() < options_.short_share)
    delay_s -= options_.short_s;
  if (options_.late_share > 0 && random_.uniform() < options_.late_share)
    delay_s += options_.late_s;
  return std::max(delay_s, least_delay_s);
}

// -- both ---------------------------------------------------------------------

link_model::link_model(const link_options& options, double duration_s,
                       std::uint64_t seed)
  : options_(options),
    stamps_(stamp_kind_of(options.stamps)),
    seeds_(seed),
    forward_(options.forward, seeds_.next()),
    backward_(options.backward, seeds_.next()),
    random_(seeds_.next()) {
  draw_congestion(duration_s, seeded_random{seeds_.next()});
  draw_routes(duration_s, seeded_random{seeds_.next()});
}

void link_model::draw_congestion(double duration_s, seeded_random random) {
  const auto& c = options_.congestion;
  if (c.every_s <= 0)
    return;
  double begin_s = 0;
  double free_s = 0;
  while ((begin_s += random.exponential(c.every_s)) < duration_s) {
    const double from_s = std::max(begin_s, free_s);
    free_s = from_s + random.between(c.least_s, c.most_s);
    congestions_.push_back(
      {from_s, free_s, random.uniform() < 0.5 ? way::forward : way::backward});
  }
}

void link_model::draw_routes(double duration_s, seeded_random random) {
  const auto& r = options_.routes;
  for (int i = 0; i < r.count; ++i)
    routes_.push_back({random.between(0, duration_s),
                       random.between(r.least_s, r.most_s),
                       random.between(r.least_s, r.most_s)});
  std::sort(routes_.begin(), routes_.end(),
            [](const route& a, const route& b) { return a.from_s < b.from_s; });
}

link_condition link_model::condition(way which, double t_s) const {
  const bool forward = which == way::forward;
  link_condition now;
  now.base_s = forward ? options_.forward.base_s : options_.backward.base_s;
  if (const auto* r = begun(routes_, t_s))
    now.base_s = forward ? r->forward_s : r->backward_s;
  for (const auto& e : options_.events) {
    if (!is_on(e, t_s))
      continue;
    now.more_s += forward ? e.forward_base_s : e.backward_base_s;
    now.factor *= forward ? e.forward_factor : e.backward_factor;
    now.cut = now.cut || e.cut;
  }
  if (const auto* c = begun(congestions_, t_s);
      c != nullptr && t_s < c->until_s && c->which == which) {
    now.more_s += options_.congestion.excess_s;
    now.factor *= options_.congestion.factor;
  }
  return now;
}

std::optional<double> link_model::delay_s(way which, double t_s) {
  auto& direction = which == way::forward ? forward_ : backward_;
  return direction.delay_s(t_s, condition(which, t_s));
}

bool link_model::duplicates() {
  return options_.duplication > 0 && random_.uniform() < options_.duplication;
}

link_model::stamping link_model::stamps() {
  if (options_.daemon_share <= 0 || random_.uniform() >= options_.daemon_share)
    return {stamps_, 0, 0};
  return {ntp::stamp_kind::daemon, random_.exponential(options_.daemon_late_s),
          random_.exponential(options_.daemon_late_s)};
}

} // namespace concert::actors
