#include "tests/exporter/openmetrics_reader.hpp"

#include <fmt/format.h>

#include <map>
#include <regex>
#include <set>

namespace concert::exporter {

namespace {

/// The suffixes that samples of a type may have.
const std::map<std::string, std::set<std::string>>& suffixes() {
  static const std::map<std::string, std::set<std::string>> table{
    {"gauge", {""}},
    {"counter", {"_total", "_created"}},
    {"info", {"_info"}},
    {"histogram", {"_bucket", "_count", "_sum", "_created"}},
  };
  return table;
}

class reader {
public:
  std::string fault(std::string_view text) {
    if (text.empty() || text.back() != '\n')
      return "no line end at the end";
    while (!text.empty()) {
      const auto end = text.find('\n');
      const std::string line{text.substr(0, end)};
      text.remove_prefix(end + 1);
      if (line == "# EOF")
        return text.empty() ? "" : "something follows # EOF";
      if (const auto why = line_fault(line); !why.empty())
        return fmt::format("{}: {}", why, line);
    }
    return "no # EOF";
  }

private:
  std::string line_fault(const std::string& line) {
    static const std::regex metadata{"# (TYPE|UNIT|HELP) ([a-z_:0-9]+) (.*)"};
    static const std::regex sample{
      "([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)\\})? "
      "(NaN|[+-]Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)"};
    std::smatch part;
    if (std::regex_match(line, part, metadata))
      return metadata_fault(part[1], part[2], part[3]);
    if (std::regex_match(line, part, sample))
      return sample_fault(part[1], part[2]);
    return "neither metadata nor a sample";
  }

  std::string metadata_fault(const std::string& what, const std::string& name,
                             const std::string& value) {
    if (what == "TYPE") {
      if (!families_.insert(name).second)
        return "a family in two places";
      if (!suffixes().contains(value))
        return "no such type";
      family_ = name;
      type_ = value;
      samples_.clear();
      return "";
    }
    if (name != family_)
      return "metadata of another family";
    if (!samples_.empty())
      return "metadata after samples";
    if (what == "UNIT" && !name.ends_with("_" + value))
      return "a unit that is not the end of the name";
    return "";
  }

  std::string sample_fault(const std::string& name, const std::string& labels) {
    static const std::regex list{
      "|(?:[a-z_]+=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"(?:,(?=[a-z]))?)+"};
    if (family_.empty() || !name.starts_with(family_)
        || !suffixes().at(type_).contains(name.substr(family_.size())))
      return "a sample that does not belong to the family before it";
    if (!std::regex_match(labels, list))
      return "labels";
    if (!samples_.insert(name + "{" + labels).second)
      return "the same sample twice";
    return "";
  }

  std::set<std::string> families_;
  std::string family_;
  std::string type_;
  std::set<std::string> samples_;
};

} // namespace

std::string openmetrics_fault(std::string_view text) {
  return reader{}.fault(text);
}

} // namespace concert::exporter
