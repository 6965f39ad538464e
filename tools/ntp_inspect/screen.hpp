#pragma once

#include "tools/ntp_inspect/options.hpp"
#include "tools/ntp_inspect/top_view.hpp"

#include <cstddef>
#include <vector>

namespace concert::inspect {

/// The whole terminal, by ncurses, left as it was at the end.
class screen {
public:
  screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;
  ~screen();

  std::size_t rows() const;
  std::size_t columns() const;
  void draw(const std::vector<top_line>& lines);
  /// Waits for a key, at most so long; 0 without one.
  int key(int milliseconds);

  /// Whether there is a terminal that it can be shown on.
  static bool is_possible();
};

} // namespace concert::inspect
