#pragma once

#include "ctl/observation.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace concert::ctl {

enum class style : std::uint8_t { plain, strong, good, warning, bad, faint };

/// One line of a picture that is shown anew again and again.
struct styled_line {
  std::string text;
  style look = style::plain;
};

/// The clock's state and error, and where each source's time lies against the
/// agreed one, in lines of at most `columns` (at least 72). Where there are
/// more than `rows` lines (0 = no limit), the last says how many are missing.
std::vector<styled_line> watch_frame(const observation& o, std::size_t columns,
                                     std::size_t rows);

/// What stands there while the daemon does not answer.
std::vector<styled_line> watch_problem(const std::string& sentence,
                                       std::size_t columns);

} // namespace concert::ctl
