#pragma once

#include "ctl/check.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concert::ctl {

/// Exit codes of ntp-ctl; `check` has its own (`verdict`).
enum class exit_code : std::uint8_t {
  ok = 0,
  no = 1,          ///< the answer is no: bad configuration, not synchronized
  usage = 2,       ///< the command line cannot be understood
  unreachable = 3, ///< no answer from a daemon
  forbidden = 4,   ///< the daemon answers, but not to this user
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
  why,
  compare,
  doctor,
  migrate,
  get,
  set,
  unset,
  source_list,
  source_add,
  source_modify,
  source_remove,
  online,
  offline,
  burst,
  reload,
  diff,
  persist,
  step,
  force_sync,
  completion,
};

enum class output_form : std::uint8_t { plain, json, csv };

/// The command line of ntp-ctl.
struct options {
  command what = command::status;
  output_form form = output_form::plain;
  std::optional<std::filesystem::path> config; ///< unset = the default place
  std::optional<std::filesystem::path> socket; ///< unset = the config's
  std::optional<std::filesystem::path> control_socket; ///< unset = the config's
  bool strict = false;                                 ///< validate
  check_limits limits;                                 ///< check
  /// wait-sync, s.
  double max_error_s = std::numeric_limits<double>::infinity();
  double timeout_s = 180;  ///< wait-sync, s; 0 = for ever
  double interval_s = 1;   ///< watch, s
  std::uint64_t count = 0; ///< watch; 0 = for ever
  std::string source;      ///< source commands, why, online, offline, burst
  std::string key;         ///< get, set, unset
  /// set: the value; source add and modify: lines of `key = value`.
  std::string value;
  bool persist = false;       ///< changes: keep them over a restart
  bool discard = false;       ///< reload
  bool confirmed = false;     ///< force-sync: do not ask
  std::filesystem::path file; ///< migrate
  std::string from;           ///< migrate: the dialect; empty = see for it
  std::string shell;          ///< completion: bash, zsh or fish
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

/// The script that completes ntp-ctl's arguments in "bash", "zsh" or "fish",
/// made from what `parse_options` knows.
std::string completion(std::string_view shell);

} // namespace concert::ctl
