#pragma once

#include "actors/actor_base.hpp"
#include "ntp_core/discipline/steering.hpp"
#include "ntp_core/shadow/clock_record.hpp"

#include <map>
#include <memory>
#include <optional>

namespace concert::actors {

struct steering_options {
  config::shared_config config;
  ntp::steering_memory memory;
};

/// Selection, discipline and the clock: feeds the core's `steering` with
/// reports and readings, and does to the clock what it asks for.
class steering final : public actor_base<steering_actor> {
public:
  steering(caf::actor_config& cfg, runtime& rt, steering_options options);

  behavior_type make_behavior() override;

  /// For a simulator, whose only thread this is.
  const ntp::steering& core() const { return machine_; }

private:
  struct source_entry {
    ntp::source_registration registration;
    source_actor handle;
    ntp::association_snapshot association;
    std::int8_t desired_poll = 0; ///< last told
  };

  void stopped() override;
  void on_wiring(const wiring& w);
  void on_deadline();
  void on_announcement(const source_announcement& a);
  void on_removed(ntp::source_id id);
  void on_source_down(const caf::down_msg& down);
  void on_report(const ntp::source_report& report);
  ctl::control_answer on_step_wanted(const step_wanted& wish);
  ctl::control_answer on_force_sync(const force_sync& wish);
  ctl::control_answer step_answer(const std::string& who,
                                  std::uint64_t steps_before);
  void on_config(const config_changed& change);
  void on_network();
  void stop_steering();
  steering_status status();

  /// Tells the recorder, where logs are wanted.
  void record(const ntp::source_report& report, const ntp::clock_reading& now);
  template <class Message>
  void record(Message message);
  void carry_out(const ntp::steering_actions& actions);
  void set_frequency(const ntp::set_frequency& wish);
  void step(const ntp::step_clock& wish);
  void set_status(const ntp::set_clock_status& wish);
  void check_foreign_hand(const ntp::clock_reading& now);
  void apply_leap_list(const ntp::clock_reading& now);
  void tell_poll_wish(ntp::source_id id);
  /// After each event: tells servers the time, saves, arms the timer.
  void settle();
  void tell_time(const ntp::clock_reading& now);
  /// Where the clock is read-only: keeps the record of it.
  void watch_clock(const ntp::clock_reading& now);
  void save(const ntp::clock_reading& now);

  config::shared_config config_;
  ntp::steering machine_;
  wiring peers_;
  std::map<ntp::source_id, source_entry> sources_;
  std::map<caf::actor_addr, ntp::source_id> by_address_;
  std::shared_ptr<const ntp::leap_list> leap_list_;
  std::optional<ntp::frequency> frequency_set_; ///< what the clock took
  bool slewing_ = false;
  ntp::frequency base_;
  std::uint32_t unwritten_ = 0;  ///< sent to the recorder
  std::uint64_t unrecorded_ = 0; ///< not even sent, as there were too many
  bool stopping_ = false;
  bool clock_was_set_ = false; ///< the supervisor was told
  ntp::mono_time next_save_;
  ntp::clock_record record_; ///< of a clock that is read-only
  ntp::mono_time next_look_; ///< at that clock
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
