#include "ctl/colour.hpp"

#include "ctl/terminal.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace concert::ctl {

namespace {

struct coloured_word {
  std::string_view word;
  style look;
};

/// Words that views write in capitals mean states and nothing else. Longer
/// ones come before those that they contain.
constexpr std::array words{
  coloured_word{"NOT SYNCHRONIZED", style::bad},
  coloured_word{"UNSYNCHRONIZED", style::bad},
  coloured_word{"SYNCHRONIZED", style::good},
  coloured_word{"NTP OK", style::good},
  coloured_word{"NTP WARNING", style::warning},
  coloured_word{"NTP CRITICAL", style::bad},
  coloured_word{"NTP UNKNOWN", style::warning},
  coloured_word{"STARTING", style::warning},
  coloured_word{"HOLDOVER", style::warning},
  coloured_word{"PANIC", style::bad},
  coloured_word{"NOT LISTENING", style::bad},
  coloured_word{"NOT VALID", style::bad},
  coloured_word{"EXPIRED", style::bad},
  coloured_word{"EXPIRES", style::warning},
};

/// The first character of a line of sources.
constexpr std::array marks{
  coloured_word{"* ", style::good},    coloured_word{"+ ", style::good},
  coloured_word{"x ", style::bad},     coloured_word{"? ", style::bad},
  coloured_word{"! ", style::warning},
};

/// The word with which `text` begins; none if it begins with none of them.
const coloured_word* first_of(const auto& table, std::string_view text) {
  for (const auto& each : table)
    if (text.starts_with(each.word))
      return &each;
  return nullptr;
}

} // namespace

bool colour_wanted() {
  const char* const refused = std::getenv("NO_COLOR");
  const char* const name = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1
         && (refused == nullptr || *refused == '\0') && name != nullptr
         && *name != '\0' && std::string_view{name} != "dumb";
}

std::string coloured(std::string_view view) {
  std::string result;
  bool at_line = true;
  while (!view.empty()) {
    const coloured_word* found = at_line ? first_of(marks, view) : nullptr;
    if (found == nullptr)
      found = first_of(words, view);
    if (found != nullptr) {
      result += rendition(found->look);
      result += found->word;
      result += rendition(style::plain);
    }
    const std::size_t done = found == nullptr ? 1 : found->word.size();
    if (found == nullptr)
      result += view[0];
    at_line = result.back() == '\n';
    view.remove_prefix(done);
  }
  return result;
}

} // namespace concert::ctl
