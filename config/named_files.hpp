#pragma once

#include "config/diagnostics.hpp"

#include <toml++/toml.h>

namespace concert::config {

/// Looks at the files that a document names, as this process sees them: an
/// error for one without which nothing is right, a warning for one that may
/// come later. Values of a wrong kind are passed over; reading them complains.
void check_named_files(const toml::table& document, diagnostics& found);

} // namespace concert::config
