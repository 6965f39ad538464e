#pragma once

#include "actors/shadow.hpp"
#include "actors/supervisor.hpp"

namespace concert::actors {

/// What the daemon finds when it starts, beside its configuration.
struct start_conditions {
  std::filesystem::path config_path;
  bool config_must_exist = true;
  std::filesystem::path state_file; ///< empty: keep no state
  bool read_only = false;           ///< the clock may not be touched
  std::int8_t precision = -20;      ///< of the clock, log2 s
  /// Unix time; the clock is never set to before.
  std::chrono::nanoseconds not_before{};
  std::uint32_t workers = 1;
  bool pin_workers = false;
  /// Instead of the configured sources: those of a daemon that is watched.
  std::optional<shadowed_daemon> shadowed;
};

/// What the supervisor must know: of the start, and of what the state file
/// says.
supervisor_options options_of(config::daemon_config config,
                              const start_conditions& start);

} // namespace concert::actors
