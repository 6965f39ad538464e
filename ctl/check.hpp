#pragma once

#include "ctl/observation.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace concert::ctl {

/// The values are the exit codes that monitoring systems know.
enum class verdict : std::uint8_t {
  ok = 0,
  warning = 1,
  critical = 2,
  unknown = 3
};
/// "OK".
std::string_view to_string(verdict v);

/// What a clock must keep to.
struct check_limits {
  std::optional<double> warning_s;            ///< maximum error, s
  double critical_s = 1;                      ///< maximum error, s
  std::optional<std::uint64_t> min_sources{}; ///< fewer selected ones warn
  std::optional<std::uint64_t> max_stratum{}; ///< a higher one warns
};

struct check_result {
  verdict level = verdict::unknown;
  std::string sentence;
};

/// Judges the clock: critical when it is not synchronized (other than just
/// started or in holdover, which warn) or its maximum error is above the
/// limit; unknown when the daemon does not tell. A certificate for key exchange
/// that has expired is critical as well, one with less than 7 days left warns.
check_result check(const observation& o, const check_limits& limits);

/// One line in the form of monitoring plug-ins, with performance data.
std::string check_line(const check_result& r, const observation& o,
                       const check_limits& limits);

/// The same as a JSON object.
std::string check_json(const check_result& r, const observation& o,
                       const check_limits& limits);

} // namespace concert::ctl
