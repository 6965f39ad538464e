#pragma once

#include "config/config.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concert::config {

/// A key of the schema outside arrays of tables.
struct scalar_key {
  std::string_view name; ///< dotted
  bool at_runtime;       ///< whether a change takes effect without a restart
  /// Its value as TOML text; empty = not set.
  std::string (*text)(const daemon_config&);
};

/// All of them, in the order of the documentation.
std::span<const scalar_key> scalar_keys();

} // namespace concert::config
