#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/discipline/path_memory.hpp"
#include "ntp_core/time/time.hpp"
#include "platform/error.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace concert::platform {

/// What is remembered of one server.
struct saved_source {
  std::string name; ///< as configured
  ntp::endpoint address;
  double burst_tokens = 8;              ///< of its burst budget
  std::optional<ntp::path_memory> path; ///< good for the same boot only
  bool operator==(const saved_source&) const = default;
};

/// What outlives the daemon.
struct saved_state {
  std::optional<ntp::frequency> oscillator;
  double frequency_deviation = 1e-6; ///< ratio
  std::chrono::nanoseconds time{};   ///< Unix time when saved
  std::string boot_id;               ///< of the boot that saved
  bool started_this_boot = false;    ///< the first correction was made
  double accumulated_steps_s = 0;
  std::vector<saved_source> sources;
};

/// Reads a state file: version and CRC are checked. `unavailable` when there is
/// none, `corrupt` when it fails a check; never more than 1 MiB is read.
result<saved_state> load_state(const std::filesystem::path& path);
/// Writes a temporary file, syncs and renames it: the old state stays whole
/// when the disk is full.
result<void> save_state(const std::filesystem::path& path,
                        const saved_state& state);

/// The kernel's random id of this boot, empty if it cannot be read.
std::string boot_id();

} // namespace concert::platform
