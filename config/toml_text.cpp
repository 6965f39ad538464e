#include "config/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace concert::config {

namespace {

std::string key_text(std::string_view key) {
  const auto is_bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  const bool bare
    = !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
  return bare ? std::string{key} : string_text(key);
}

/// The shortest text that reads back as the same number.
std::string number_text(double value) {
  if (!std::isfinite(value))
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

std::string scalar_text(const toml::node& node) {
  if (const auto* number = node.as_floating_point())
    return number_text(number->get());
  std::ostringstream out;
  out << toml::toml_formatter{
    node, toml::format_flags::allow_unicode_strings
            | toml::format_flags::allow_binary_integers
            | toml::format_flags::allow_octal_integers
            | toml::format_flags::allow_hexadecimal_integers};
  return out.str();
}

} // namespace

std::string string_text(std::string_view text) {
  return scalar_text(toml::value<std::string>{std::string{text}});
}

std::string to_text(const toml::node& node) {
  std::string result;
  const auto separate = [&] { result += result.empty() ? "" : ", "; };
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) {
      separate();
      result += key_text(key.str()) + " = " + to_text(value);
    }
    return table->empty() ? "{}" : "{ " + result + " }";
  }
  if (const auto* array = node.as_array()) {
    for (const auto& item : *array) {
      separate();
      result += to_text(item);
    }
    return "[" + result + "]";
  }
  return scalar_text(node);
}

std::string table_lines(const toml::table& table) {
  std::string result;
  for (const auto& [key, value] : table)
    result += key_text(key.str()) + " = " + to_text(value) + '\n';
  return result;
}

} // namespace concert::config
