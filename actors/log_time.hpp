#pragma once

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <string>

namespace concert::actors {

/// A Unix time for the log: "2026-03-01T00:00:00Z".
inline std::string log_time(std::chrono::seconds unix) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(unix.count())));
}

} // namespace concert::actors
