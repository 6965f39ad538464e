#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace concert::inspect {

enum class exit_code : std::uint8_t {
  ok = 0,
  no = 1,          ///< the daemon refused
  usage = 2,       ///< the command line cannot be understood
  unreachable = 3, ///< no answer from a daemon
};

enum class command : std::uint8_t {
  list,
  tree,
  show,
  top,
  trace,
  graph,
  map,
  inject,
};

/// What `top` puts first.
enum class sort_key : std::uint8_t {
  depth,
  rate,
  wait,
  handling,
  restarts,
  id
};

/// The command line of ntp-inspect.
struct options {
  command what = command::list;
  bool json = false;
  std::optional<std::filesystem::path> config; ///< unset = the default place
  std::optional<std::filesystem::path> socket; ///< unset = the config's
  std::vector<std::string> actors; ///< kinds, names or numbers; empty = all
  double interval_s = 1;           ///< top
  std::uint64_t count = 0;         ///< top; 0 = for ever
  sort_key sort = sort_key::depth; ///< top
  double seconds = 0;              ///< trace: 0 = for ever; graph
  std::string fault;               ///< inject
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

} // namespace concert::inspect
