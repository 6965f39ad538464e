#pragma once

#include "actors/actor_base.hpp"
#include "actors/ke_service.hpp"

#include <memory>

namespace concert::actors {

struct nts_ke_server_options {
  config::nts_ke_server_config config;
};

/// One `[[nts-ke-server]]`: its socket, its certificates, and its counters.
class nts_ke_server final
  : public actor_base<nts_ke_server_actor, placement::key_exchange> {
public:
  nts_ke_server(caf::actor_config& cfg, runtime& rt,
                const nts_ke_server_options& options);

  behavior_type make_behavior() override;

private:
  void stopped() override;
  void arm_timer() { timer_->arm(service_->next_deadline()); }

  /// Its channels tell it what happens on the thread of this actor, outside of
  /// messages.
  std::unique_ptr<ke_service> service_;
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
