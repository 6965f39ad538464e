#include "ctl/toml_text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace concert::ctl {

namespace {

/// Whether `text` is a value that TOML knows without quotes around it.
bool is_literal(std::string_view text) {
  if (text == "true" || text == "false")
    return true;
  if (text.empty()
      || std::string_view{"\"'[{"}.find(text[0]) != std::string_view::npos)
    return !text.empty();
  if (text[0] == '+' || text[0] == '-')
    text.remove_prefix(1);
  if (text.empty() || text[0] < '0' || text[0] > '9')
    return false;
  if (text.starts_with("0x") || text.starts_with("0o")
      || text.starts_with("0b"))
    return text.find_first_not_of("0123456789abcdefABCDEF", 2)
           == std::string_view::npos;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc{} && rest == end;
}

} // namespace

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += fmt::format("\\{}", c);
    else if (code < 0x20 || code == 0x7f)
      result += fmt::format("\\u{:04x}", code);
    else
      result += c;
  }
  return result + '"';
}

std::string toml_value(std::string_view text) {
  return is_literal(text) ? std::string{text} : toml_string(text);
}

} // namespace concert::ctl
