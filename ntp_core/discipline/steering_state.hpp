#pragma once

#include "ntp_core/discipline/clock_watch.hpp"
#include "ntp_core/discipline/discipline.hpp"
#include "ntp_core/discipline/error_bound.hpp"
#include "ntp_core/discipline/leap_schedule.hpp"
#include "ntp_core/discipline/poll_control.hpp"
#include "ntp_core/discipline/steering.hpp"
#include "ntp_core/discipline/step_policy.hpp"
#include "ntp_core/selection/cluster.hpp"
#include "ntp_core/selection/combine_set.hpp"
#include "ntp_core/selection/selection.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::ntp {

/// Where one source stands after the last judgement; the sentences for people
/// are made from it when somebody asks.
enum class standing : std::uint8_t {
  unanswered,     ///< no answer to any recent poll
  unmeasured,     ///< answers, no sample yet
  noselect,       ///< shown only, by configuration
  loop,           ///< takes its time from us
  bad_stratum,    ///< stratum above what we may follow
  unsynchronized, ///< says so itself
  unacceptable,   ///< answers, but its answers fail a test
  too_distant,    ///< its own error bound is too wide to bear witness
  selected,       ///< moves the clock
  not_preferred,  ///< agrees, but preferred ones are used
  outlier,        ///< agrees, but lies far from where the others do
  spare,          ///< agrees, but enough better ones are used
  no_majority,    ///< nobody can tell who is right
  too_few,        ///< agrees with too few others
  opposed,        ///< the majority contradicts our prediction, not for long yet
  falseticker,    ///< contradicts the majority
  returning,      ///< agrees again, on probation
};

struct source_entry {
  explicit source_entry(const source_registration& r)
    : registration(r),
      poll(r.min_poll, r.max_poll) {}

  bool agrees() const {
    return where == standing::selected || where == standing::not_preferred
           || where == standing::outlier || where == standing::spare;
  }

  source_registration registration;
  association_snapshot association;
  poll_control poll;
  standing where = standing::unanswered;
  /// What selection thought of it; absent where it was not asked.
  std::optional<candidate_opinion> view;
  /// Samples in a row that want the same step, and the last of them.
  std::uint8_t far_samples = 0;
  double far_offset_s = 0;
  std::uint8_t bad_polls = 0; ///< in a row
  std::optional<mono_time> last_sample;
};

/// Half of the root delay and the root dispersion, grown since the last sample,
/// s (RFC 5905 §11.1).
double root_distance_s(const source_entry& entry, mono_time now);

/// What our clients learn of the source whose time we pass on.
struct system_peer {
  std::uint8_t stratum = 15;
  std::uint32_t reference_id = 0;
  ntp_duration root_delay; ///< with the path to it
  ntp_timestamp updated;   ///< disciplined time of the last update
};

/// The state machine behind `steering`: what it hears in steering_input.cpp,
/// what it does to the clock in steering_correct.cpp, which state that means in
/// steering_status.cpp, and what people see of it in steering_report.cpp and
/// steering_tests.cpp.
struct steering::state {
  state(const steering_config& c, const steering_memory& m, frequency kernel,
        const clock_reading& now, std::unique_ptr<discipline> empty_filters);

  // -- what is heard ----------------------------------------------------------

  /// Every entry point looks at the clock first.
  void look(const clock_reading& now, steering_actions& out);
  void on_suspended(double gap_s, const clock_reading& now,
                    steering_actions& out);
  void on_foreign_step(double by_s, const clock_reading& now,
                       steering_actions& out);
  /// Something happened that only the sources can judge.
  void on_surprise(const clock_reading& now, steering_actions& out);
  void follow_leap(const clock_reading& now, steering_actions& out);
  /// Nothing if the sample did not reach the discipline.
  std::optional<sample_verdict> take_sample(source_entry& entry,
                                            const measurement& sample,
                                            const clock_reading& now);
  /// The configuration of a known source changed.
  void change(source_entry& entry, const source_registration& to,
              const clock_reading& now, steering_actions& out);
  std::optional<path_memory> recall(const source_registration& source,
                                    raw_time now);
  void count_far(source_entry& entry, const path_sample& sample,
                 const clock_reading& now) const;
  void judge(std::optional<source_id> sampled, const clock_reading& now,
             steering_actions& out);
  /// Nothing where the source may bear witness. `notes`, if any, gets the
  /// tests that this took.
  std::optional<standing> unusable(const source_entry& entry,
                                   const clock_reading& now,
                                   std::vector<source_test>* notes) const;
  std::vector<candidate> candidates(const clock_reading& now);
  std::optional<interval> prediction(const clock_reading& now) const;
  void place(source_entry& entry, const candidate_opinion& view) const;
  void select(const clock_reading& now);
  void watch_bad(source_entry& entry, const clock_reading& now,
                 steering_actions& out);
  std::uint32_t required() const;
  leap_indicator voted_leap() const;

