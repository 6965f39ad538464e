#pragma once

#include "ctl/check.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace concert::ctl {

/// Exit codes of ntp-ctl; `check` has its own (`verdict`).
enum class exit_code : std::uint8_t {
  ok = 0,
  no = 1,          ///< the answer is no: bad configuration, not synchronized
  usage = 2,       ///< the command line cannot be understood
  unreachable = 3, ///< no answer from a daemon
};

enum class command : std::uint8_t {
  status,
  sources,
  tracking,
  servers,
  nts,
  watch,
  validate,
  check,
  wait_sync,
};

/// The command line of ntp-ctl.
struct options {
  command what = command::status;
  bool json = false;
  std::optional<std::filesystem::path> config; ///< unset = the default place
  std::optional<std::filesystem::path> socket; ///< unset = the config's
  bool strict = false;                         ///< validate
  check_limits limits;                         ///< check
  /// wait-sync, s.
  double max_error_s = std::numeric_limits<double>::infinity();
  double timeout_s = 180;  ///< wait-sync, s; 0 = for ever
  double interval_s = 1;   ///< watch, s
  std::uint64_t count = 0; ///< watch; 0 = for ever
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

} // namespace concert::ctl
