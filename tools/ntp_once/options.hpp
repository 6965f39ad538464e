#pragma once

#include "config/config.hpp"
#include "platform/clock.hpp"
#include "tools/ntp_once/clocks.hpp"
#include "tools/ntp_once/resolve.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace concert::once {

enum class exit_code : std::uint8_t {
  ok = 0,      ///< a majority of the servers agrees
  no = 1,      ///< no answer, or no majority
  usage = 2,   ///< the command line cannot be understood
  refused = 3, ///< the system refused something: the clock, the log file
};

enum class followed_clock : std::uint8_t { none, virtual_, system };

/// The command line of ntp-once.
struct options {
  std::vector<config::host_port> servers;
  ip_family family = ip_family::any;
  bool json = false;
  int samples = 4;                 ///< of each server, 1..8
  std::optional<double> timeout_s; ///< unset = by the number of samples
  time_scale scale = time_scale::raw;
  std::optional<std::uint32_t> agreeing; ///< unset = a majority, at most 3

  bool interleaved = false; ///< RFC 9769, from servers that have it

  bool follow = false;
  // The rest is for following.
  followed_clock clock = followed_clock::none;
  platform::virtual_clock_options model;
  std::int8_t min_poll = 6; ///< log2 s, 0..17
  std::int8_t max_poll = 10;
  double duration_s = 0;          ///< 0 = until a signal
  std::optional<std::string> log; ///< "-" = standard output

  /// How long one shot may take, s.
  double time_limit_s() const {
    return timeout_s.value_or(2.0 * samples + 4.0);
  }
};

/// Why there is nothing to do: help and version have code 0 and go to standard
/// output, the rest to standard error.
struct usage_answer {
  int code = 0;
  std::string text;
};

/// Reads the arguments (without the program's name).
tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments);

} // namespace concert::once
