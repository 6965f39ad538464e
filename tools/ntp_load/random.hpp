#pragma once

#include <bit>
#include <cstdint>

namespace concert::load {

/// A generator of a few nanoseconds a draw (xoshiro256**, by D. Blackman and
/// S. Vigna), for what must be unique rather than secret.
class fast_random {
public:
  explicit fast_random(std::uint64_t seed) {
    for (auto& word : state_)
      word = mix(seed += 0x9e3779b97f4a7c15);
  }

  std::uint64_t next() {
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 0 < u ≤ 1.
  double uniform() { return (static_cast<double>(next() >> 11) + 1) * 0x1p-53; }

private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::uint64_t state_[4]{};
};

} // namespace concert::load
