#pragma once

#include "ctl/actors_document.hpp"
#include "ctl/observation.hpp"
#include "exporter/exposition.hpp"

#include <optional>
#include <string>

namespace concert::exporter {

/// What is known of the daemon at one moment.
struct reading {
  double at_s = 0; ///< Unix time
  /// Absent: the daemon did not answer.
  std::optional<ctl::observation> observed;
  /// Absent: there is no control socket, or its inspector is switched off.
  std::optional<ctl::actors_status> actors;
};

/// The metrics of docs/metrics.md. With `chrony_names` also those names of
/// chrony_exporter that have a meaning here.
std::string metrics_text(const reading& r, text_format format,
                         bool chrony_names);

} // namespace concert::exporter
