#include "ctl/view/words.hpp"

#include "ctl/format.hpp"
#include "ctl/text.hpp"

#include <fmt/format.h>

#include <chrono>
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

std::string without_usual_port(std::string name, bool nts) {
  const std::string_view port = nts ? ":4460" : ":123";
  if (name.ends_with(port))
    name.resize(name.size() - port.size());
  return name;
}

std::string short_name(const observed_source& source) {
  if (source.name.empty())
    return without_usual_port(source.address, false);
  return without_usual_port(source.name, source.nts_cookies.has_value());
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
  if (source.nts_cookies)
    add("NTS");
  if (source.state == "selected")
    return result;
  add(source.state);
  if (!source.state_reason.empty())
    result += ": " + source.state_reason;
  return result;
}

std::string listener(const std::string& address, const std::string& interface,
                     std::optional<bool> listening,
                     const std::string& problem) {
  std::string result = address;
  if (!interface.empty())
    result += " on " + interface;
  if (listening)
    result += *listening ? ": listening" : ": NOT LISTENING";
  if (!problem.empty())
    result += ", " + problem;
  return result;
}

std::optional<double> unix_now_s(const observation& o) {
  if (o.program.now.is_unknown())
    return {};
  constexpr std::chrono::seconds middle{1LL << 31};
  return std::chrono::duration<double>{o.program.now.to_unix(middle)}.count();
}

std::optional<double> time_left_s(const observation& o,
                                  const observed_certificate& certificate) {
  const auto now = unix_now_s(o);
  if (!certificate.not_after || !now)
    return {};
  return static_cast<double>(*certificate.not_after) - *now;
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
