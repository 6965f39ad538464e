#include "config/migration/script.hpp"

#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace concert::config {

namespace {

constexpr std::size_t deepest = 10;
constexpr std::size_t most_files = 200;
constexpr std::size_t most_lines = 100'000;
constexpr std::string_view blanks = " \t\r\v\f";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Takes the next word from the front of `rest`; a part in quotes may hold
/// blanks. Nothing at the end.
std::optional<std::string> next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
  if (rest.empty() || rest.front() == '#')
    return std::nullopt;
  std::string word;
  bool quoted = false;
  while (!rest.empty()) {
    const char c = rest.front();
    if (!quoted && blanks.find(c) != std::string_view::npos)
      break;
    if (c == '"')
      quoted = !quoted;
    else
      word += c;
    rest.remove_prefix(1);
  }
  return word;
}

} // namespace

std::string directive::text() const {
  std::string result = name;
  for (const auto& word : words) {
    // What is shown of it is cut anyway.
    if (result.size() > 80)
      break;
    result += ' ' + word;
  }
  return result;
}

std::optional<directive> script::parse(std::string_view line) const {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  if (line.empty() || line_comments_.find(line.front()) != std::string::npos)
    return std::nullopt;
  auto name = next_word(line);
  if (!name || name->empty())
    return std::nullopt;
  directive d;
  d.name = std::move(*name);
  std::transform(d.name.begin(), d.name.end(), d.name.begin(), lower);
  while (auto word = next_word(line))
    d.words.push_back(std::move(*word));
  return d;
}

void script::read(std::string_view text, std::string_view name,
                  const handler& use) {
  directive whole;
  whole.file = name;
  whole.line = 1;
  octets_ += text.size();
  if (++files_ > most_files || octets_ > largest_migrated) {
    note(whole, fate::lost, "there is more than is read; the file is left out");
    return;
  }
  ++depth_;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto d = parse(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!d)
      continue;
    d->file = name;
    d->line = number;
    if (++lines_ > most_lines) {
      if (lines_ == most_lines + 1)
        note(*d, fate::lost,
             "there is more than is read; the rest is left "
             "out");
      break;
    }
    use(*d);
  }
  --depth_;
}

void script::include(const directive& d, std::string_view pattern,
                     const handler& use) {
  if (depth_ > deepest || files_ > most_files) {
    note(d, fate::lost, "files include each other too deeply");
    return;
  }
  const auto files
    = include_ ? include_(pattern) : std::vector<included_file>{};
  if (files.empty()) {
    note(d, fate::not_needed,
         fmt::format("there is nothing to read at {}", printable(pattern)));
    return;
  }
  note(d, fate::carried_over,
       fmt::format("{} file{}", files.size(), files.size() == 1 ? "" : "s"));
  for (const auto& file : files)
    read(file.text, file.name, use);
}

void script::note(const directive& d, fate what, std::string text) {
  note_part(d, d.text(), what, std::move(text));
}

void script::note_part(const directive& d, std::string_view part, fate what,
                       std::string text) {
  result_->notes.push_back(
    {d.file, d.line, what, printable(part), std::move(text)});
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  if (text.starts_with('+'))
    text.remove_prefix(1);
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  if (text.starts_with('+'))
    text.remove_prefix(1);
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

} // namespace concert::config
