#include "actors/simulation/noise.hpp"

#include <cmath>

namespace concert::actors {

namespace {

/// Fine enough that two who look at other instants see nearly the same.
constexpr double steps_in_time = 8;

constexpr double self_similar_times_s[] = {20, 80, 320, 1280, 5120, 20480};

} // namespace

normal_process::normal_process(law which, double time_s, std::uint64_t seed)
  : law_(which),
    time_s_(time_s),
    step_s_(time_s / steps_in_time),
    on_grid_(after(step_s_)),
    grid_(seed),
    between_(grid_.next()),
    last_{0, which == law::walk ? 0 : grid_.normal()},
    next_(last_) {
  next_ = next_on_grid();
}

normal_process::transition normal_process::after(double elapsed_s) const {
  if (law_ == law::walk)
    return {1, elapsed_s / time_s_};
  return {std::exp(-elapsed_s / time_s_),
          -std::expm1(-2 * elapsed_s / time_s_)};
}

normal_process::point normal_process::next_on_grid() {
  ++steps_;
  return {steps_ * step_s_, on_grid_.factor * next_.value
                              + std::sqrt(on_grid_.variance) * grid_.normal()};
}

double normal_process::at(double t_s) {
  while (next_.at_s <= t_s) {
    last_ = next_;
    next_ = next_on_grid();
  }
  if (t_s <= last_.at_s)
    return last_.value;
  // Both neighbours are known: the product of two normal laws.
  const auto here = after(t_s - last_.at_s);
  const auto there = after(next_.at_s - t_s);
  const double variance
    = 1 / (1 / here.variance + there.factor * there.factor / there.variance);
  const double mean = variance
                      * (here.factor * last_.value / here.variance
                         + there.factor * next_.value / there.variance);
  last_ = {t_s, mean + std::sqrt(variance) * between_.normal()};
  return last_.value;
}

memory_process::memory_process(memory_law which, double time_s,
                               std::uint64_t seed) {
  seeded_random seeds{seed};
  const auto add = [&](double t) {
    parts_.emplace_back(normal_process::law::stationary, t, seeds.next());
  };
  if (which == memory_law::ar1)
    add(time_s);
  else
    for (const double t : self_similar_times_s)
      add(t);
}

double memory_process::at(double t_s) {
  double sum = 0;
  for (auto& part : parts_)
    sum += part.at(t_s);
  return sum / std::sqrt(static_cast<double>(parts_.size()));
}

} // namespace concert::actors
