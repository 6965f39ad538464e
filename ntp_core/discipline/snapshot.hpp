#pragma once

#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concert::ntp {

/// Names one source for the life of the process; never reused.
struct source_id {
  std::uint64_t value = 0;
  auto operator<=>(const source_id&) const = default;
};

enum class system_state : std::uint8_t {
  starting,       ///< no decision yet
  synchronized,   ///< follows a majority
  holdover,       ///< sources lost; coasting within the error limit
  unsynchronized, ///< no sources and beyond the error limit
  panic,          ///< offset beyond a threshold; waits for a person
  contested,      ///< another program steers the clock
  offline,        ///< no network
};
/// "synchronized", as in JSON.
std::string_view to_string(system_state s);

enum class source_state : std::uint8_t {
  selected,    ///< used for the clock
  candidate,   ///< right, or not yet judged, but not used
  falseticker, ///< disagrees with the majority
  unreachable, ///< no answers
  unusable,    ///< answers, but may not be used
};
std::string_view to_string(source_state s);

/// One of the tests that a source must pass to be used.
struct source_test {
  std::string_view name; ///< "reachable", "root-distance"…
  bool passed = false;
  std::optional<double> value; ///< what was found, in `unit`
  std::optional<double> limit; ///< what is allowed, in `unit`
  std::string_view unit;       ///< "s", "polls", "sources" or empty
  std::string text;            ///< a sentence for people
};

/// What the steering thinks of one source.
struct source_snapshot {
  source_id id;
  source_state state = source_state::unreachable;
  std::string state_reason; ///< a sentence for people, with values and limits
  /// remote − local now, s (by the stand-alone filter); absent before the
  /// first sample.
  std::optional<double> offset_s;
  double uncertainty_s = 0; ///< one standard deviation
  double delay_s = 0;       ///< base round trip of the path
  double jitter_s = 0;      ///< mean excess of the round trip over the base
  double asymmetry_s = 0;   ///< estimated asymmetry of the path
  double frequency_ppm = 0; ///< remote against the system clock as corrected
  std::uint64_t samples = 0;
  std::optional<mono_time> last_sample;
  std::int8_t desired_poll = 6; ///< log2 s
  /// In the order in which they are made; all of them, passed or not. A test
  /// that makes no sense after an earlier one failed is left out.
  std::vector<source_test> tests;
};

/// What makes up the estimated error: variances add up to its square. One
/// standard deviation each, s.
struct error_budget {
  double measurement_s = 0;  ///< noise of the samples, after filtering
  double asymmetry_s = 0;    ///< of the paths
  double wander_s = 0;       ///< of the oscillator since the last samples
  double server_s = 0;       ///< of the sources themselves
  double disagreement_s = 0; ///< between two ways to filter the samples
  double unslewed_s = 0;     ///< known, and on the way out of the system time
};

/// What servers need to answer with the disciplined time: a line through the
/// disciplined time as a function of the wall clock, and how its error grows.
struct served_time {
  bool valid = false; ///< false: serve the wall clock as it is
  leap_indicator leap = leap_indicator::unsynchronized;
  std::uint8_t stratum = 16; ///< our own, 1..16
  std::uint32_t reference_id = 0;
  std::int8_t precision = -20;  ///< log2 s, measured
  ntp_timestamp reference_time; ///< last update of the clock (disciplined)
  ntp_duration root_delay;
  /// disciplined = wall + offset_s + rate × (wall − wall_base).
  ntp_timestamp wall_base;
  double offset_s = 0;
  double rate = 0;
  /// Root dispersion t seconds after `wall_base`, s:
  /// sqrt(base + linear t + quadratic t² + cubic t³).
  double variance_base = 0;
  double variance_linear = 0;
  double variance_quadratic = 0;
  double variance_cubic = 0;
  /// Steps of the wall clock when this was made; `offset_s` is void once the
  /// clock counts more.
  std::uint64_t step_count = 0;

  /// Root dispersion at `wall`, s; never less than at `wall_base`. Without
  /// valid time it is 16 s, the most there is (RFC 5905 §7.2, MAXDISP).
  double root_dispersion_s(ntp_timestamp wall) const;
  /// The disciplined time for a reading of the wall clock.
  ntp_timestamp disciplined(ntp_timestamp wall) const;
};

/// The state of the whole, for status, servers and the inspector.
struct system_snapshot {
  system_state state = system_state::starting;
  std::string state_reason; ///< a sentence for people
  mono_time state_since;
  bool synchronized = false;

  served_time served;

  double offset_s = 0;  ///< disciplined − system time, now
  double frequency = 0; ///< correction in force for the oscillator, ratio
  double frequency_uncertainty = 0; ///< one standard deviation, ratio
  double estimated_error_s = 0;     ///< one sd incl. asymmetry and server error
  double stability_s = 0;           ///< the same without those two
  double max_error_s = 16;          ///< hard bound
  error_budget budget;              ///< of `estimated_error_s`
  double wander = 0;                ///< per √s
  std::optional<mono_time> last_update;
  std::uint64_t steps_total = 0;
  double last_step_s = 0;         ///< positive: moved forward
  double accumulated_steps_s = 0; ///< sum of |step| after the start
  std::optional<double> accumulated_steps_threshold_s;
  double holdover_s = 0; ///< time in holdover so far
  std::uint32_t selected_sources = 0;
  std::uint32_t required_sources = 0; ///< how many must agree
};

} // namespace concert::ntp
