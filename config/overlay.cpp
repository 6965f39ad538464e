#include "config/overlay.hpp"

#include "config/document.hpp"
#include "config/host_port.hpp"
#include "config/key_names.hpp"
#include "config/source_names.hpp"
#include "config/table_reader.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace concert::config {

namespace {

void insert(toml::table& table, const toml::key& key, toml::node&& node) {
  // Erased first: else the old key with the old place would stay.
  table.erase(key.str());
  node.visit(
    [&](auto& value) { table.insert_or_assign(key, std::move(value)); });
}

// -- from texts ---------------------------------------------------------------

constexpr std::string_view set_name = "set ";
constexpr std::string_view add_name = "source add";
constexpr std::string_view modify_name = "source modify ";
constexpr std::string_view remove_name = "source remove ";

toml::source_region place_in(std::string name) {
  toml::source_region where;
  where.path = std::make_shared<const std::string>(std::move(name));
  return where;
}

/// Whether `text` is no TOML but plainly a word, an address or a path, which
/// nobody wants to put in two kinds of quotes.
bool is_word(std::string_view text) {
  const auto of_word = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || std::string_view{"_-./:@+"}.find(static_cast<char>(c))
                != std::string_view::npos;
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), of_word))
    return false;
  diagnostics ignored;
  parse_document("value = " + std::string{text}, "", ignored);
  return ignored.has_errors();
}

void read_setting(const std::string& key, const std::string& text,
                  toml::table& set, diagnostics& found) {
  const auto canonical = canonical_key(key);
  const auto name = std::string{set_name} + printable(canonical);
  auto document = parse_document(
    "value = " + (is_word(text) ? string_text(text) : text), name, found);
  if (document.size() == 1 && document.contains("value"))
    insert(set, toml::key{canonical, place_in(name)},
           std::move(*document.get("value")));
  else if (!document.empty())
    found.error(name, "expected one value");
}

// -- from a file --------------------------------------------------------------

/// `set`, in which "a.b" = 1 and a.b = 1 mean the same.
void read_settings(toml::table& from, const std::string& prefix,
                   toml::table& set) {
  for (auto&& [key, node] : from) {
    const auto name = prefix + std::string{key.str()};
    auto* table = node.as_table();
    if (table != nullptr && !table->is_inline())
      read_settings(*table, name + ".", set);
    else
      insert(set, toml::key{canonical_key(name), key.source()},
             std::move(node));
  }
}

void read_modified(toml::table&& entry, overlay& result, diagnostics& found) {
  const auto name = entry["source"].value_exact<std::string>();
  const auto where = entry.source();
  if (!name) {
    found.error(where, "[[modify-source]]: `source` is missing");
    return;
  }
  entry.erase("source");
  for (auto& before : result.modified_sources) {
    if (before.source != *name)
      continue;
    for (auto&& [key, node] : entry)
      insert(before.keys, key, std::move(node));
    return;
  }
  result.modified_sources.push_back({*name, where, std::move(entry)});
}

void read_removed(const toml::node& node, overlay& result, diagnostics& found) {
  const auto names = array_of(text)(node);
  if (!names) {
    found.error(names.error().where, "`remove-sources`: " + names.error().text);
    return;
  }
  for (std::size_t i = 0; i < names->size(); ++i)
    result.removed_sources.emplace_back((*names)[i],
                                        node.as_array()->get(i)->source());
}

/// Calls `use` for each table of the array under `key`, which may be consumed.
void consume_tables(toml::table& document, std::string_view key,
                    const auto& use) {
  auto* array = document.get_as<toml::array>(key);
  if (array == nullptr)
    return;
  for (auto& item : *array) {
    if (auto* table = item.as_table())
      use(std::move(*table));
  }
}

// -- onto a configuration -----------------------------------------------------

