#include "ctl/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace concert::ctl {

namespace {

bool is_continuation(char c) {
  return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80;
}

/// A code point at the start of a text, as far as it is well-formed.
struct code_point {
  std::size_t size = 0; ///< octets; 0 = malformed (RFC 3629 §4)
  std::uint32_t value = 0;
};

code_point first_code_point(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  if (lead < 0x80)
    return {1, lead};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
    return {};
  std::uint32_t value = lead & (0x7fU >> size);
  for (const char c : text.substr(1, size - 1)) {
    if (!is_continuation(c))
      return {};
    value = value << 6 | (static_cast<std::uint8_t>(c) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  if (value < smallest[size] || value > 0x10ffff || surrogate)
    return {};
  return {size, value};
}

/// C0, DEL, C1, and the marks that reorder or break lines on terminals.
bool is_control(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f)
         || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)
         || c == 0xfeff;
}

} // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const code_point next = first_code_point(text);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    if (next.size == 0 || is_control(next.value))
      result += '?';
    else
      result += text.substr(0, size);
    text.remove_prefix(size);
  }
  return result;
}

std::size_t width(std::string_view text) {
  return text.size()
         - static_cast<std::size_t>(
           std::ranges::count_if(text, is_continuation));
}

std::string shortened(std::string_view text, std::size_t columns) {
  if (width(text) <= columns)
    return std::string{text};
  if (columns == 0)
    return {};
  std::size_t end = 0;
  for (std::size_t used = 0; end < text.size(); ++end)
    if (!is_continuation(text[end]) && ++used == columns)
      break;
  return std::string{text.substr(0, end)} + '~';
}

std::string left(std::string_view text, std::size_t columns) {
  std::string result{text};
  result.append(columns - std::min(columns, width(text)), ' ');
  return result;
}

std::string right(std::string_view text, std::size_t columns) {
  std::string result(columns - std::min(columns, width(text)), ' ');
  return result += text;
}

std::string wrapped(std::string_view text, std::size_t columns,
                    std::size_t indent) {
  std::string result;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (used > 0 && used + 1 + width(word) > columns) {
      result += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (!result.empty()) {
      result += ' ';
      ++used;
    }
    result += word;
    used += width(word);
  }
  return result;
}

} // namespace concert::ctl
