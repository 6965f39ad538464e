#pragma once

#include "ntp_core/time/stamp.hpp"

#include <chrono>
#include <optional>
#include <span>

namespace concert::ntp {

/// What more than half of the sources say of a leap second; those that are not
/// synchronised themselves have no vote. Nothing without such a majority.
std::optional<leap_indicator>
leap_majority(std::span<const leap_indicator> sources);

/// Whether a leap second at the end of the UTC day of Unix time `now` is to be
/// believed without a leap-seconds.list: on 30 June and 31 December only.
bool is_leap_day(std::chrono::seconds now);

} // namespace concert::ntp
