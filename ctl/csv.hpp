#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace concert::ctl {

/// A table as RFC 4180 has it, with a header line; lines end with a newline
/// alone, as shells want it.
class csv {
public:
  explicit csv(const std::vector<std::string_view>& header);

  /// One value for each column; absent ones are empty.
  void row(const std::vector<std::string>& values);

  const std::string& text() const { return text_; }

private:
  void add(std::string_view value, bool first);

  std::string text_;
};

} // namespace concert::ctl
