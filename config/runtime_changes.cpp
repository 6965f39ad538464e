#include "config/document.hpp"
#include "config/host_port.hpp"
#include "config/overlay.hpp"
#include "config/source_names.hpp"
#include "config/toml_text.hpp"

#include <algorithm>

namespace concert::config {

namespace {

/// The address in the text of a source, as it is called; empty if it has none.
std::string name_in(const std::string& source) {
  diagnostics ignored;
  const auto table = parse_document(source, "", ignored);
  const auto address = table["address"].value_or(std::string{});
  const auto mode = table["mode"].value_or(std::string{});
  const auto parsed = parse_host_port(
    address, mode.starts_with("nts") ? default_nts_ke_port : default_ntp_port);
  return parsed ? parsed->to_string() : std::string{};
}

/// The keys of both, those of `upper` where both have them.
std::string joined_lines(const std::string& lower, const std::string& upper) {
  diagnostics found;
  auto table = parse_document(lower, "", found);
  auto above = parse_document(upper, "", found);
  if (found.has_errors())
    return upper;
  for (auto&& [key, node] : above)
    node.visit([&, &name = key](auto& value) {
      table.insert_or_assign(name, std::move(value));
    });
  return table_lines(table);
}

void set(runtime_changes& changes, const runtime_changes& upper) {
  for (const auto& key : upper.unset) {
    changes.set.erase(canonical_key(key));
    changes.unset.insert(canonical_key(key));
  }
  for (const auto& [key, value] : upper.set) {
    changes.unset.erase(canonical_key(key));
    changes.set.insert_or_assign(canonical_key(key), value);
  }
}

void remove(runtime_changes& changes, const std::string& source) {
  std::erase_if(changes.modified_sources, [&](const auto& change) {
    return same_source(change.first, source);
  });
  const auto added
    = std::erase_if(changes.added_sources, [&](const std::string& text) {
        return same_source(name_in(text), source);
      });
  if (added == 0)
    changes.removed_sources.push_back(source);
}

void modify(runtime_changes& changes, const std::string& source,
            const std::string& keys) {
  for (auto& added : changes.added_sources) {
    if (same_source(name_in(added), source)) {
      added = joined_lines(added, keys);
      return;
    }
  }
  auto& text = changes.modified_sources[source];
  text = joined_lines(text, keys);
}

} // namespace

bool runtime_changes::empty() const {
  return set.empty() && unset.empty() && added_sources.empty()
         && modified_sources.empty() && removed_sources.empty();
}

runtime_changes joined(const runtime_changes& lower,
                       const runtime_changes& upper) {
  auto result = runtime_changes{};
  set(result, lower);
  result.added_sources = lower.added_sources;
  result.modified_sources = lower.modified_sources;
  result.removed_sources = lower.removed_sources;
  set(result, upper);
  for (const auto& source : upper.removed_sources)
    remove(result, source);
  result.added_sources.insert(result.added_sources.end(),
                              upper.added_sources.begin(),
                              upper.added_sources.end());
  for (const auto& [source, keys] : upper.modified_sources)
    modify(result, source, keys);
  return result;
}

std::string to_toml(const runtime_changes& changes) {
  diagnostics ignored; // what is kept has been in force
  auto parsed = overlay_from(changes, ignored);
  std::string result = "# Changes that were made while ntp-daemon ran, and "
                       "kept: it writes this\n"
                       "# file, and reads it after ntp.toml and its drop-ins. "
                       "Edits take effect\n"
                       "# with a reload, as they do there.\n";
  if (!parsed.removed_sources.empty()) {
    toml::array names;
    for (const auto& [source, where] : parsed.removed_sources)
      names.push_back(source);
    result += "\nremove-sources = " + to_text(names) + '\n';
  }
  if (!parsed.set.empty())
    result += "\n[set]\n" + table_lines(parsed.set);
  for (const auto& source : parsed.added_sources)
    result += "\n[[add-source]]\n" + table_lines(source);
  for (auto& change : parsed.modified_sources) {
    change.keys.erase("source");
    result += "\n[[modify-source]]\nsource = " + string_text(change.source)
              + '\n' + table_lines(change.keys);
  }
  return result;
}

tl::expected<runtime_changes, std::vector<diagnostic>>
parse_runtime_changes(std::string_view text, std::string_view name) {
  diagnostics found;
  const auto changes = overlay_from(parse_document(text, name, found), found);
  if (found.has_errors())
    return tl::unexpected{found.take()};
  return to_changes(changes);
}

std::optional<std::filesystem::path>
runtime_path(const std::filesystem::path& path, const daemon_config& config) {
  if (config.control.runtime_path)
    return config.control.runtime_path;
  if (path == default_path())
    return "/var/lib/concert/runtime.toml";
  if (config.state_file)
    return config.state_file->parent_path() / "runtime.toml";
  return std::nullopt;
}

} // namespace concert::config
