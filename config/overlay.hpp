#pragma once

#include "config/config.hpp"
#include "config/diagnostics.hpp"

#include <toml++/toml.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace concert::config {

/// Run-time changes as parsed values, each of which knows its place. What the
/// members mean is said at `runtime_changes`.
struct overlay {
  struct modified_source {
    std::string source;
    toml::source_region where;
    toml::table keys;
  };
  toml::table set; ///< canonical dotted key → value
  std::vector<toml::table> added_sources;
  std::vector<modified_source> modified_sources;
  std::vector<std::pair<std::string, toml::source_region>> removed_sources;
};

/// Reads texts, each under its own name, such as "source add".
overlay overlay_from(const runtime_changes& changes, diagnostics& found);
/// Whether `file` of a diagnostic is such a name, within which lines and
/// columns mean nothing to anybody.
bool names_a_change(std::string_view file);

/// Reads a file of persistent changes.
overlay overlay_from(toml::table&& document, diagnostics& found);

runtime_changes to_changes(const overlay& changes);

/// What becomes of a change to a source that is not there, or of the addition
/// of one that is.
enum class stale_change : std::uint8_t { is_error, is_passed_over };

/// Lays `upper` over the table of a configuration.
void apply(overlay&& upper, toml::table& table, stale_change stale,
           diagnostics& found);

} // namespace concert::config
