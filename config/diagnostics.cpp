#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace concert::config {

namespace {

diagnostic placed(diagnostic::severity level, const toml::source_region& where,
                  std::string text) {
  return {level, where.path ? *where.path : std::string{}, where.begin.line,
          where.begin.column, std::move(text)};
}

} // namespace

std::string diagnostic::to_string() const {
  std::string place = file;
  if (line != 0)
    place += fmt::format(":{}:{}", line, column);
  if (!place.empty())
    place += ": ";
  return fmt::format("{}{}: {}", place,
                     level == severity::error ? "error" : "warning", text);
}

void diagnostics::error(const toml::source_region& where, std::string text) {
  add(placed(diagnostic::severity::error, where, std::move(text)));
}

void diagnostics::warning(const toml::source_region& where, std::string text) {
  add(placed(diagnostic::severity::warning, where, std::move(text)));
}

void diagnostics::error(std::string_view file, std::string text) {
  add({diagnostic::severity::error, std::string{file}, 0, 0, std::move(text)});
}

void diagnostics::warning(std::string_view file, std::string text) {
  add(
    {diagnostic::severity::warning, std::string{file}, 0, 0, std::move(text)});
}

void diagnostics::add(diagnostic entry) {
  has_errors_ = has_errors_ || entry.level == diagnostic::severity::error;
  if (entries_.size() < limit)
    entries_.push_back(std::move(entry));
  else
    ++left_out_;
}

std::vector<diagnostic> diagnostics::take() {
  auto place
    = [](const diagnostic& d) { return std::tie(d.file, d.line, d.column); };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const diagnostic& a, const diagnostic& b) {
                     return place(a) < place(b);
                   });
  if (left_out_ != 0) {
    const auto level = has_errors_ ? diagnostic::severity::error
                                   : diagnostic::severity::warning;
    entries_.push_back(
      {level, {}, 0, 0, fmt::format("{} more are not shown", left_out_)});
  }
  return std::exchange(entries_, {});
}

std::string to_string(const toml::source_region& where) {
  return fmt::format("{}:{}", where.path ? *where.path : std::string{},
                     where.begin.line);
}

std::string printable(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string result{text.substr(0, longest)};
  std::replace_if(
    result.begin(), result.end(),
    [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  // A cut must not leave half of a UTF-8 sequence.
  if (text.size() > longest) {
    while (!result.empty() && (result.back() & 0x80) != 0)
      result.pop_back();
    result += "...";
  }
  return result;
}

} // namespace concert::config
