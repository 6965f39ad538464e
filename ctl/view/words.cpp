#include "ctl/view/words.hpp"

#include "ctl/format.hpp"
#include "ctl/text.hpp"

#include <fmt/format.h>

#include <cmath>

namespace concert::ctl {

char mark(const observed_source& source) {
  if (source.state == "selected")
    return '*';
  if (source.state == "candidate")
    return '+';
  if (source.state == "falseticker")
    return 'x';
  if (source.state == "unusable")
    return '!';
  return source.state == "unreachable" ? '?' : ' ';
}

std::string headline(const observed_system& system) {
  if (system.state.empty())
    return system.stratum.value_or(16) < 16 ? "SERVING TIME"
                                            : "NOT SYNCHRONIZED";
  std::string result;
  for (const char c : system.state)
    result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (system.state_since_s)
    result += " for " + age(system.state_since_s);
  return result;
}

bool is_measured(const observed_system& system) {
  return system.offset_s && system.last_update_age_s;
}

std::string clock_sentence(const observed_system& system) {
  if (!is_measured(system))
    return system.offset_s ? "not measured yet"
                           : "the daemon does not tell its error";
  return fmt::format("{} of the agreed time, +/- {}",
                     slow_or_fast(system.offset_s),
                     span(system.estimated_error_s));
}

std::string truth_sentence(const observed_clock& clock) {
  if (!clock.true_error_s)
    return {};
  return fmt::format("true error {} ({} clock)",
                     slow_or_fast(-*clock.true_error_s), clock.kind);
}

std::string short_name(const observed_source& source) {
  std::string name = source.name.empty() ? source.address : source.name;
  if (name.ends_with(":123"))
    name.resize(name.size() - 4);
  return name;
}

std::string explanation(const observed_source& source,
                        std::size_t name_columns) {
  std::string result;
  const auto add = [&result](const std::string& text) {
    if (!text.empty())
      result += (result.empty() ? "" : ", ") + text;
  };
  const std::string name = short_name(source);
  if (width(name) > name_columns)
    add(name);
  if (source.address != source.name)
    add(source.address);
  if (source.state == "selected")
    return result;
  add(source.state);
  if (!source.state_reason.empty())
    result += ": " + source.state_reason;
  return result;
}

std::string poll_interval(const observed_source& source) {
  if (!source.poll || *source.poll < -10 || *source.poll > 30)
    return "-";
  return fmt::format("{:g} s", std::exp2(static_cast<double>(*source.poll)));
}

std::string truncation(const observation& o) {
  return o.truncated ? "There are more sources or servers than one document "
                       "holds; these are the first.\n"
                     : "";
}

} // namespace concert::ctl
