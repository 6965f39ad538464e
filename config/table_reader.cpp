#include "config/table_reader.hpp"

#include <algorithm>

namespace concert::config {

const toml::node* table_reader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end())
    known_.push_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

table_reader table_reader::section(std::string_view key, std::string name) {
  const auto* node = find(key);
  const auto* table = node == nullptr ? nullptr : node->as_table();
  if (node != nullptr && table == nullptr)
    error(node->source(), key,
          fmt::format("expected a table ({}), found {}", name, kind_of(*node)));
  return {table, std::move(name), *found_};
}

std::vector<table_reader> table_reader::sections(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr)
    return {};
  auto name = fmt::format("[[{}]]", key);
  const auto complain = [&](const toml::node& other) {
    error(other.source(), key,
          fmt::format("expected tables ({}), found {}", name, kind_of(other)));
  };
  const auto* array = node->as_array();
  if (array == nullptr) {
    complain(*node);
    return {};
  }
  std::vector<table_reader> result;
  for (const auto& item : *array) {
    if (const auto* table = item.as_table())
      result.emplace_back(table, name, *found_);
    else
      complain(item);
  }
  return result;
}

void table_reader::no_effect(std::initializer_list<std::string_view> keys,
                             std::string_view why) {
  for (const auto key : keys) {
    if (const auto* node = find(key))
      warning(node->source(), key, why);
  }
}

void table_reader::error(const toml::source_region& where, std::string_view key,
                         std::string_view text) {
  found_->error(where, fmt::format("`{}`: {}", key, text));
}

void table_reader::warning(const toml::source_region& where,
                           std::string_view key, std::string_view text) {
  found_->warning(where, fmt::format("`{}`: {}", key, text));
}

void table_reader::reject_unknown() {
  if (table_ == nullptr)
    return;
  for (const auto& [key, value] : *table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end())
      continue;
    const auto place
      = section_.empty() ? std::string{} : fmt::format(" in {}", section_);
    found_->error(key.source(),
                  fmt::format("unknown key `{}`{}; {}", printable(key.str()),
                              place, suggestion(key.str(), known_)));
  }
}

} // namespace concert::config
