#pragma once

#include "ctl/error.hpp"

#include <rapidjson/document.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reads JSON of others without trusting it: bounded in size and depth, and a
/// member that is absent or of a wrong type is no value.
namespace concert::ctl {

/// No document of ours is nested deeper.
inline constexpr std::size_t max_json_depth = 16;

/// @returns `errc::malformed` for what is no JSON in valid UTF-8 or nested
/// deeper than `max_json_depth`, `errc::too_large` beyond `max_size` octets.
result<rapidjson::Document> parse_json(std::string_view text,
                                       std::size_t max_size);

/// The member, or null where there is none.
const rapidjson::Value& json_member(const rapidjson::Value& object,
                                    const char* key);
/// Passed through `printable`; empty where there is none.
std::string json_text(const rapidjson::Value& value);
std::string json_text(const rapidjson::Value& object, const char* key);
std::optional<double> json_number(const rapidjson::Value& object,
                                  const char* key);
std::optional<std::uint64_t> json_count(const rapidjson::Value& object,
                                        const char* key);
std::optional<bool> json_truth(const rapidjson::Value& object, const char* key);

} // namespace concert::ctl
