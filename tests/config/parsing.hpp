#pragma once

#include "config/config.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

/// Short ways to try a configuration.
namespace concert::config {

inline std::string lines_of(const std::vector<diagnostic>& entries) {
  std::string result;
  for (const auto& entry : entries)
    result += entry.to_string() + '\n';
  return result;
}

/// The result for text that must be valid.
inline loaded_config valid(std::string_view text) {
  auto result = parse(text, "ntp.toml");
  if (!result)
    FAIL("refused: " << lines_of(result.error()));
  return std::move(*result);
}

/// The diagnostics of text that must be refused, a line each.
inline std::string refusal_of(std::string_view text) {
  const auto result = parse(text, "ntp.toml");
  if (result)
    FAIL("accepted: " << std::string{text});
  return lines_of(result.error());
}

/// The warnings about valid text, a line each.
inline std::string warnings_of(std::string_view text) {
  return lines_of(valid(text).warnings);
}

} // namespace concert::config
