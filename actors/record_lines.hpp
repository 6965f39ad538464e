#pragma once

#include "actors/messages.hpp"

#include <chrono>
#include <string>

namespace concert::actors {

/// Lines of the measurement and tracking logs, JSON without newline;
/// docs/logs.md names their fields. `unix_time` is the wall clock's time about
/// now: it tells the era of the time in the message.
std::string measurement_line(const measurement_taken& m,
                             std::chrono::nanoseconds unix_time);
std::string tracking_line(const clock_updated& u,
                          std::chrono::nanoseconds unix_time);

} // namespace concert::actors
