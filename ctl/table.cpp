#include "ctl/table.hpp"

#include "ctl/text.hpp"

#include <algorithm>
#include <utility>

namespace concert::ctl {

table::table(std::vector<column> columns, std::size_t gap)
  : columns_{std::move(columns)},
    gap_{gap} {
}

void table::row(std::vector<std::string> cells) {
  lines_.push_back({std::move(cells), {}});
}

void table::note(std::string text) {
  lines_.push_back({{}, std::move(text)});
}

std::string table::joined(const std::vector<std::string>& cells,
                          const std::vector<std::size_t>& widths) const {
  std::string result;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0)
      result.append(gap_, ' ');
    result += columns_[i].side == align::left ? left(cells[i], widths[i])
                                              : right(cells[i], widths[i]);
  }
  result.erase(result.find_last_not_of(' ') + 1);
  return result += '\n';
}

std::string table::text() const {
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(width(titles.back()));
    for (const line& l : lines_)
      if (!l.cells.empty())
        widths[i] = std::max(widths[i], width(l.cells[i]));
  }
  const bool titled
    = std::ranges::any_of(titles, [](const auto& t) { return !t.empty(); });
  std::string result = titled ? joined(titles, widths) : "";
  for (const line& l : lines_)
    result += l.cells.empty() ? l.note + '\n' : joined(l.cells, widths);
  return result;
}

std::string labelled(const std::vector<std::vector<std::string>>& lines) {
  table t{{{}, {}}};
  for (const auto& line : lines)
    t.row(line);
  return t.text();
}

} // namespace concert::ctl
