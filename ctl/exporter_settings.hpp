#pragma once

#include "ctl/error.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace concert::ctl {

/// What ntp-metrics-exporter takes from the daemon's configuration.
struct exporter_settings {
  std::optional<std::filesystem::path> observation_path;
  std::optional<std::filesystem::path> control_path;
  std::optional<std::filesystem::path> log_path; ///< unset = standard error
  std::string listen = "127.0.0.1:9975";
};

/// Reads them from `config` (unset = the default place, where no file is as
/// good as an empty one).
/// @returns `errc::bad_path` with a sentence if the configuration is not valid.
result<exporter_settings>
read_exporter_settings(const std::optional<std::filesystem::path>& config);

} // namespace concert::ctl
