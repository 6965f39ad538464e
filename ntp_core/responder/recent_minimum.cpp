#include "ntp_core/responder/recent_minimum.hpp"

#include <algorithm>

namespace concert::ntp {

void recent_minimum::add(ntp_duration d) {
  current_ = std::min(current_.value_or(d), d);
  if (++count_ < window)
    return;
  previous_ = current_;
  current_.reset();
  count_ = 0;
}

std::optional<ntp_duration> recent_minimum::value() const {
  if (current_ && previous_)
    return std::min(*current_, *previous_);
  return current_ ? current_ : previous_;
}

} // namespace concert::ntp