/// The array of `[[source]]`; made if there is none; null if something else
/// is in its place, of which its reader will complain.
toml::array* sources_of(toml::table& table) {
  auto* present = table.get("source");
  if (present != nullptr)
    return present->as_array();
  return table.insert_or_assign("source", toml::array{})
    .first->second.as_array();
}

/// The address that an entry says, if it does.
std::optional<host_port> address_of(const toml::node& entry) {
  const auto* table = entry.as_table();
  if (table == nullptr)
    return std::nullopt;
  const auto address = (*table)["address"].value_exact<std::string_view>();
  const auto mode = (*table)["mode"].value_exact<std::string_view>();
  if (!address)
    return std::nullopt;
  const bool nts = mode == "nts" || mode == "nts-pool";
  const auto parsed
    = parse_host_port(*address, nts ? default_nts_ke_port : default_ntp_port);
  return parsed ? std::optional{*parsed} : std::nullopt;
}

class application {
public:
  application(toml::table& table, stale_change stale, diagnostics& found)
    : table_{table},
      stale_{stale},
      found_{found} {
    // nop
  }

  void set(const toml::key& key, toml::node&& value);
  void remove(std::string_view name, const toml::source_region& where);
  void add(toml::table&& source);
  void modify(overlay::modified_source&& change);

private:
  void complain(const toml::source_region& where, std::string text);
  /// Where in the array the source called `name` is.
  std::optional<std::size_t> find(toml::array& sources, std::string_view name,
                                  const toml::source_region& where);
  void erase(std::string_view key);

  toml::table& table_;
  stale_change stale_;
  diagnostics& found_;
};

void application::complain(const toml::source_region& where, std::string text) {
  if (stale_ == stale_change::is_error)
    found_.error(where, std::move(text));
  else
    found_.warning(where, std::move(text) + "; the change has no effect");
}

void application::erase(std::string_view key) {
  auto* table = &table_;
  const auto parts = parts_of(key);
  for (std::size_t i = 0; i + 1 < parts.size() && table != nullptr; ++i)
    table = table->get_as<toml::table>(parts[i]);
  if (table != nullptr)
    table->erase(parts.back());
}

void application::set(const toml::key& key, toml::node&& value) {
  if (auto why = why_not_settable(key.str()); !why.empty()) {
    found_.error(key.source(),
                 fmt::format("`{}`: {}", printable(key.str()), std::move(why)));
    return;
  }
  for (const auto alias : aliases_of(key.str()))
    erase(alias);
  auto* table = &table_;
  const auto parts = parts_of(key.str());
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    auto* next = table->get(parts[i]);
    if (next == nullptr)
      next = &table
                ->insert_or_assign(toml::key{parts[i], key.source()},
                                   toml::table{})
                .first->second;
    table = next->as_table();
    if (table == nullptr) {
      found_.error(key.source(),
                   fmt::format("`{}`: there is no such key: `{}` is {}",
                               printable(key.str()), printable(parts[i]),
                               kind_of(*next)));
      return;
    }
  }
  insert(*table, toml::key{parts.back(), key.source()}, std::move(value));
}

std::optional<std::size_t> application::find(toml::array& sources,
                                             std::string_view name,
                                             const toml::source_region& where) {
  std::vector<host_port> addresses;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (auto address = address_of(sources[i])) {
      addresses.push_back(std::move(*address));
      positions.push_back(i);
    }
  }
  const auto at = find_source(addresses, name);
  if (at)
    return positions[*at];
  complain(where, at.error());
  return std::nullopt;
}

void application::remove(std::string_view name,
                         const toml::source_region& where) {
  auto* sources = sources_of(table_);
  if (sources == nullptr)
    return;
  if (const auto at = find(*sources, name, where))
    sources->erase(sources->begin() + static_cast<std::ptrdiff_t>(*at));
}

void application::add(toml::table&& source) {
  auto* sources = sources_of(table_);
  if (sources == nullptr)
    return;
  const auto address = address_of(source);
  const bool present
    = address
      && std::any_of(sources->begin(), sources->end(), [&](const auto& other) {
           return address_of(other) == address;
         });
  if (present)
    complain(source.source(),
             fmt::format("{} is a source already", address->to_string()));
  else
    sources->push_back(std::move(source));
}

