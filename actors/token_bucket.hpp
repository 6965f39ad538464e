#pragma once

#include <algorithm>
#include <chrono>

namespace concert::actors {

/// Lets through `rate` a second, and `burst` at once after a quiet time.
class token_bucket {
public:
  token_bucket(double rate, double burst)
    : rate_(rate),
      burst_(burst),
      tokens_(burst) {}

  bool take(double cost = 1) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - last_;
    tokens_ = std::min(burst_, tokens_ + rate_ * passed.count());
    last_ = now;
    if (tokens_ < std::min(cost, burst_))
      return false;
    tokens_ -= cost;
    return true;
  }

private:
  double rate_;
  double burst_;
  double tokens_;
  std::chrono::steady_clock::time_point last_
    = std::chrono::steady_clock::now();
};

} // namespace concert::actors
