#pragma once

#include <string>
#include <string_view>

/// What people type at a shell as values of a TOML file.
namespace concert::ctl {

/// `text` as a TOML string.
std::string toml_string(std::string_view text);

/// `text` itself where it is a TOML literal (true, 0.5, "…", [4, 8], {…}), else
/// as a string.
std::string toml_value(std::string_view text);

} // namespace concert::ctl
