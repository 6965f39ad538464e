#include "ntp_core/discipline/path_delay.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

path_delay::path_delay(double base_s, double mean_excess_s)
  : used_(1),
    samples_(enough),
    base_s_(base_s),
    mean_excess_s_(mean_excess_s),
    excess_before_block_s_(mean_excess_s) {
  minima_[newest_] = base_s;
}

void path_delay::add(double delay_s) {
  ++samples_;
  if (in_block_ == 0) {
    newest_ = (newest_ + 1) % blocks;
    used_ = std::min(used_ + 1, blocks);
    minima_[newest_] = delay_s;
    excess_before_block_s_ = mean_excess_s_;
  }
  minima_[newest_] = std::min(minima_[newest_], delay_s);
  const double old_base = base_s_;
  recompute_base();
  if (samples_ > 1 && samples_ <= block_length)
    mean_excess_s_ += std::max(0.0, old_base - base_s_);

  // Averages slowly, and does not let a rare long queue dominate.
  double excess = delay_s - base_s_;
  if (samples_ > block_length)
    excess = std::min(excess, 8 * mean_excess_s_ + 1e-7);
  const double gain = std::max(0.02, 1.0 / static_cast<double>(samples_));
  mean_excess_s_ += gain * (excess - mean_excess_s_);

  if (++in_block_ == block_length)
    close_block();
}

double path_delay::queueing_variance(double delay_s) const {
  const auto n = static_cast<double>(std::max<std::uint64_t>(samples_, 1));
  // The minimum of n sums of two exponential delays still holds some queueing.
  const double window = std::min(n, double{block_length * blocks});
  const double hidden = 0.63 * mean_excess_s_ / std::sqrt(window);
  const double excess = std::max(0.0, delay_s - base_s_) + hidden;
  // A base seen once or twice may be far from the true one.
  const double unsure = 0.08 * base_s_ / n;
  return excess * excess / 12 + unsure * unsure;
}

void path_delay::close_block() {
  in_block_ = 0;
  const double risen = minima_[newest_] - base_s_;
  if (samples_ <= 2 * block_length
      || risen <= 4 * excess_before_block_s_ + 1e-6)
    return;
  used_ = 1;
  mean_excess_s_ = excess_before_block_s_;
  recompute_base();
}

void path_delay::recompute_base() {
  base_s_ = minima_[newest_];
  for (std::size_t i = 1; i < used_; ++i)
    base_s_ = std::min(base_s_, minima_[(newest_ + blocks - i) % blocks]);
}

} // namespace concert::ntp
