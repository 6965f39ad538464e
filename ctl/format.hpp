#pragma once

#include "ntp_core/time/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers as people read them. An absent value is "-".
namespace concert::ctl {

/// A length of time with three digits: "85.0 us", "1.23 ms", "12.0 s". The
/// sign of `seconds` does not show.
std::string span(std::optional<double> seconds);

/// How long ago or for how long, coarsely: "12 s", "34 min", "5 h", "3 d".
std::string age(std::optional<double> seconds);

/// What a clock with this `remote − local` offset is: "1.23 ms slow".
std::string slow_or_fast(std::optional<double> offset_s);

/// What a remote with this `remote − local` offset is: "1.23 ms ahead".
std::string ahead_or_behind(std::optional<double> offset_s);

/// "40.013 ppm", without a sign.
std::string ppm(std::optional<double> ratio);

/// What the oscillator is for which this correction is right (positive: made
/// faster): "40.013 ppm slow".
std::string oscillator(std::optional<double> correction);

/// A reference identifier as its stratum asks (RFC 5905 §7.3): up to stratum 1
/// and at 16 four letters, else the dotted form.
std::string reference(std::uint32_t id, std::optional<std::uint64_t> stratum);

/// "2026-11-23 03:19:00 UTC", for the years 1970 to 2106; "-" when unknown.
std::string utc(ntp::ntp_timestamp time);

/// A count, or "-".
std::string count(std::optional<std::uint64_t> n);

/// Reads "100ms", "1.5s", "50us", "20ns", "3min", "2h", or bare seconds.
/// @returns seconds, finite and not negative; nothing when it is none of these.
std::optional<double> parse_span(std::string_view text);

} // namespace concert::ctl
