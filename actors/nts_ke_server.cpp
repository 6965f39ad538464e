#include "actors/nts_ke_server.hpp"

namespace concert::actors {

nts_ke_server::nts_ke_server(caf::actor_config& cfg, runtime& rt,
                             const nts_ke_server_options& options)
  : actor_base(cfg, rt, "nts_ke_server", options.config.listen.to_string()),
    service_(std::make_unique<ke_service>(rt, options.config)),
    timer_(make_deadline_timer()) {
}

nts_ke_server::behavior_type nts_ke_server::make_behavior() {
  service_->start();
  arm_timer();
  return {
    [](const wiring&) {
      // The keyset hears of it too, and sends the keys.
    },
    [this](deadline) {
      service_->on_deadline();
      arm_timer();
    },
    [this](reload) { service_->reload(); },
    [this](const nts_ke_server_config_changed& c) {
      service_->set_config(c.config);
      arm_timer();
    },
    [this](const cookie_keys_changed& c) {
      service_->set_keys(c.keys);
      return cookie_keys_taken{};
    },
    [this](get_nts_ke_server_status) { return service_->status(); },
  };
}

void nts_ke_server::stopped() {
  timer_.reset();
  service_.reset();
}

} // namespace concert::actors
