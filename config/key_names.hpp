#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The keys that `set` knows, by name.
namespace concert::config {

/// "a.b.c" in its parts.
std::vector<std::string_view> parts_of(std::string_view key);

/// Other places of `key`, which is as `canonical_key` gives it.
std::vector<std::string_view> aliases_of(std::string_view key);

/// What is wrong with setting `key`, as canonical_key gives it, by its name
/// alone; empty = nothing. An unknown key is left to who reads it.
std::string why_not_settable(std::string_view key);

} // namespace concert::config
