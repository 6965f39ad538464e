#pragma once

#include <tl/expected.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace concert::exporter {

/// The command line of ntp-metrics-exporter; what is unset comes from the
/// configuration.
struct options {
  std::optional<std::filesystem::path> config; ///< unset = the default place
  std::optional<std::string> listen;           ///< "address:port"
  std::optional<std::filesystem::path> observation_path;
  std::optional<std::filesystem::path> control_path;
  bool chrony_names = false;
};

/// Why there is nothing to do: help and version have code 0 and go to standard
/// output, the rest to standard error.
struct usage_answer {
  int code = 0;
  std::string text;
};

/// Reads the arguments after the program's name.
tl::expected<options, usage_answer>
parse_options(const std::vector<std::string>& arguments);

} // namespace concert::exporter
