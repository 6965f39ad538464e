#pragma once

#include "actors/actor_base.hpp"
#include "actors/stuck_watch.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace concert::actors {

/// Answers what the daemon's state is: collects it from those who own it and
/// gives each reader of the observation socket one document. Passes what is
/// asked at the control socket to those who can do it.
class publisher final : public actor_base<publisher_actor, placement::control> {
public:
  /// `started`: since when the daemon is up.
  publisher(caf::actor_config& cfg, runtime& rt,
            const config::shared_config& config, ntp::mono_time started);

  behavior_type make_behavior() override;

private:
  struct collection;

  void stopped() override;
  void look();
  void on_config(const config_changed& change);
  void open_port();
  void open_control_port();
  void on_control(const control_received& received);
  void ask_config_manager(const control_received& received);
  template <class Wish>
  void ask_steering(const control_received& received, Wish wish);
  ctl::control_answer burst(const std::string& source);
  void follow(const control_received& received);
  /// Collects a document and calls back with it.
  void collect(document_sink done);
  void collect_nts(const std::shared_ptr<collection>& all,
                   const std::function<void()>& count_down);

  config::observability_config config_;
  config::control_config control_;
  std::unique_ptr<observation_port> port_;
  std::unique_ptr<control_port> control_port_;
  wiring peers_;
  ntp::mono_time started_;
  steering_status last_status_; ///< shown while the steering does not answer
  std::vector<caf::actor> followers_; ///< of traces, ended ones among them
  stuck_watch stuck_watch_{watched::all_but_control};
  std::unique_ptr<timer> timer_; ///< of the next look
};

} // namespace concert::actors
