#include "ntp_core/responder/seal_time.hpp"

namespace concert::ntp {

void seal_time::on_group(std::size_t seals, ntp_duration spent) {
  const auto each = ntp_duration::from_units(
    spent.units() / static_cast<std::int64_t>(seals));
  if (spent >= ntp_duration{} && each <= longest)
    each_.add(each);
}

ntp_duration seal_time::of(std::size_t seals) const {
  const auto each = each_.value().value_or(ntp_duration{});
  return ntp_duration::from_units(static_cast<std::int64_t>(seals)
                                  * each.units());
}

} // namespace concert::ntp
