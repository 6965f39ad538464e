#pragma once

#include "config/diagnostics.hpp"

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// From files to one TOML table.
namespace concert::config {

/// Largest file that is read, bytes.
constexpr std::size_t largest_file = 8 * 1024 * 1024;

/// Reads a whole file; nothing and an error if that fails or if the file is
/// larger than `largest_file`.
std::optional<std::string> read_text(const std::filesystem::path& path,
                                     diagnostics& found);

/// Parses TOML; an empty table and an error if it is malformed, too large or
/// nested so deeply that handling it would exhaust the stack. Each node of the
/// result knows its place in `name`.
toml::table parse_document(std::string_view text, std::string_view name,
                           diagnostics& found);

/// What is TOML in `text`: of a malformed one the lines that are wrong are left
/// out. Nothing if there are too many of them.
std::optional<toml::table> parse_leniently(std::string text);

/// Lays `upper` over `lower`: tables join, arrays of tables append, and
/// everything else (inline tables too) replaces what was there.
void merge(toml::table& lower, toml::table&& upper);

} // namespace concert::config
