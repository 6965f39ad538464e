#pragma once

#include "config/config.hpp"
#include "platform/log.hpp"

namespace concert::actors {

/// What the configuration calls a level, for the log.
inline platform::log::level log_level_of(config::log_level l) {
  using platform::log::level;
  static_assert(static_cast<int>(level::trace)
                  == static_cast<int>(config::log_level::trace)
                && static_cast<int>(level::error)
                     == static_cast<int>(config::log_level::error));
  return static_cast<level>(l);
}

} // namespace concert::actors
