#include "tools/ntp_load/sample_set.hpp"

#include <algorithm>
#include <cmath>

namespace concert::load {

void sample_set::add(std::int64_t ns) {
  min_ = count_ == 0 ? ns : std::min(min_, ns);
  max_ = count_ == 0 ? ns : std::max(max_, ns);
  ++count_;
  // Welford's way, which loses nothing to large means.
  const double before = static_cast<double>(ns) - mean_;
  mean_ += before / static_cast<double>(count_);
  squares_ += before * (static_cast<double>(ns) - mean_);
  if (kept_.size() < limit_) {
    kept_.push_back(ns);
    sorted_ = false;
    return;
  }
  // Each of all has the same chance to be kept.
  if (const auto place = random_.next() % count_; place < limit_) {
    kept_[place] = ns;
    sorted_ = false;
  }
}

double sample_set::deviation() const {
  return count_ < 2 ? 0 : std::sqrt(squares_ / static_cast<double>(count_ - 1));
}

std::int64_t sample_set::quantile(double q) const {
  if (kept_.empty())
    return 0;
  if (!sorted_)
    std::sort(kept_.begin(), kept_.end());
  sorted_ = true;
  const auto n = static_cast<double>(kept_.size());
  const auto rank = static_cast<std::size_t>(std::max(std::ceil(q * n), 1.0));
  return kept_[std::min(rank, kept_.size()) - 1];
}

double sample_set::share_above(std::int64_t ns) const {
  if (kept_.empty())
    return 0;
  const auto above
    = std::count_if(kept_.begin(), kept_.end(), [&](auto v) { return v > ns; });
  return static_cast<double>(above) / static_cast<double>(kept_.size());
}

} // namespace concert::load