  // -- what is done to the clock ----------------------------------------------

  /// A selected source has a new sample: believe, and correct.
  void accept(const clock_reading& now, steering_actions& out);
  bool fresh_majority() const;
  void believe(const clock_reading& now);
  void warn_of_disagreement(steering_actions& out);
  void correct(const clock_reading& now, steering_actions& out);
  bool may_touch(mono_time now) const;
  double trust_after_restart(double offset_s, const clock_reading& now);
  bool confirmed() const;
  double slew_length_s(const clock_reading& now) const;
  /// `trust`, 0 to 1: how much of the correction to make.
  void slew(double offset_s, double trust, const clock_reading& now,
            steering_actions& out);
  /// Why a person's step cannot be made now; empty if it can.
  std::string objection_to_step(const clock_reading& now) const;
  void step(double offset_s, const clock_reading& now, steering_actions& out);
  void enter_panic(panic_cause cause, double offset_s, steering_actions& out);
  void leave_panic(const char* why, steering_actions& out);
  void end_slew(steering_actions& out);
  void command(double value, std::optional<mono_time> end,
               steering_actions& out);

  // -- which state that means -------------------------------------------------

  system_state derive(const clock_reading& now) const;
  /// Ends every entry point: tells of a changed state, keeps the kernel's.
  void refresh(const clock_reading& now, steering_actions& out);
  set_clock_status kernel_status(const clock_reading& now) const;
  std::optional<mono_time> error_limit_at(const clock_reading& now) const;
  std::optional<mono_time> holdover_at() const;
  std::optional<error_bound> bound() const;
  /// disciplined − wall, s; 0 before the first belief.
  double offset_s(const clock_reading& now) const;
  std::chrono::nanoseconds disciplined_unix(const clock_reading& now) const;
  double max_error_s(const clock_reading& now) const;
  bool contested(mono_time now) const {
    return contested_until && now < *contested_until;
  }

  // -- what people see --------------------------------------------------------

  std::string state_reason(const clock_reading& now) const;
  bool all_offline_by_person() const;
  std::string starting_reason() const;
  std::string source_reason(const source_entry& entry,
                            const clock_reading& now) const;
  /// All tests of the last judgement.
  std::vector<source_test> tests(const source_entry& entry) const;
  void note_opinion(const candidate_opinion& view,
                    std::vector<source_test>& notes) const;
  void note_choice(const source_entry& entry,
                   std::vector<source_test>& notes) const;
  served_time served(const clock_reading& now) const;
  void serve_local(served_time& s) const;

  steering_config config;
  double initial_frequency; ///< ratio, before the first belief
  double initial_deviation;
  bool remembered;                       ///< the two are from an earlier run
  std::optional<double> start_with;      ///< frequency to set at first, ratio
  std::map<endpoint, path_memory> paths; ///< remembered, not heard yet

  std::map<source_id, source_entry> sources;
  std::uint32_t configured = 0;
  std::vector<std::uint32_t> own_reference_ids;
  std::unique_ptr<discipline> filters;
  selection judgement;
  cluster close_group;
  combine_set combined;
  selection_outcome outcome;
  clock_reading judged; ///< when that was

  clock_watch watch;
  clock_surprise unheard; ///< seen where no action could be returned
  leap_schedule leap;
  std::optional<leap_indicator> leap_from_file;
  std::optional<std::chrono::seconds> tai_offset;
  std::optional<std::chrono::seconds> tai_before_leap; ///< at the last look

  std::optional<clock_estimate> belief; ///< as of the last update
  upstream_error upstream;
  bool disagreeing = false; ///< as told last
  system_peer peer;
  std::optional<mono_time> last_update;
  std::chrono::nanoseconds patience{}; ///< five polls
  /// Waiting for the sources' answer to what happened then; exchanges that
  /// began before it are void.
  std::optional<mono_time> surprised;
  std::optional<raw_time> last_surprise;

  step_policy policy;
  double in_force;    ///< frequency correction of the wall clock, ratio
  double last_actual; ///< the same, as the clock confirmed it last
  double base;        ///< the same without the slew
  std::optional<mono_time> slew_end;
  std::optional<mono_time> last_slew;
  std::optional<mono_time> step_pending;
  std::string step_wanted_by;
  bool restarted; ///< still careful after a restart

  bool panicking = false;
  panic_cause panic_because = panic_cause::none;
  double panic_offset_s = 0;
  bool network = true;
  std::optional<mono_time> contested_until;
  double foreign_frequency = 0;
  std::optional<mono_time> clock_refused_until;
  std::string clock_problem;
  std::optional<mono_time> last_replacement;

  system_state current = system_state::starting;
  mono_time since;
  std::optional<mono_time> status_due;
  std::optional<mono_time> error_limit; ///< when the bound exceeds the limit
};

/// Adds one event for the log.
void tell(steering_actions& out, steering_event::severity level,
          std::string name, std::string text);

} // namespace concert::ntp