/// Poll limits have a long and a short form; who gives one form means to
/// replace the other as well.
void drop_other_poll_form(toml::table& source, const toml::table& change) {
  if (change.contains("poll-interval-limits")) {
    source.erase("minpoll");
    source.erase("maxpoll");
  }
  auto* limits = source.get_as<toml::table>("poll-interval-limits");
  if (limits == nullptr)
    return;
  if (change.contains("minpoll"))
    limits->erase("min");
  if (change.contains("maxpoll"))
    limits->erase("max");
}

void application::modify(overlay::modified_source&& change) {
  auto* sources = sources_of(table_);
  if (sources == nullptr)
    return;
  for (const auto* key : {"address", "mode"}) {
    if (const auto* node = change.keys.get(key))
      found_.error(node->source(),
                   fmt::format("`{}`: makes it another source: remove this one "
                               "and add that",
                               key));
  }
  const auto at = find(*sources, change.source, change.where);
  if (!at)
    return;
  auto& source = *sources->get(*at)->as_table();
  drop_other_poll_form(source, change.keys);
  for (auto&& [key, node] : change.keys)
    insert(source, key, std::move(node));
}

} // namespace

overlay overlay_from(const runtime_changes& changes, diagnostics& found) {
  overlay result;
  for (const auto& [key, text] : changes.set)
    read_setting(key, text, result.set, found);
  for (const auto& text : changes.added_sources)
    result.added_sources.push_back(parse_document(text, add_name, found));
  for (const auto& [source, text] : changes.modified_sources) {
    const auto name = std::string{modify_name} + printable(source);
    result.modified_sources.push_back(
      {source, place_in(name), parse_document(text, name, found)});
  }
  for (const auto& source : changes.removed_sources)
    result.removed_sources.emplace_back(
      source, place_in(std::string{remove_name} + printable(source)));
  return result;
}

bool names_a_change(std::string_view file) {
  return file == add_name || file.starts_with(set_name)
         || file.starts_with(modify_name) || file.starts_with(remove_name);
}

overlay overlay_from(toml::table&& document, diagnostics& found) {
  overlay result;
  table_reader top{&document, "", found};
  top.section("set", "[set]");
  top.sections("add-source");
  top.sections("modify-source");
  if (const auto* removed = top.find("remove-sources"))
    read_removed(*removed, result, found);
  top.reject_unknown();
  if (auto* set = document.get_as<toml::table>("set"))
    read_settings(*set, "", result.set);
  consume_tables(document, "add-source", [&](toml::table&& source) {
    result.added_sources.push_back(std::move(source));
  });
  consume_tables(document, "modify-source", [&](toml::table&& entry) {
    read_modified(std::move(entry), result, found);
  });
  return result;
}

runtime_changes to_changes(const overlay& changes) {
  runtime_changes result;
  for (const auto& [key, value] : changes.set)
    result.set.insert_or_assign(std::string{key.str()}, to_text(value));
  for (const auto& source : changes.added_sources)
    result.added_sources.push_back(table_lines(source));
  for (const auto& change : changes.modified_sources)
    result.modified_sources[change.source] += table_lines(change.keys);
  for (const auto& [source, where] : changes.removed_sources)
    result.removed_sources.push_back(source);
  return result;
}

void apply(overlay&& upper, toml::table& table, stale_change stale,
           diagnostics& found) {
  application onto{table, stale, found};
  for (auto&& [key, value] : upper.set)
    onto.set(key, std::move(value));
  for (const auto& [source, where] : upper.removed_sources)
    onto.remove(source, where);
  for (auto& source : upper.added_sources)
    onto.add(std::move(source));
  for (auto& change : upper.modified_sources)
    onto.modify(std::move(change));
}

} // namespace concert::config
