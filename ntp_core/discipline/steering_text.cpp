#include "ntp_core/discipline/steering_text.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace concert::ntp {

namespace {

template <class... Ts>
std::string format(const char* pattern, Ts... values) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

std::string scaled(const char* pattern, double seconds) {
  const double size = std::abs(seconds);
  const char* unit = "s";
  double value = seconds;
  if (size < 0.9995e-6) {
    unit = "ns";
    value = seconds * 1e9;
  } else if (size < 0.9995e-3) {
    unit = "us";
    value = seconds * 1e6;
  } else if (size < 0.9995) {
    unit = "ms";
    value = seconds * 1e3;
  }
  return format(pattern, value, unit);
}

} // namespace

std::string duration_text(double seconds) {
  return scaled("%.1f %s", seconds);
}

std::string offset_text(double seconds, const char* positive,
                        const char* negative) {
  return duration_text(std::abs(seconds)) + ' '
         + (seconds < 0 ? negative : positive);
}

std::string seconds_text(double seconds) {
  return format("%+.6f s", seconds);
}

std::string frequency_text(double ratio) {
  return format("%.3f ppm", ratio * 1e6);
}

std::string unix_text(std::chrono::nanoseconds unix_time) {
  const auto day = std::chrono::floor<std::chrono::days>(unix_time);
  const std::chrono::year_month_day date{std::chrono::sys_days{day}};
  const std::chrono::hh_mm_ss clock{
    std::chrono::floor<std::chrono::microseconds>(unix_time - day)};
  return format("%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
}

} // namespace concert::ntp
