#include "tools/ntp_inspect/screen.hpp"

#include <curses.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <string_view>

namespace concert::inspect {

namespace {

constexpr short stuck_pair = 1;

} // namespace

bool screen::is_possible() {
  const char* name = std::getenv("TERM");
  return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
         && name != nullptr && std::string_view{name} != "dumb";
}

screen::screen() {
  std::setlocale(LC_CTYPE, "");
  initscr();
  cbreak();
  noecho();
  curs_set(0);
  if (has_colors()) {
    start_color();
    use_default_colors();
    init_pair(stuck_pair, COLOR_RED, -1);
  }
}

screen::~screen() {
  endwin();
}

std::size_t screen::rows() const {
  return static_cast<std::size_t>(LINES);
}

std::size_t screen::columns() const {
  return static_cast<std::size_t>(COLS);
}

void screen::draw(const std::vector<top_line>& lines) {
  erase();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const attr_t look = i < 2            ? A_BOLD
                        : lines[i].stuck ? A_BOLD | COLOR_PAIR(stuck_pair)
                                         : A_NORMAL;
    attron(look);
    mvaddstr(static_cast<int>(i), 0, lines[i].text.c_str());
    attroff(look);
  }
  refresh();
}

int screen::key(int milliseconds) {
  timeout(milliseconds);
  const int pressed = getch();
  return pressed == ERR ? 0 : pressed;
}

} // namespace concert::inspect
