#pragma once

#include <chrono>
#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>

/// The time types of the core. Differences are exact integers of 2^-32 s;
/// only differences are ever turned into a floating-point number.
namespace concert::ntp {

/// Tag of the monotonic clock that callers pass in; the core never reads it.
struct mono_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<mono_clock>;
  static constexpr bool is_steady = true;
};

/// A monotonic instant (CLOCK_MONOTONIC in the daemon, virtual in tests).
using mono_time = mono_clock::time_point;

/// A time interval with 2^-32 s (233 ps) resolution and a range of ±68 years,
/// the difference of two `ntp_timestamp`s (RFC 5905 §6).
class ntp_duration {
public:
  constexpr ntp_duration() = default;

  /// Takes a count of 2^-32 s.
  static constexpr ntp_duration from_units(std::int64_t units) {
    ntp_duration d;
    d.units_ = units;
    return d;
  }

  /// Takes seconds; values beyond ±2^31 s saturate, NaN becomes zero.
  static constexpr ntp_duration from_seconds(double s) {
    if (s != s)
      return {};
    if (s >= 2147483647.0)
      return from_units(std::numeric_limits<std::int64_t>::max());
    if (s <= -2147483648.0)
      return from_units(std::numeric_limits<std::int64_t>::min());
    const double units = s * 4294967296.0;
    return from_units(
      static_cast<std::int64_t>(units + (units < 0 ? -0.5 : 0.5)));
  }

  /// Takes nanoseconds; saturates beyond ±2^31 s.
  static constexpr ntp_duration from_nanoseconds(std::chrono::nanoseconds ns) {
    constexpr std::int64_t giga = 1'000'000'000;
    std::int64_t s = ns.count() / giga;
    std::int64_t rest = ns.count() % giga;
    if (rest < 0) {
      rest += giga;
      --s;
    }
    if (s > std::numeric_limits<std::int32_t>::max())
      return from_units(std::numeric_limits<std::int64_t>::max());
    if (s < std::numeric_limits<std::int32_t>::min())
      return from_units(std::numeric_limits<std::int64_t>::min());
    const auto fraction
      = ((static_cast<std::uint64_t>(rest) << 32) + giga / 2) / giga;
    return from_units(s * (std::int64_t{1} << 32)
                      + static_cast<std::int64_t>(fraction));
  }

  constexpr std::int64_t units() const { return units_; }

  /// The length in seconds.
  constexpr double seconds() const {
    return static_cast<double>(units_) / 4294967296.0;
  }

  /// The length rounded to the nearest nanosecond.
  constexpr std::chrono::nanoseconds nanoseconds() const {
    const std::int64_t s = units_ >> 32;
    const auto fraction = static_cast<std::uint64_t>(units_ & 0xffffffff);
    const auto ns = (fraction * 1'000'000'000 + (std::uint64_t{1} << 31)) >> 32;
    return std::chrono::nanoseconds{s * 1'000'000'000
                                    + static_cast<std::int64_t>(ns)};
  }

  constexpr ntp_duration operator-() const {
    return from_units(wrap(0U - bits()));
  }
  constexpr ntp_duration operator+(ntp_duration o) const {
    return from_units(wrap(bits() + o.bits()));
  }
  constexpr ntp_duration operator-(ntp_duration o) const {
    return from_units(wrap(bits() - o.bits()));
  }
  constexpr ntp_duration& operator+=(ntp_duration o) {
    return *this = *this + o;
  }
  constexpr ntp_duration& operator-=(ntp_duration o) {
    return *this = *this - o;
  }
  constexpr auto operator<=>(const ntp_duration&) const = default;

private:
  constexpr std::uint64_t bits() const {
    return static_cast<std::uint64_t>(units_);
  }
  static constexpr std::int64_t wrap(std::uint64_t bits) {
    return static_cast<std::int64_t>(bits);
  }

  std::int64_t units_ = 0;
};

/// A wall-clock instant as NTP writes it: 32 bits of seconds and 32 bits of
/// fraction since 1900, modulo 2^32 s (RFC 5905 §6). Two stamps may be
/// compared when they are less than 68 years apart, in whatever eras they lie.
/// The value zero means "unknown" in every era.
class ntp_timestamp {
public:
  constexpr ntp_timestamp() = default;

