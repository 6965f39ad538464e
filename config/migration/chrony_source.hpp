#pragma once

#include "config/migration/plan.hpp"
#include "config/migration/script.hpp"

#include <optional>

namespace concert::config {

/// `server`, `pool` or `peer` of a chrony.conf.
struct chrony_source {
  source_plan source;
  std::int64_t certset = 0; ///< of the authorities that it trusts
};

/// Reads one and notes what became of it; nothing if there is no such host.
std::optional<chrony_source> read_chrony_source(script& s, const directive& d);

} // namespace concert::config
