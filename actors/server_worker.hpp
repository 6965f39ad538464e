#pragma once

#include "actors/actor_base.hpp"
#include "actors/parking.hpp"
#include "ntp_core/responder/responder.hpp"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace concert::actors {

/// The packet loop of one core. Packets never enter the mailbox: each message
/// to itself handles one batch of each socket, so that control messages come
/// in between; with nothing to do, the thread parks on the sockets.
class server_worker final
  : public actor_base<worker_actor, placement::detached> {
public:
  server_worker(caf::actor_config& cfg, runtime& rt, std::uint32_t index);

  behavior_type make_behavior() override;

  using actor_base::enqueue;
  void enqueue(caf::mailbox_element_ptr p, caf::execution_unit* eu) override;

private:
  struct port {
    ntp::endpoint listen;
    std::unique_ptr<server_port> socket; ///< null: see `problem`
    std::string problem;
    ntp::responder responder;
  };

  void stopped() override;
  void on_open(const open_port& wish);
  void on_close(server_id id);
  void on_time(const ntp::served_time& time);
  void on_batch();
  std::size_t serve(port& p);
  void look_for_step();
  port_report report(server_id id);
  void continue_loop();

  std::map<server_id, port> ports_;
  std::optional<ntp::served_time> time_;
  std::uint64_t hash_key_;
  std::uint64_t steps_seen_;
  std::optional<parking> parking_; ///< not in simulation
  std::vector<int> fds_;           ///< of all open ports, to park on
};

} // namespace concert::actors
