#include "ntp_core/leap/leap_vote.hpp"

#include <array>

namespace concert::ntp {

std::optional<leap_indicator>
leap_majority(std::span<const leap_indicator> sources) {
  std::array<std::size_t, 4> votes{};
  for (const auto leap : sources)
    ++votes[static_cast<std::size_t>(leap)];
  const auto voters
    = sources.size()
      - votes[static_cast<std::size_t>(leap_indicator::unsynchronized)];
  for (const auto leap : {leap_indicator::none, leap_indicator::insert_second,
                          leap_indicator::delete_second})
    if (2 * votes[static_cast<std::size_t>(leap)] > voters)
      return leap;
  return std::nullopt;
}

bool is_leap_day(std::chrono::seconds now) {
  const auto midnight
    = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{now});
  const std::chrono::year_month_day day{midnight};
  return day == day.year() / std::chrono::June / 30
         || day == day.year() / std::chrono::December / 31;
}

} // namespace concert::ntp
