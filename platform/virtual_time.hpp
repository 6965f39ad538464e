#pragma once

#include "ntp_core/time/time.hpp"
#include "platform/oscillator.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

namespace concert::platform {

/// The state of a virtual clock, in memory that processes share. A plain value
/// of fixed layout; all zero until it is made.
struct virtual_clock_page {
  static constexpr std::array<char, 8> right_magic{'c', 'n', 'c', 'r',
                                                   't', 'c', 'l', 'k'};
  static constexpr std::uint32_t right_version = 1;

  /// From `raw` on, the clock shows `wall` and what the oscillator has passed
  /// since then, corrected by `rate`.
  struct segment {
    std::atomic<std::int64_t> raw;   ///< 2^-32 s
    std::atomic<std::uint64_t> wall; ///< NTP bits
    std::atomic<double> rate;        ///< ratio
  };

  std::array<char, 8> magic;
  std::uint32_t version;
  std::array<char, 40> boot_id;
  oscillator_parameters oscillator;
  double initial_offset_s;
  std::int64_t origin; ///< CLOCK_MONOTONIC of the start, ns
  std::array<segment, 4> segments;
  /// Four times a serial number, plus the index of the segment in force.
  std::atomic<std::uint64_t> active;
  std::atomic<std::int32_t> tai_offset_s;
};

/// Reading and changing a virtual clock. Readers take no lock. Two writers are
/// provided for, of which each may be stopped or killed at any instruction:
/// each fills one of its own two segments that is not in force, and then
/// switches to it.
class virtual_time {
public:
  enum class writer : std::uint8_t { daemon = 0, guard = 2 };

  struct change {
    std::optional<ntp::frequency> rate;
    ntp::ntp_duration step;
  };

  /// The page outlives this object.
  explicit virtual_time(virtual_clock_page& page)
    : page_(page),
      oscillator_(page.oscillator) {}

  /// Begins a clock that shows `wall` now.
  static void start(virtual_clock_page& page, ntp::mono_time now,
                    ntp::ntp_timestamp wall);

  /// What the oscillator shows at `t`.
  ntp::raw_time raw_at(ntp::mono_time t) const;
  /// What the clock shows when its oscillator shows `raw`.
  ntp::ntp_timestamp wall_at(ntp::raw_time raw) const;
  ntp::frequency rate() const;
  void apply(writer who, ntp::mono_time now, const change& c);

  virtual_clock_page& page() const { return page_; }

private:
  virtual_clock_page& page_;
  oscillator oscillator_;
};

} // namespace concert::platform
