#pragma once

#include "actors/event_loop.hpp"
#include "actors/loop_thread.hpp"
#include "actors/runtime.hpp"
#include "actors/server_ports.hpp"
#include "platform/network.hpp"
#include "platform/tls_client.hpp"

#include <asio.hpp>

#include <map>
#include <memory>
#include <vector>

namespace concert::actors {

/// The machine: an Asio event loop, kernel sockets, the DNS.
class real_runtime final : public runtime {
public:
  real_runtime(asio::io_context& io, platform::clock& clock);
  ~real_runtime() override;

  /// Actors can run only once there is a system.
  void attach(caf::actor_system& system);

  ntp::mono_time now() const override;
  std::unique_ptr<timer> make_timer(std::function<void()> fire) override;
  std::unique_ptr<timer>
  make_control_timer(std::function<void()> fire) override;
  std::unique_ptr<ntp::random_source> make_random() override;
  platform::clock& clock() override { return clock_; }
  platform::result<std::unique_ptr<poll_socket>>
  open_poll_socket(const ntp::endpoint& server,
                   std::function<void()> on_readable) override;
  platform::result<std::unique_ptr<server_port>>
  open_server_port(const ntp::endpoint& listen,
                   const server_port_options& options,
                   std::function<void()> on_readable) override;
  platform::result<std::unique_ptr<ntp::aead_cipher>> make_cipher() override;
  platform::result<std::unique_ptr<ntp::random_source>> make_nonces() override;
  void connect_ke(ke_connection wish, ke_connected done) override;
  platform::result<std::unique_ptr<ke_listener>>
  listen_ke(const ke_listener_options& options,
            ke_listener_events events) override;
  platform::result<std::shared_ptr<const platform::tls_server>>
  load_certificates(
    std::span<const platform::certificate_files> pairs) override;
  std::size_t receive_queues() const override;
  platform::result<std::unique_ptr<observation_port>>
  open_observation_port(const std::string& path, std::uint32_t mode,
                        std::function<void(document_sink)> on_reader) override;
  platform::result<std::unique_ptr<control_port>>
  open_control_port(const config::control_config& config,
                    std::function<void(control_received)> on_request) override;
  void resolve(const std::string& host,
               platform::resolver::callback done) override;
  std::vector<ntp::ip_address> own_addresses() const override;
  bool is_on_link(const ntp::ip_address& address) const override;
  bool has_route(const ntp::ip_address& address) const override;
  void on_network_change(std::function<void()> changed) override;
  void on_signal(std::function<void(int)> received) override;
  caf::execution_unit* event_loop() override { return loop_.get(); }
  caf::execution_unit* key_exchange_loop() override;
  caf::execution_unit* control_loop() override;
  bool threads() const override { return true; }

private:
  class names;
  using authorities = std::vector<std::filesystem::path>;
  using tls_client
    = platform::result<std::shared_ptr<const platform::tls_client>>;
  /// Reading all the roots of the system takes 50 ms.
  struct known_client {
    std::shared_ptr<const platform::tls_client> client;
    ntp::mono_time read;
  };

  loop_thread& key_exchange();
  loop_thread& control();
  void start_ke(const ke_connection& wish, const tls_client& client,
                const ke_connected& done);

  void wait_for_signal();
  void wait_for_network();

  asio::io_context& io_;
  platform::clock& clock_;
  caf::actor_system* system_ = nullptr;
  std::unique_ptr<actors::event_loop> loop_;
  platform::result<platform::stamping_keeper> stamping_;
  std::unique_ptr<names> names_;
  server_ports server_ports_;
  asio::signal_set signals_;
  std::function<void(int)> on_signal_;
  std::optional<platform::network_monitor> monitor_;
  asio::posix::stream_descriptor monitor_wait_;
  std::function<void()> on_network_change_;
  std::map<authorities, known_client> tls_clients_;
  std::unique_ptr<loop_thread> key_exchange_; ///< null until needed
  std::unique_ptr<loop_thread> control_;      ///< the same
};

} // namespace concert::actors
