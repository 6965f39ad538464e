#pragma once

#include "config/values.hpp"

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace concert::config {

/// Reads one table key by key: a key of the schema is one line that names it,
/// its field and the reader of its value (values.hpp). What was never asked
/// for is unknown, and `reject_unknown` says so.
class table_reader {
public:
  /// `table` null = the section is absent, and so are all its keys. `section`
  /// is its name for messages, such as "[clock]"; empty at the top level.
  table_reader(const toml::table* table, std::string section,
               diagnostics& found)
    : table_{table},
      section_{std::move(section)},
      found_{&found} {
    // nop
  }

  bool present() const { return table_ != nullptr; }
  const std::string& section() const { return section_; }
  diagnostics& found() { return *found_; }

  /// Where the section starts.
  toml::source_region source() const {
    return table_ == nullptr ? toml::source_region{} : table_->source();
  }

  /// The value of `key` or null; from now on `key` is known here.
  const toml::node* find(std::string_view key);

  /// Sets `field` if `key` is present and right. Returns the value's node if
  /// so, for checks that concern several keys, else null.
  template <class Field, class Reader>
  const toml::node* optional(std::string_view key, Field& field,
                             Reader reader) {
    const auto* node = find(key);
    if (node == nullptr)
      return nullptr;
    auto value = reader(*node);
    if (!value) {
      error(value.error().where, key, value.error().text);
      return nullptr;
    }
    field = std::move(*value);
    return node;
  }

  /// The same; it is an error if `key` is absent.
  template <class Field, class Reader>
  const toml::node* required(std::string_view key, Field& field,
                             Reader reader) {
    if (find(key) == nullptr)
      found_->error(source(),
                    fmt::format("{}: `{}` is missing", section_, key));
    return optional(key, field, std::move(reader));
  }

  /// The table under `key`; an error if that is something else.
  table_reader section(std::string_view key, std::string name);

  /// The tables of the array under `key` (`[[key]]`).
  std::vector<table_reader> sections(std::string_view key);

  /// Warns about each of `keys` that is present: "`key` `why`".
  void no_effect(std::initializer_list<std::string_view> keys,
                 std::string_view why);

  void error(const toml::source_region& where, std::string_view key,
             std::string_view text);
  void warning(const toml::source_region& where, std::string_view key,
               std::string_view text);

  /// Makes each key that was never asked for an error with a suggestion.
  void reject_unknown();

private:
  const toml::table* table_;
  std::string section_;
  diagnostics* found_;
  std::vector<std::string_view> known_;
};

} // namespace concert::config
