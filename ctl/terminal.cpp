#include "ctl/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace concert::ctl {

namespace {

// ECMA-48 control sequences, and the private modes of DEC and xterm that all
// terminals of today share.
constexpr std::string_view second_screen = "\033[?1049h\033[?25l";
constexpr std::string_view first_screen = "\033[?25h\033[?1049l";
constexpr std::string_view home = "\033[H";
constexpr std::string_view erase_line_end = "\033[K";
constexpr std::string_view erase_below = "\033[J";

bool can_address_cells() {
  const char* const name = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && name != nullptr && *name != '\0'
         && std::string_view{name} != "dumb";
}

std::optional<winsize> window() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0
      || size.ws_row == 0)
    return {};
  return size;
}

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR)
      return false;
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return true;
}

} // namespace

std::string_view rendition(style look) {
  switch (look) {
    case style::strong:
      return "\033[1m";
    case style::good:
      return "\033[1;32m";
    case style::warning:
      return "\033[1;33m";
    case style::bad:
      return "\033[1;31m";
    case style::faint:
      return "\033[2m";
    case style::plain:
      break;
  }
  return "\033[m";
}

terminal::terminal(bool pictures)
  : is_screen_{pictures && can_address_cells()} {
  enter();
}

terminal::~terminal() {
  leave();
}

void terminal::enter() const {
  if (is_screen_)
    write_all(second_screen);
}

void terminal::leave() const {
  if (is_screen_)
    write_all(first_screen);
}

std::size_t terminal::columns() const {
  const auto size = is_screen_ ? window() : std::nullopt;
  return size ? size->ws_col : 80;
}

std::size_t terminal::rows() const {
  const auto size = is_screen_ ? window() : std::nullopt;
  return size ? size->ws_row : 0;
}

bool terminal::show(const std::vector<styled_line>& lines) const {
  std::string text{is_screen_ ? home : ""};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0)
      text += '\n';
    if (is_screen_) {
      text += rendition(lines[i].look);
      text += lines[i].text;
      text += rendition(style::plain);
      text += erase_line_end;
    } else {
      text += lines[i].text.substr(0, lines[i].text.find_last_not_of(' ') + 1);
    }
  }
  text += is_screen_ ? erase_below : "\n\n";
  return write_all(text);
}

bool terminal::print(const std::string& text) const {
  return write_all(text);
}

} // namespace concert::ctl
