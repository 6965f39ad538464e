#pragma once

#include "ntp_core/time/random.hpp"

#include <cmath>
#include <optional>
#include <utility>

namespace concert::actors {

/// A repeatable stream of bits (SplitMix64).
class seeded_random final : public ntp::random_source {
public:
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override {
    auto x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  /// Uniform between the two.
  double between(double least, double most) {
    return least + (most - least) * uniform();
  }

  /// Exponentially distributed with this mean.
  double exponential(double mean) {
    return mean == 0 ? 0 : -mean * std::log(1 - uniform());
  }

  /// Normally distributed with mean 0 and deviation 1 (Marsaglia's polar
  /// method, which makes two at a time).
  double normal() {
    if (spare_)
      return *std::exchange(spare_, std::nullopt);
    double x = 0;
    double y = 0;
    double square = 0;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    const double scale = std::sqrt(-2 * std::log(square) / square);
    spare_ = y * scale;
    return x * scale;
  }

private:
  std::uint64_t state_;
  std::optional<double> spare_;
};

} // namespace concert::actors
