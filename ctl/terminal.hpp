#pragma once

#include "ctl/view/watch_frame.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace concert::ctl {

/// The control sequence that makes the text after it look so, on a terminal.
std::string_view rendition(style look);

/// Shows pictures over each other on the terminal's second screen; into a pipe
/// or onto a terminal that cannot, one below the other.
class terminal {
public:
  /// With `pictures` false nothing is shown but what is printed.
  explicit terminal(bool pictures);
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  /// Leaves the screen as it was.
  ~terminal();

  /// Whether pictures replace each other.
  bool is_screen() const { return is_screen_; }
  std::size_t columns() const;
  std::size_t rows() const; ///< 0 = no limit

  /// @returns false when nobody can see it any more.
  bool show(const std::vector<styled_line>& lines) const;
  /// Writes text as it is.
  /// @returns false when nobody can read it any more.
  bool print(const std::string& text) const;

  void enter() const; ///< to the second screen
  void leave() const; ///< and back

private:
  bool is_screen_;
};

} // namespace concert::ctl
