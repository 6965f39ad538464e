#include "config/migration/draft.hpp"

#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace concert::config {

namespace {

auto find_key(auto& keys, std::string_view key) {
  return std::find_if(keys.begin(), keys.end(),
                      [&](const auto& entry) { return entry.first == key; });
}

} // namespace

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    // What no name or path of a sane file holds, and TOML does not take.
    const auto octet = static_cast<unsigned char>(c);
    result += octet < 0x20 || octet >= 0x7f ? '?' : c;
  }
  return result + '"';
}

std::string toml_number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

std::string toml_integer(std::int64_t value) {
  return fmt::format("{}", value);
}

std::string toml_list(const std::vector<std::string>& values) {
  constexpr std::size_t most_on_a_line = 2;
  const bool many = values.size() > most_on_a_line;
  std::string result = "[";
  for (std::size_t i = 0; i < values.size(); ++i)
    result += fmt::format("{}{}{}", i == 0 ? "" : ",",
                          many     ? "\n  "
                          : i == 0 ? ""
                                   : " ",
                          values[i]);
  return result + (many ? "\n]" : "]");
}

void draft_table::set(std::string_view key, std::string value) {
  const auto found = find_key(keys_, key);
  if (found != keys_.end())
    found->second = std::move(value);
  else
    keys_.emplace_back(key, std::move(value));
}

void draft_table::unset(std::string_view key) {
  const auto found = find_key(keys_, key);
  if (found != keys_.end())
    keys_.erase(found);
}

bool draft_table::has(std::string_view key) const {
  return find_key(keys_, key) != keys_.end();
}

std::string draft_table::get(std::string_view key) const {
  const auto found = find_key(keys_, key);
  return found == keys_.end() ? std::string{} : found->second;
}

void draft_table::comment(std::string_view text) {
  comments_.emplace_back(text);
}

std::string draft_table::text(std::string_view header) const {
  std::string result;
  for (const auto& line : comments_)
    result += fmt::format("# {}\n", line);
  if (!header.empty())
    result += fmt::format("{}\n", header);
  for (const auto& [key, value] : keys_)
    result += fmt::format("{} = {}\n", key, value);
  return result + '\n';
}

} // namespace concert::config
