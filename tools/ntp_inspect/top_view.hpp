#pragma once

#include "ctl/actors_document.hpp"
#include "tools/ntp_inspect/options.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace concert::inspect {

/// One line of the live picture.
struct top_line {
  std::string text;
  bool stuck = false;
};

/// What the actors did in the `seconds` between two looks at them: a title, the
/// columns' names and a line for each actor, the greatest by `sort` first. At
/// most `rows` lines (0 = no limit) of `columns` (0 = no limit).
std::vector<top_line> top_view(const ctl::actors_status& before,
                               const ctl::actors_status& now, double seconds,
                               sort_key sort, std::size_t rows,
                               std::size_t columns);

} // namespace concert::inspect
