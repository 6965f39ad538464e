#pragma once

#include "actors/actor_base.hpp"
#include "actors/parking.hpp"
#include "actors/stamp_ledger.hpp"
#include "ntp_core/responder/responder.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace concert::actors {

struct worker_options {
  std::uint32_t index = 0;
  bool pin = false; ///< stay on one core
};

/// The packet loop of one core. Packets never enter the mailbox: each message
/// to itself handles some batches of each socket, and ends early for a control
/// message; with little to do, the thread parks on the sockets.
class server_worker final
  : public actor_base<worker_actor, placement::detached> {
public:
  server_worker(caf::actor_config& cfg, runtime& rt, worker_options options);

  behavior_type make_behavior() override;

  using actor_base::enqueue;
  void enqueue(caf::mailbox_element_ptr p, caf::execution_unit* eu) override;
  void initialize() override;

private:
  struct port {
    ntp::endpoint listen;
    server_port_options options;
    std::unique_ptr<server_port> socket; ///< null: see `problem`
    std::string problem;
    ntp::responder responder;
    stamp_ledger stamps;
  };

  /// To the requests of a batch.
  using replies = std::array<ntp::reply, platform::server_socket::batch_size>;

  void stopped() override;
  void prepare_nts();
  void on_keys(const cookie_keys_changed& changed);
  void on_open(const open_port& wish);
  void open_socket(port& p);
  void close_socket(port& p);
  void on_close(server_id id);
  void on_time(const ntp::served_time& time);
  void on_batch();
  void serve_all();
  std::size_t serve(port& p);
  void answer(port& p, std::span<const server_port::request> requests);
  void send_group(port& p, replies& replies, std::size_t begin,
                  std::size_t end);
  void stamp_queued(port& p, replies& replies);
  void learn_transmit_stamps(port& p);
  void look_for_step();
  port_report report(const get_port_report& ask);
  void continue_loop();

  worker_options options_;
  std::unique_ptr<ntp::aead_cipher> cipher_; ///< null: no NTS
  std::unique_ptr<ntp::random_source> nonces_;
  std::shared_ptr<const ntp::cookie_keys> cookie_keys_;
  std::map<server_id, port> ports_;
  std::optional<ntp::served_time> time_;
  std::uint64_t hash_key_;
  std::uint64_t steps_seen_;
  std::optional<parking> parking_; ///< not in simulation
  std::vector<int> fds_;           ///< of all open ports, to park on
  std::size_t last_handled_ = 0;   ///< requests in the last batches
};

} // namespace concert::actors
