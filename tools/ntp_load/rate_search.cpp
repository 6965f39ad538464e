#include "tools/ntp_load/rate_search.hpp"

#include <algorithm>
#include <cmath>

namespace concert::load {

std::optional<double> rate_search::next() const {
  return next_;
}

void rate_search::report(bool good) {
  if (!next_)
    return;
  (good ? good_ : bad_) = next_;
  if (!bad_)
    next_ = std::min(*good_ * 2, limit_);
  else if (!good_)
    next_ = *bad_ / 2;
  else
    next_ = std::sqrt(*good_ * *bad_);
  const bool close = good_ && bad_ && *bad_ / *good_ <= 1 + resolution_;
  if (close || good_ >= limit_ || *next_ < least)
    next_.reset();
}

} // namespace concert::load
