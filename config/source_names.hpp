#pragma once

#include "config/config.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What people call a source: its address as configured, or its host alone.
namespace concert::config {

/// Whether both can mean the same source: equal hosts, and equal ports where
/// both name one.
bool same_source(std::string_view a, std::string_view b);

/// Which of `sources` is called `name`. The error is a sentence that names the
/// sources there are.
tl::expected<std::size_t, std::string>
find_source(const std::vector<host_port>& sources, std::string_view name);

} // namespace concert::config
