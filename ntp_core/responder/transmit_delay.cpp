#include "ntp_core/responder/transmit_delay.hpp"

namespace concert::ntp {

void transmit_delay::recent_minimum::add(ntp_duration d) {
  current_ = std::min(current_.value_or(d), d);
  if (++count_ < window)
    return;
  previous_ = current_;
  current_.reset();
  count_ = 0;
}

void transmit_delay::on_sample(std::size_t slot, ntp_duration after_start) {
  if (after_start < ntp_duration{} || after_start > longest)
    return;
  // The first reply of a batch leaves no later than any other one of it.
  if (slot == 0 || (first_.is_known() && after_start < first_.value())) {
    first_.add(after_start);
    return;
  }
  if (!first_.is_known())
    return;
  const auto rest = after_start - first_.value();
  each_.add(
    ntp_duration::from_units(rest.units() / static_cast<std::int64_t>(slot)));
}

std::optional<ntp_duration> transmit_delay::of(std::size_t slot) const {
  if (!first_.is_known())
    return std::nullopt;
  auto eighths = first_.value().units() * first_eighths;
  if (each_.is_known())
    eighths
      += static_cast<std::int64_t>(slot) * each_.value().units() * each_eighths;
  return ntp_duration::from_units(eighths / 8);
}

} // namespace concert::ntp
