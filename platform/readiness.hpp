#pragma once

#include <chrono>
#include <optional>
#include <string_view>

/// systemd's notification protocol; all do nothing outside of it.
namespace concert::platform::readiness {

void ready(std::string_view status);
void status(std::string_view text);
void reloading();
void stopping();
void watchdog();
/// How often `watchdog` must be called (half of WatchdogSec), if at all.
std::optional<std::chrono::nanoseconds> watchdog_interval();

} // namespace concert::platform::readiness
