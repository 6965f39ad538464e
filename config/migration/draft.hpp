#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// TOML in the making: keys with values and comments for people.
namespace concert::config {

/// `text` as a TOML string.
std::string toml_string(std::string_view text);
/// `value` as a TOML float; finite.
std::string toml_number(double value);
std::string toml_integer(std::int64_t value);
/// Each of `values`, which are TOML, on a line of its own if there are many.
std::string toml_list(const std::vector<std::string>& values);

/// One table.
class draft_table {
public:
  /// Sets `key`; what was there before is replaced.
  void set(std::string_view key, std::string value);
  void set(std::string_view key, bool value) {
    set(key, std::string{value ? "true" : "false"});
  }
  void set_text(std::string_view key, std::string_view value) {
    set(key, toml_string(value));
  }
  void unset(std::string_view key);
  bool has(std::string_view key) const;
  /// The TOML of the value; empty if it is not set.
  std::string get(std::string_view key) const;
  /// A line above the table.
  void comment(std::string_view text);
  bool empty() const { return keys_.empty() && comments_.empty(); }

  /// With `header` such as "[[source]]"; empty = the top level.
  std::string text(std::string_view header) const;

private:
  std::vector<std::string> comments_;
  std::vector<std::pair<std::string, std::string>> keys_;
};

} // namespace concert::config
