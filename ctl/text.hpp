#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concert::ctl {

/// `text` as valid UTF-8 without control characters: each bad octet and each
/// control character becomes '?'. What came from elsewhere is passed through
/// this before it reaches a document or a terminal.
std::string printable(std::string_view text);

/// Columns that valid UTF-8 takes, one for each code point.
std::size_t width(std::string_view text);

/// At most `columns` wide; what is cut is marked by a '~' at the end.
std::string shortened(std::string_view text, std::size_t columns);

/// `text` with spaces after it, or before it, up to `columns`.
std::string left(std::string_view text, std::size_t columns);
std::string right(std::string_view text, std::size_t columns);

/// `text` broken at spaces into lines of at most `columns`, each but the first
/// after `indent` spaces; ends without a newline.
std::string wrapped(std::string_view text, std::size_t columns,
                    std::size_t indent);

} // namespace concert::ctl
