#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace concert::ctl {

/// A table as wide as its cells ask.
class table {
public:
  enum class align : bool { left, right };
  struct column {
    std::string title;
    align side = align::left;
  };

  /// `gap` spaces stand between the columns.
  explicit table(std::vector<column> columns, std::size_t gap = 2);

  /// One cell for each column.
  void row(std::vector<std::string> cells);
  /// A line of its own under the last row.
  void note(std::string text);

  /// All lines, each with a newline and no space at its end.
  std::string text() const;

private:
  struct line {
    std::vector<std::string> cells;
    std::string note; ///< stands instead of the cells
  };

  std::string joined(const std::vector<std::string>& cells,
                     const std::vector<std::size_t>& widths) const;

  std::vector<column> columns_;
  std::size_t gap_;
  std::vector<line> lines_;
};

/// Lines "label   value" with the values under each other.
std::string labelled(const std::vector<std::vector<std::string>>& lines);

} // namespace concert::ctl
