#pragma once

#include <toml++/toml.h>

#include <string>
#include <string_view>

/// From values to TOML text that reads back as the same.
namespace concert::config {

/// `text` as a TOML string in quotes.
std::string string_text(std::string_view text);

/// A value on one line; a table becomes an inline one.
std::string to_text(const toml::node& node);

/// A line `key = value` for each key of `table`.
std::string table_lines(const toml::table& table);

} // namespace concert::config
