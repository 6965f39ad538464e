#pragma once

#include "ctl/connection.hpp"
#include "ctl/error.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace concert::ctl {

/// Asks the daemon that listens at `path` for its observation document.
/// Takes `limit` at most, whatever the other side does. When `cancel` (a file
/// descriptor, −1 = none) becomes readable, gives up with `errc::interrupted`.
/// @returns the document, not looked into; or any `errc` but `malformed`, in
/// a sentence that names the path.
result<std::string> fetch_document(const std::filesystem::path& path,
                                   std::chrono::milliseconds limit
                                   = default_time_limit,
                                   int cancel = -1);

} // namespace concert::ctl
