#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/association/measurement.hpp"
#include "ntp_core/association/snapshot.hpp"
#include "ntp_core/discipline/discipline.hpp"
#include "ntp_core/discipline/path_memory.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/discipline/steering_config.hpp"
#include "ntp_core/time/time.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace concert::ntp {

/// What an earlier run left in the state file.
struct steering_memory {
  std::optional<frequency> oscillator; ///< correction that made the clock right
  double frequency_deviation = 1e-6;   ///< of `oscillator`, ratio
  /// The first correction of this boot has been made already: slew, do not
  /// step by the start-up rule. Also after a restart of the steering alone.
  bool started_this_boot = false;
  double accumulated_steps_s = 0;
  std::map<endpoint, path_memory> paths; ///< to sources, of this boot only
};

/// One line of `ntp_core`'s list of sources.
struct source_registration {
  source_id id;
  std::string name; ///< as configured, for reasons people read
  endpoint address;
  bool prefer = false;
  bool noselect = false;
  bool offline = false;           ///< by a person: it is not asked
  double offset_correction_s = 0; ///< added to each measured offset
  std::int8_t min_poll = 6;       ///< log2 s
  std::int8_t max_poll = 10;      ///< log2 s
  /// What our clients see as reference ID when this source is the system peer
  /// and has an IPv6 address (RFC 5905 §7.3); IPv4 addresses stand for
  /// themselves.
  std::uint32_t reference_id = 0;
};

/// A poll of a source ended.
struct source_report {
  source_id id;
  association_snapshot association;
  std::optional<measurement> sample;
};

/// The caller must set the clock's frequency, and answer with
/// `on_frequency_set`.
struct set_frequency {
  frequency value; ///< what the clock gets now
  frequency base;  ///< what it must get back when nobody renews this
  /// Where a slew ends: the dead-man restores `base` soon after. Absent: no
  /// slew is in progress and `value` equals `base`.
  std::optional<mono_time> slew_end;
};
/// The caller must step the wall clock at once, and answer with `on_stepped`
/// or `on_clock_failure`.
struct step_clock {
  ntp_duration by; ///< positive: forward
};
/// The caller must make the kernel's status say this (maximum error, estimated
/// error, UNSYNC, leap, TAI − UTC).
struct set_clock_status {
  bool synchronized = false;
  leap_indicator leap = leap_indicator::unsynchronized;
  double max_error_s = 16;
  double estimated_error_s = 16;
  std::optional<std::chrono::seconds> tai_offset;
};
/// The caller must let all sources ask soon, spread over `spread`.
struct poll_sources {
  std::chrono::nanoseconds spread{};
};
/// The caller must replace this source (falseticker of a pool, silent member).
struct replace_source {
  source_id id;
};
/// Something people want to read: one log line.
struct steering_event {
  enum class severity : std::uint8_t { info, warning, error } level{};
  std::string name; ///< "clock-stepped"
  std::string text; ///< key=value pairs with units, and a sentence
};
/// `on-panic = "exit"`: the caller must end the program with this code.
struct exit_program {
  int code = 70;
};

using steering_action
  = std::variant<set_frequency, step_clock, set_clock_status, poll_sources,
                 replace_source, steering_event, exit_program>;
using steering_actions = std::vector<steering_action>;

/// What comes of a person's wish for a step.
struct step_response {
  steering_actions actions; ///< to be carried out in any case
  std::string objection;    ///< a sentence; empty: the step is among them
};

/// Selection, discipline, combination and the policy of design §5, as one
/// state machine. It sees the world as reports of sources and readings of the
/// clock, and answers with what must be done to the clock.
///
/// All filtering is on the raw scale; the wall clock enters as wall − raw, so
/// that steps and slews, ours or others', never look like wander.
class steering {
public:
  /// `kernel` is the frequency correction in force when the daemon started.
  /// `filters` must be empty; the default is what the daemon uses.
  steering(const steering_config& config, const steering_memory& memory,
           frequency kernel, const clock_reading& now,
           std::unique_ptr<discipline> filters = make_discipline());
  ~steering();
  steering(steering&&) noexcept;
  steering& operator=(steering&&) noexcept;

  steering_actions on_config(const steering_config& config,
                             const clock_reading& now);
  /// How many sources the configuration asks for (servers and pool members).
  void set_configured_sources(std::uint32_t count);
  /// Reference IDs of our own addresses, without loopback: a source of stratum
  /// 2 or more that names one of them takes its time from us.
  void set_own_reference_ids(std::vector<std::uint32_t> ids);
  /// A source that is known already goes on with its samples: only what the
  /// configuration says of it changes.
  steering_actions on_registered(const source_registration& source,
                                 const clock_reading& now);
  steering_actions on_removed(source_id id, const clock_reading& now);
  steering_actions on_report(const source_report& report,
                             const clock_reading& now);
  /// End of a slew, growth of the error over a limit, kernel status refresh.
  steering_actions on_deadline(const clock_reading& now);
  std::optional<mono_time> next_deadline() const;

  /// What the clock really took (quantised, clamped).
  void on_frequency_set(frequency actual, const clock_reading& now);
  /// The step was made.
  steering_actions on_stepped(ntp_duration by, const clock_reading& now);
  /// The clock refused (EPERM, EINVAL…): state says so, nothing is retried
  /// faster than once a minute.
  steering_actions on_clock_failure(std::string_view what,
                                    const clock_reading& now);
  /// The frequency found in the kernel is not what we set there.
  steering_actions on_foreign_frequency(frequency found,
                                        const clock_reading& now);
  /// No route to anywhere / a route again.
  steering_actions on_network(bool online, const clock_reading& now);
  /// `ntp-ctl step`: the present offset is stepped away at once, whatever its
  /// size, within all thresholds that hold while running. The sources must
  /// agree on it. Otherwise, and where the offset is too small to be known, a
  /// sentence says why nothing is done.
  step_response on_step_wanted(const clock_reading& now);
  /// `ntp-ctl force-sync`: lifts a panic, allows one step of any size.
  steering_actions on_force_sync(const clock_reading& now);
  /// From leap-seconds.list; beats the majority of the sources.
  void set_leap(std::optional<leap_indicator> from_file,
                std::optional<std::chrono::seconds> tai_offset);
  /// What must be true when the daemon ends: base frequency, honest status.
  steering_actions on_shutdown(const clock_reading& now);

  system_snapshot snapshot(const clock_reading& now) const;
  std::vector<source_snapshot> sources(const clock_reading& now) const;
  /// How often the source should be asked, log2 s; absent if it is unknown.
  std::optional<std::int8_t> desired_poll(source_id id) const;
  /// For the state file, without the paths.
  steering_memory memory() const;
  /// For the state file; absent if the source is not known well enough.
  std::optional<path_memory> path(source_id id, const clock_reading& now) const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace concert::ntp
