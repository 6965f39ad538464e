#pragma once

#include "config/toml_text.hpp"
#include "config/words.hpp"
#include "ntp_core/discipline/steering_config.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// TOML text of single values of a configuration, as their readers (values.hpp)
/// take it.
namespace concert::config {

inline std::string text_of(bool value) {
  return value ? "true" : "false";
}

template <std::integral Integer>
std::string text_of(Integer value) {
  return fmt::format("{}", static_cast<std::int64_t>(value));
}

inline std::string text_of(double value) {
  return std::isinf(value) ? "\"inf\"" : fmt::format("{}", value);
}

inline std::string text_of(const std::string& value) {
  return string_text(value);
}

inline std::string text_of(const std::filesystem::path& value) {
  return string_text(value.string());
}

inline std::string text_of(std::chrono::milliseconds value) {
  return text_of(value.count());
}

inline std::string text_of(const ntp::step_threshold& value) {
  if (value.forward_s == value.backward_s)
    return text_of(value.forward_s);
  return fmt::format("{{ forward = {}, backward = {} }}",
                     text_of(value.forward_s), text_of(value.backward_s));
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : std::string{};
}

template <class Enum>
std::string text_of(Enum value, const word_list<Enum>& words) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value)
      return string_text(word);
  }
  return {};
}

} // namespace concert::config
