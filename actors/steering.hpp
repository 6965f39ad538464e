#pragma once

#include "actors/actor_base.hpp"
#include "ntp_core/discipline/steering.hpp"

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
  void on_config(const config_changed& change);
  void on_network();
  void stop_steering();
  steering_status status();

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
  bool stopping_ = false;
  bool clock_was_set_ = false; ///< the supervisor was told
  ntp::mono_time next_save_;
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
