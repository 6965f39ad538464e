#include "platform/oscillator.hpp"

#include <cmath>
#include <numbers>

namespace concert::platform {

namespace {

/// SplitMix64's finaliser: 64 well mixed bits of a counter.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Uniform in (0, 1].
double uniform(std::uint64_t bits) {
  return static_cast<double>((bits >> 11) + 1) * 0x1p-53;
}

/// Standard normal, a function of key and counter (Box and Muller).
double normal(std::uint64_t key, std::uint64_t counter) {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
  const auto base = mix(key * golden + counter);
  return std::sqrt(-2 * std::log(uniform(mix(base + golden))))
         * std::cos(2 * std::numbers::pi * uniform(mix(base + 2 * golden)));
}

} // namespace

oscillator::oscillator(const oscillator_parameters& parameters)
  : parameters_(parameters) {
}

/// The change of frequency at the end of `second`.
double oscillator::increment(std::int64_t second) const {
  return parameters_.wander
         * normal(parameters_.seed, static_cast<std::uint64_t>(second));
}

void oscillator::move(position& p, std::int64_t second) const {
  while (p.second < second) {
    p.phase_s += p.frequency;
    p.frequency += increment(p.second++);
  }
  while (p.second > second) {
    p.frequency -= increment(--p.second);
    p.phase_s -= p.frequency;
  }
}

oscillator::position oscillator::last() const {
  const auto version = version_.load(std::memory_order_acquire);
  const position p{second_.load(std::memory_order_acquire),
                   frequency_.load(std::memory_order_acquire),
                   phase_s_.load(std::memory_order_acquire)};
  const bool whole
    = version % 2 == 0 && version_.load(std::memory_order_relaxed) == version;
  return whole ? p : position{};
}

void oscillator::remember(const position& p) const {
  auto version = version_.load(std::memory_order_relaxed);
  if (version % 2 != 0
      || !version_.compare_exchange_strong(version, version + 1,
                                           std::memory_order_acq_rel))
    return; // somebody else is at it
  second_.store(p.second, std::memory_order_release);
  frequency_.store(p.frequency, std::memory_order_release);
  phase_s_.store(p.phase_s, std::memory_order_release);
  version_.store(version + 2, std::memory_order_release);
}

double oscillator::error_s(std::chrono::nanoseconds elapsed) const {
  const double steady = parameters_.frequency_error
                        * (static_cast<double>(elapsed.count()) * 1e-9);
  if (parameters_.wander == 0)
    return steady;
  const auto second = std::chrono::floor<std::chrono::seconds>(elapsed);
  auto p = last();
  const auto known = p.second;
  move(p, second.count());
  if (p.second > known)
    remember(p);
  const auto rest = static_cast<double>((elapsed - second).count()) * 1e-9;
  return steady + p.phase_s + p.frequency * rest;
}

} // namespace concert::platform
