#pragma once

#include "actors/actor_base.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace concert::actors {

/// Answers what the daemon's state is: collects it from those who own it and
/// gives each reader of the observation socket one document.
class publisher final
  : public actor_base<publisher_actor, placement::event_loop> {
public:
  publisher(caf::actor_config& cfg, runtime& rt,
            config::observability_config config);

  behavior_type make_behavior() override;

private:
  struct collection;

  void stopped() override;
  void on_config(const config_changed& change);
  void open_port();
  /// Collects a document and calls back with it.
  void collect(document_sink done);
  void collect_nts(const std::shared_ptr<collection>& all,
                   const std::function<void()>& count_down);

  config::observability_config config_;
  std::unique_ptr<observation_port> port_;
  wiring peers_;
  ntp::mono_time started_;
  steering_status last_status_; ///< shown while the steering does not answer
};

} // namespace concert::actors