  static constexpr ntp_timestamp from_bits(std::uint64_t bits) {
    ntp_timestamp t;
    t.bits_ = bits;
    return t;
  }

  /// Takes Unix time; an instant whose NTP form would be zero ("unknown")
  /// becomes one unit later.
  static constexpr ntp_timestamp
  from_unix(std::chrono::nanoseconds since_epoch) {
    constexpr std::int64_t giga = 1'000'000'000;
    std::int64_t s = since_epoch.count() / giga;
    std::int64_t rest = since_epoch.count() % giga;
    if (rest < 0) {
      rest += giga;
      --s;
    }
    const auto fraction
      = ((static_cast<std::uint64_t>(rest) << 32) + giga / 2) / giga;
    const auto bits
      = ((static_cast<std::uint64_t>(s) + unix_epoch) << 32) + fraction;
    return from_bits(bits == 0 ? 1 : bits);
  }

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool is_unknown() const { return bits_ == 0; }

  /// Unix time in the era that puts this stamp nearest to `pivot`
  /// (also Unix time); ± 68 years around it.
  constexpr std::chrono::nanoseconds
  to_unix(std::chrono::nanoseconds pivot) const {
    return pivot + (*this - from_unix(pivot)).nanoseconds();
  }

  /// Wrap-aware difference; exact while the two are within ±68 years.
  constexpr ntp_duration operator-(ntp_timestamp o) const {
    return ntp_duration::from_units(static_cast<std::int64_t>(bits_ - o.bits_));
  }
  constexpr ntp_timestamp operator+(ntp_duration d) const {
    return from_bits(bits_ + static_cast<std::uint64_t>(d.units()));
  }
  constexpr ntp_timestamp operator-(ntp_duration d) const {
    return from_bits(bits_ - static_cast<std::uint64_t>(d.units()));
  }
  constexpr bool operator==(const ntp_timestamp&) const = default;

private:
  /// Seconds from 1900-01-01 to 1970-01-01.
  static constexpr std::uint64_t unix_epoch = 2'208'988'800;

  std::uint64_t bits_ = 0;
};

/// An instant on the undisciplined local oscillator (CLOCK_MONOTONIC_RAW in the
/// daemon), in 2^-32 s since an arbitrary origin. Nothing that anybody does to
/// the wall clock changes it, so filters keep their history on this scale.
class raw_time {
public:
  constexpr raw_time() = default;
  static constexpr raw_time from_units(std::int64_t units) {
    raw_time t;
    t.since_origin_ = ntp_duration::from_units(units);
    return t;
  }
  static constexpr raw_time from_nanoseconds(std::chrono::nanoseconds ns) {
    raw_time t;
    t.since_origin_ = ntp_duration::from_nanoseconds(ns);
    return t;
  }
  constexpr ntp_duration since_origin() const { return since_origin_; }
  constexpr ntp_duration operator-(raw_time o) const {
    return since_origin_ - o.since_origin_;
  }
  constexpr raw_time operator+(ntp_duration d) const {
    return from_units((since_origin_ + d).units());
  }
  constexpr raw_time operator-(ntp_duration d) const {
    return from_units((since_origin_ - d).units());
  }
  constexpr auto operator<=>(const raw_time&) const = default;

private:
  ntp_duration since_origin_;
};

/// A relative frequency (s/s); positive makes the clock run faster.
struct frequency {
  double ratio = 0;

  static constexpr frequency from_ppm(double ppm) { return {ppm * 1e-6}; }
  constexpr double ppm() const { return ratio * 1e6; }
  constexpr auto operator<=>(const frequency&) const = default;
};

/// A variance in s².
struct variance {
  double seconds2 = 0;

  double deviation() const { return std::sqrt(seconds2); }
  constexpr auto operator<=>(const variance&) const = default;
};

/// Seconds of a std::chrono duration.
constexpr double seconds_of(std::chrono::nanoseconds d) {
  return static_cast<double>(d.count()) * 1e-9;
}

/// The nearest std::chrono duration; saturates at ±292 years.
constexpr std::chrono::nanoseconds nanoseconds_of(double seconds) {
  if (seconds >= 9.2e9)
    return std::chrono::nanoseconds::max();
  if (seconds <= -9.2e9)
    return std::chrono::nanoseconds::min();
  return std::chrono::nanoseconds{
    static_cast<std::int64_t>(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5))};
}

} // namespace concert::ntp
