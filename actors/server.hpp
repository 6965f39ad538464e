#pragma once

#include "actors/actor_base.hpp"

#include <memory>
#include <vector>

namespace concert::actors {

struct server_options {
  server_id id;
  config::server_config config;
};

/// One `[[server]]`: its address and policy at all workers, and their counters
/// added up.
class server final : public actor_base<server_actor> {
public:
  server(caf::actor_config& cfg, runtime& rt, server_options options);

  behavior_type make_behavior() override;

private:
  using status_promise = caf::typed_response_promise<ctl::server_status>;

  void stopped() override;
  void on_config();
  void open_ports();
  server_port_options port_options();
  void check_port(const port_report& report);
  status_promise on_status(const get_server_status& ask);

  server_options options_;
  std::vector<worker_actor> workers_;
  /// Made when the configuration changes: long lists take their time.
  ntp::access_table access_;
  std::chrono::seconds retry_{1};
  bool complained_ = false;
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
