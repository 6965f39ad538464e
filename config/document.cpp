#include "config/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <system_error>

namespace concert::config {

namespace {

/// Dots outside strings and comments in one line; each may be a level of
/// tables. toml++ limits the nesting of brackets (256) but not this one, and
/// its destructors recurse.
constexpr std::size_t most_dots_in_a_line = 32;

/// Steps over a comment or a string at `at`. TOML is unambiguous there without
/// knowing more of the context. Returns the position after it, or `at` if
/// neither starts there.
std::size_t skip_opaque(std::string_view text, std::size_t at) {
  const auto to_end
    = [&](std::size_t position) { return std::min(position, text.size()); };
  if (text[at] == '#')
    return to_end(text.find('\n', at));
  if (text[at] != '"' && text[at] != '\'')
    return at;
  const char quote = text[at];
  const std::string closing(text.substr(at, 3) == std::string(3, quote) ? 3 : 1,
                            quote);
  std::size_t next = at + closing.size();
  while (next < text.size() && !text.substr(next).starts_with(closing)) {
    if (closing.size() == 1 && text[next] == '\n')
      return next; // an error that the parser will report
    next += quote == '"' && text[next] == '\\' ? 2 : 1;
  }
  return to_end(next + closing.size());
}

/// The first line with more dots than allowed, from 1; 0 = none.
std::uint32_t line_with_too_many_dots(std::string_view text) {
  std::uint32_t line = 1;
  std::size_t dots = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto next = skip_opaque(text, at);
    if (next != at) {
      line += static_cast<std::uint32_t>(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                   text.begin() + static_cast<std::ptrdiff_t>(next), '\n'));
      at = next;
      continue;
    }
    if (text[at] == '\n') {
      ++line;
      dots = 0;
    } else if (text[at] == '.' && ++dots > most_dots_in_a_line) {
      return line;
    }
    ++at;
  }
  return 0;
}

} // namespace

std::optional<std::string> read_text(const std::filesystem::path& path,
                                     diagnostics& found) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    found.error(path.string(), "is a directory");
    return std::nullopt;
  }
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    found.error(path.string(),
                fmt::format("cannot be read: {}",
                            std::generic_category().message(errno)));
    return std::nullopt;
  }
  std::string text(largest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    found.error(path.string(), "cannot be read to its end");
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_file) {
    found.error(path.string(), "is larger than 8 MiB");
    return std::nullopt;
  }
  return text;
}

toml::table parse_document(std::string_view text, std::string_view name,
                           diagnostics& found) {
  if (text.size() > largest_file) {
    found.error(name, "is larger than 8 MiB");
    return {};
  }
  if (const auto line = line_with_too_many_dots(text)) {
    const toml::source_position start{line, 1};
    found.error(
      {start, start, std::make_shared<const std::string>(name)},
      fmt::format("more than {} dots in one line", most_dots_in_a_line));
    return {};
  }
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& e) {
    found.error(e.source(), std::string{e.description()});
  } catch (const std::exception& e) {
    found.error(name, e.what());
  }
  return {};
}

std::optional<toml::table> parse_leniently(std::string text) {
  constexpr int most_attempts = 16;
  for (int i = 0; i < most_attempts; ++i) {
    diagnostics found;
    auto table = parse_document(text, "", found);
    const auto errors = found.take();
    if (errors.empty())
      return table;
    if (errors.front().line == 0)
      return std::nullopt;
    std::size_t begin = 0;
    for (auto line = errors.front().line; line > 1 && begin < text.size();
         --line)
      begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const auto end = std::min(text.find('\n', begin), text.size());
    if (begin >= end) // at the end, of a string or an array without one
      return std::nullopt;
    text.replace(begin, end - begin, end - begin, ' ');
  }
  return std::nullopt;
}

void merge(toml::table& lower, toml::table&& upper) {
  for (auto&& [key, node] : upper) {
    auto* present = lower.get(key.str());
    auto* both_table = present == nullptr ? nullptr : present->as_table();
    auto* both_array = present == nullptr ? nullptr : present->as_array();
    if (both_table != nullptr && !both_table->is_inline() && node.is_table()
        && !node.as_table()->is_inline()) {
      merge(*both_table, std::move(*node.as_table()));
    } else if (both_array != nullptr && both_array->is_array_of_tables()
               && node.is_array_of_tables()) {
      for (auto& item : *node.as_array())
        both_array->push_back(std::move(*item.as_table()));
    } else {
      // Erased first: else the old key with the old place would stay.
      lower.erase(key.str());
      node.visit([&, &name = key](auto& value) {
        lower.insert_or_assign(name, std::move(value));
      });
    }
  }
}

} // namespace concert::config
