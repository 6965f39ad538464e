#include "platform/readiness.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace concert::platform::readiness {

namespace {

void notify(const std::string& text) {
  sd_notify(0, text.c_str());
}

} // namespace

void ready(std::string_view status) {
  notify(fmt::format("READY=1\nSTATUS={}", status));
}

void status(std::string_view text) {
  notify(fmt::format("STATUS={}", text));
}

void reloading() {
  // Type=notify-reload compares the time with its own.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                     now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

void stopping() {
  notify("STOPPING=1");
}

void watchdog() {
  notify("WATCHDOG=1");
}

std::optional<std::chrono::nanoseconds> watchdog_interval() {
  std::uint64_t us = 0;
  if (sd_watchdog_enabled(0, &us) <= 0)
    return std::nullopt;
  return std::chrono::microseconds{us / 2};
}

} // namespace concert::platform::readiness
