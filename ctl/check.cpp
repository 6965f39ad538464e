#include "ctl/check.hpp"

#include "ctl/format.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <cmath>

namespace concert::ctl {

std::string_view to_string(verdict v) {
  switch (v) {
    case verdict::ok:
      return "OK";
    case verdict::warning:
      return "WARNING";
    case verdict::critical:
      return "CRITICAL";
    case verdict::unknown:
      break;
  }
  return "UNKNOWN";
}

namespace {

/// A certificate with less than this left should have been renewed.
constexpr double renewal_s = 7 * 86400.0;

check_result check_clock(const observation& o, const check_limits& limits) {
  const observed_system& s = o.system;
  if (!s.max_error_s || s.state.empty())
    return {verdict::unknown, "the daemon does not tell its error"};
  const std::string state
    = s.state + (s.state_reason.empty() ? "" : ": " + s.state_reason);
  const bool mild = s.state == "holdover" || s.state == "starting";
  if (!s.synchronized.value_or(false) && !mild)
    return {verdict::critical, state};
  const auto beyond = [&](double limit_s) {
    return fmt::format("the clock may be {} wrong, more than {}; {}",
                       span(s.max_error_s), span(limit_s), state);
  };
  if (*s.max_error_s > limits.critical_s)
    return {verdict::critical, beyond(limits.critical_s)};
  if (limits.warning_s && *s.max_error_s > *limits.warning_s)
    return {verdict::warning, beyond(*limits.warning_s)};
  if (mild)
    return {verdict::warning, state};
  if (limits.min_sources
      && s.selected_sources.value_or(0) < *limits.min_sources)
    return {verdict::warning,
            fmt::format("{} sources are selected, fewer than {}; {}",
                        s.selected_sources.value_or(0), *limits.min_sources,
                        state)};
  if (limits.max_stratum && s.stratum.value_or(16) > *limits.max_stratum)
    return {verdict::warning,
            fmt::format("the stratum is {}, above {}; {}",
                        s.stratum.value_or(16), *limits.max_stratum, state)};
  return {verdict::ok, fmt::format("{}; at most {} wrong", clock_sentence(s),
                                   span(s.max_error_s))};
}

/// Of the certificate that ends first; OK without a sentence where all are
/// good for long enough.
check_result check_certificates(const observation& o) {
  check_result worst{verdict::ok, {}};
  double least_s = renewal_s;
  for (const observed_ke_server& server : o.ke_servers)
    for (const observed_certificate& c : server.certificates) {
      const auto left = time_left_s(o, c);
      if (!left || *left >= least_s)
        continue;
      least_s = *left;
      worst = {*left < 0 ? verdict::critical : verdict::warning,
               fmt::format("the certificate {} {}", c.file,
                           *left < 0 ? "expired " + age(-*left) + " ago"
                                     : "expires in " + age(left))};
    }
  return worst;
}

std::string seconds(std::optional<double> s) {
  return s && std::isfinite(*s) ? fmt::format("{:.9g}", *s) : "";
}

} // namespace

check_result check(const observation& o, const check_limits& limits) {
  check_result clock = check_clock(o, limits);
  const check_result certificates = check_certificates(o);
  if (certificates.sentence.empty() || clock.level == verdict::unknown)
    return clock;
  // The worse of the two comes first.
  if (certificates.level > clock.level)
    return {certificates.level, certificates.sentence + "; " + clock.sentence};
  return {clock.level, clock.sentence + "; " + certificates.sentence};
}

std::string check_line(const check_result& r, const observation& o,
                       const check_limits& limits) {
  const observed_system& s = o.system;
  // A bar would end the sentence for a monitoring system.
  std::string sentence = r.sentence;
  for (char& c : sentence)
    if (c == '|')
      c = '/';
  std::string line = fmt::format("NTP {}: {}", to_string(r.level), sentence);
  if (!s.max_error_s)
    return line + '\n';
  line += fmt::format(" | max_error={}s;{};{};0", seconds(s.max_error_s),
                      seconds(limits.warning_s), seconds(limits.critical_s));
  if (s.estimated_error_s)
    line
      += fmt::format(" estimated_error={}s;;;0", seconds(s.estimated_error_s));
  if (s.offset_s)
    line += fmt::format(" offset={}s", seconds(s.offset_s));
  if (s.selected_sources)
    line += fmt::format(
      " selected_sources={};{};;0", *s.selected_sources,
      limits.min_sources ? fmt::format("{}:", *limits.min_sources) : "");
  if (s.stratum && limits.max_stratum)
    line
      += fmt::format(" stratum={};{};;0;16", *s.stratum, *limits.max_stratum);
  return line + '\n';
}

std::string check_json(const check_result& r, const observation& o,
                       const check_limits& limits) {
  return json_object([&](json_writer& out) {
           out.field("level", to_string(r.level));
           out.field("exit_code", static_cast<unsigned>(r.level));
           out.field("sentence", r.sentence);
           out.field("state", o.system.state);
           out.field("synchronized", o.system.synchronized);
           out.field("max_error", o.system.max_error_s);
           out.field("warning_limit", limits.warning_s);
           out.field("critical_limit", limits.critical_s);
           out.field("estimated_error", o.system.estimated_error_s);
           out.field("offset", o.system.offset_s);
           out.field("selected_sources", o.system.selected_sources);
           out.field("stratum", o.system.stratum);
         })
         + '\n';
}

} // namespace concert::ctl
