#include "config/config.hpp"

#include "config/document.hpp"
#include "config/named_files.hpp"
#include "config/overlay.hpp"
#include "config/schema.hpp"
#include "config/semantic_check.hpp"

#include <algorithm>
#include <system_error>

namespace concert::config {

namespace {

namespace fs = std::filesystem;

tl::expected<loaded_config, std::vector<diagnostic>>
validated(const toml::table& table, std::string_view name, diagnostics& found) {
  loaded_config loaded;
  loaded.config = read_config(table, found);
  if (found.has_errors())
    return tl::unexpected{found.take()};
  for (auto& sentence : semantic_warnings(loaded.config))
    found.warning(name, std::move(sentence));
  loaded.warnings = found.take();
  return loaded;
}

/// `path`.d/*.toml in order of names; hidden files are left out.
std::vector<fs::path> drop_ins(const fs::path& path, diagnostics& found) {
  fs::path directory = path;
  directory += ".d";
  std::vector<fs::path> result;
  std::error_code error;
  fs::directory_iterator entry{directory, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    const auto& file = entry->path();
    if (file.extension() == ".toml"
        && !file.filename().string().starts_with('.'))
      result.push_back(file);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    found.error(directory.string(), "cannot be read: " + error.message());
  std::sort(result.begin(), result.end());
  return result;
}

void warn_if_writable_by_all(const fs::path& path, diagnostics& found) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!error && fs::is_regular_file(status)
      && (status.permissions() & fs::perms::others_write) != fs::perms::none)
    found.warning(path.string(), "everybody may write to this file");
}

void merge_file(const fs::path& path, toml::table& table, diagnostics& found) {
  warn_if_writable_by_all(path, found);
  if (const auto text = read_text(path, found))
    merge(table, parse_document(*text, path.string(), found));
}

/// Lays the persistent run-time changes over `table`, and notes them in
/// `loaded`. Who only looks at a configuration may not be allowed to see them,
/// and then goes without.
void merge_persistent(const fs::path& path, named_files files,
                      const runtime_changes& changes, toml::table& table,
                      loaded_config& loaded, diagnostics& found) {
  diagnostics ignored; // who reads everything in the end says the same
  loaded.runtime_path = runtime_path(path, read_config(table, ignored));
  if (!loaded.runtime_path)
    return;
  const auto& file = *loaded.runtime_path;
  std::error_code error;
  if (fs::status(file, error).type() == fs::file_type::not_found)
    return;
  diagnostics unread;
  const auto text = read_text(file, unread);
  if (!text && files == named_files::ignored)
    return;
  if (!text) {
    for (auto& entry : unread.take())
      found.error(entry.file, std::move(entry.text));
    return;
  }
  warn_if_writable_by_all(file, found);
  auto persistent
    = overlay_from(parse_document(*text, file.string(), found), found);
  loaded.persistent = to_changes(persistent);
  for (const auto& key : changes.unset)
    persistent.set.erase(canonical_key(key));
  apply(std::move(persistent), table, stale_change::is_passed_over, found);
}

void forget_place_in_change(diagnostic& entry) {
  if (!names_a_change(entry.file))
    return;
  entry.line = 0;
  entry.column = 0;
}

} // namespace

std::uint32_t daemon_config::configured_sources() const {
  std::uint32_t count = 0;
  for (const auto& source : sources)
    count += is_pool(source.mode) ? source.count : 1;
  return count;
}

std::filesystem::path default_path() {
  return "/etc/concert/ntp.toml";
}

tl::expected<loaded_config, std::vector<diagnostic>>
load(const std::filesystem::path& path, bool must_exist, named_files files,
     const runtime_changes& changes) {
  diagnostics found;
  toml::table table;
  std::error_code error;
  const auto type = fs::status(path, error).type();
  if (must_exist || type != fs::file_type::not_found)
    merge_file(path, table, found);
  for (const auto& file : drop_ins(path, found))
    merge_file(file, table, found);
  loaded_config loaded;
  merge_persistent(path, files, changes, table, loaded, found);
  apply(overlay_from(changes, found), table, stale_change::is_error, found);
  if (files == named_files::checked)
    check_named_files(table, found);
  auto result = validated(table, path.string(), found);
  if (!result) {
    for (auto& entry : result.error())
      forget_place_in_change(entry);
    return result;
  }
  for (auto& entry : result->warnings)
    forget_place_in_change(entry);
  result->persistent = std::move(loaded.persistent);
  result->runtime_path = std::move(loaded.runtime_path);
  return result;
}

std::optional<daemon_config> load_leniently(const std::filesystem::path& path) {
  diagnostics ignored;
  auto files = drop_ins(path, ignored);
  files.insert(files.begin(), path);
  toml::table table;
  for (const auto& file : files) {
    auto text = read_text(file, ignored);
    auto part = text ? parse_leniently(std::move(*text)) : std::nullopt;
    if (!part)
      return std::nullopt;
    merge(table, std::move(*part));
  }
  loaded_config loaded;
  merge_persistent(path, named_files::ignored, {}, table, loaded, ignored);
  return read_config(table, ignored);
}

tl::expected<loaded_config, std::vector<diagnostic>>
parse(std::string_view text, std::string_view name) {
  diagnostics found;
  const auto table = parse_document(text, name, found);
  return validated(table, name, found);
}

} // namespace concert::config
