#include "ctl/csv.hpp"

namespace concert::ctl {

csv::csv(const std::vector<std::string_view>& header) {
  for (const auto& name : header)
    add(name, &name == header.data());
  text_ += '\n';
}

void csv::row(const std::vector<std::string>& values) {
  for (const auto& value : values)
    add(value, &value == values.data());
  text_ += '\n';
}

void csv::add(std::string_view value, bool first) {
  if (!first)
    text_ += ',';
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    text_ += value;
    return;
  }
  text_ += '"';
  for (const char c : value) {
    if (c == '"')
      text_ += '"';
    text_ += c;
  }
  text_ += '"';
}

} // namespace concert::ctl
