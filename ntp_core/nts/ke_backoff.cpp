#include "ntp_core/nts/ke_backoff.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concert::ntp {

namespace {

constexpr double first_s = 10;
constexpr double longest_s = 5 * 86400;
constexpr double jitter = 0.1;

} // namespace

std::chrono::nanoseconds ke_backoff::on_attempt(random_source& random) {
  if (attempts_ < std::numeric_limits<unsigned>::max())
    ++attempts_;
  have_keys_ = false;
  const double wait_s
    = std::min(first_s * std::pow(1.5, attempts_ - 1), longest_s);
  const double factor = 1 + jitter * (2 * random.uniform() - 1);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
    std::chrono::duration<double>{wait_s * factor});
}

void ke_backoff::on_good_answer() {
  if (have_keys_)
    attempts_ = 0;
}

} // namespace concert::ntp
