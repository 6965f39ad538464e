#include "ntp_core/responder/transmit_delay.hpp"

namespace concert::ntp {

void transmit_delay::on_sample(std::size_t slot, ntp_duration after_start) {
  if (after_start < ntp_duration{} || after_start > longest)
    return;
  const auto first = first_.value();
  // The first reply of a batch leaves no later than any other one of it.
  if (slot == 0 || (first && after_start < *first)) {
    first_.add(after_start);
    return;
  }
  if (!first)
    return;
  const auto rest = after_start - *first;
  each_.add(
    ntp_duration::from_units(rest.units() / static_cast<std::int64_t>(slot)));
}

std::optional<ntp_duration> transmit_delay::of(std::size_t slot) const {
  const auto first = first_.value();
  if (!first)
    return std::nullopt;
  auto eighths = first->units() * first_eighths;
  if (const auto each = each_.value())
    eighths += static_cast<std::int64_t>(slot) * each->units() * each_eighths;
  return ntp_duration::from_units(eighths / 8);
}

} // namespace concert::ntp
