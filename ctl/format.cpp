#include "ctl/format.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

namespace concert::ctl {

namespace {

struct unit {
  std::string_view name;
  double seconds;
};

/// Three digits, as "1.23", "12.3", "123".
std::string three_digits(double v) {
  // The limits lie where rounding would make a fourth digit.
  if (v < 9.995)
    return fmt::format("{:.2f}", v);
  return v < 99.95 ? fmt::format("{:.1f}", v) : fmt::format("{:.0f}", v);
}

/// Nothing is neither slow nor fast.
std::string with_word(const std::string& size, std::string_view word) {
  return size == "0 ns" ? size : fmt::format("{} {}", size, word);
}

} // namespace

std::string span(std::optional<double> seconds) {
  if (!seconds || !std::isfinite(*seconds))
    return "-";
  const double s = std::fabs(*seconds);
  constexpr std::array<unit, 3> units{
    {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}}};
  for (const unit& u : units)
    if (s / u.seconds < 999.5)
      return fmt::format("{} {}",
                         u.seconds == 1e-9
                           ? fmt::format("{:.0f}", s / u.seconds)
                           : three_digits(s / u.seconds),
                         u.name);
  return three_digits(s) + " s";
}

std::string age(std::optional<double> seconds) {
  if (!seconds || !std::isfinite(*seconds))
    return "-";
  const double s = std::fmax(*seconds, 0);
  constexpr std::array<unit, 3> units{{{"d", 86400}, {"h", 3600}, {"min", 60}}};
  for (const unit& u : units)
    if (s >= 2 * u.seconds)
      return fmt::format("{:.0f} {}", std::floor(s / u.seconds), u.name);
  return fmt::format("{:.0f} s", std::floor(s));
}

std::string slow_or_fast(std::optional<double> offset_s) {
  if (!offset_s)
    return "-";
  return with_word(span(offset_s), *offset_s < 0 ? "fast" : "slow");
}

std::string ahead_or_behind(std::optional<double> offset_s) {
  if (!offset_s)
    return "-";
  return with_word(span(offset_s), *offset_s < 0 ? "behind" : "ahead");
}

std::string ppm(std::optional<double> ratio) {
  return ratio ? fmt::format("{:.3f} ppm", std::fabs(*ratio) * 1e6) : "-";
}

std::string oscillator(std::optional<double> correction) {
  if (!correction)
    return "-";
  return ppm(correction) + (*correction < 0 ? " fast" : " slow");
}

std::string reference(std::uint32_t id, std::optional<std::uint64_t> stratum) {
  const std::array<std::uint8_t, 4> octets{
    static_cast<std::uint8_t>(id >> 24), static_cast<std::uint8_t>(id >> 16),
    static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id)};
  if (stratum && *stratum > 1 && *stratum < 16)
    return fmt::format("{}", fmt::join(octets, "."));
  std::string letters;
  for (const std::uint8_t c : octets)
    if (c > 0x20 && c < 0x7f)
      letters += static_cast<char>(c);
  return letters.empty() ? "-" : letters;
}

std::string utc(ntp::ntp_timestamp time) {
  if (time.is_unknown())
    return "-";
  constexpr std::chrono::seconds middle{1LL << 31};
  const auto unix
    = std::chrono::floor<std::chrono::seconds>(time.to_unix(middle));
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(unix.count())));
}

std::string count(std::optional<std::uint64_t> n) {
  return n ? fmt::format("{}", *n) : "-";
}

std::optional<double> parse_span(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || !std::isfinite(value) || value < 0)
    return {};
  const std::string_view suffix{rest, static_cast<std::size_t>(end - rest)};
  constexpr std::array<unit, 8> units{{{"", 1},
                                       {"s", 1},
                                       {"ms", 1e-3},
                                       {"us", 1e-6},
                                       {"ns", 1e-9},
                                       {"m", 60},
                                       {"min", 60},
                                       {"h", 3600}}};
  for (const unit& u : units)
    if (suffix == u.name && std::isfinite(value * u.seconds))
      return value * u.seconds;
  return {};
}

} // namespace concert::ctl
