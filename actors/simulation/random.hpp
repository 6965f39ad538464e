#pragma once

#include "ntp_core/time/random.hpp"

#include <cmath>

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

  /// Exponentially distributed with this mean.
  double exponential(double mean) {
    return mean == 0 ? 0 : -mean * std::log(1 - uniform());
  }

private:
  std::uint64_t state_;
};

} // namespace concert::actors
