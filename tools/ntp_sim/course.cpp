#include "tools/ntp_sim/course.hpp"

#include <algorithm>

namespace concert::sim {

series::series(double from_s, double until_s)
  : from_s_(from_s),
    width_s_((until_s - from_s) / static_cast<double>(bins)),
    spans_(bins) {
  // nop
}

void series::add(double time_s, double value) {
  const double place = (time_s - from_s_) / width_s_;
  if (!(place >= 0 && place <= static_cast<double>(bins)))
    return;
  auto& s = spans_[std::min(bins - 1, static_cast<std::size_t>(place))];
  s.low = s.empty ? value : std::min(s.low, value);
  s.high = s.empty ? value : std::max(s.high, value);
  s.empty = false;
}

double series::time_s(std::size_t i) const {
  return from_s_ + (static_cast<double>(i) + 0.5) * width_s_;
}

course::course(double from, double until)
  : from_s(from),
    until_s(until),
    error(from, until),
    belief(from, until),
    sure_low(from, until),
    sure_high(from, until),
    bound_low(from, until),
    bound_high(from, until) {
  // nop
}

} // namespace concert::sim
