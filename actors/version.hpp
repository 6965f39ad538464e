#pragma once

#include <chrono>
#include <string_view>

namespace concert::actors {

/// "0.1.0".
std::string_view version();
/// Abbreviated commit, "-" when built outside of a repository.
std::string_view build_commit();
/// "2026-01-31", "-" when unknown.
std::string_view build_commit_date();
/// Unix time of the commit, 0 when unknown: it cannot be earlier than this.
std::chrono::nanoseconds build_time();

} // namespace concert::actors
