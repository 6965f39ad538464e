#pragma once

#include "actors/runtime.hpp"
#include "actors/simulation/event_queue.hpp"
#include "actors/simulation/random.hpp"
#include "actors/simulation/simulated_clock.hpp"
#include "actors/simulation/simulated_key_exchange.hpp"
#include "actors/simulation/simulated_network.hpp"
#include "actors/simulation/timer_queue.hpp"

#include <map>

namespace concert::actors {

/// A virtual machine in a virtual network, in virtual time: repeatable from a
/// seed. It outlives the daemons that run on it. All actors run in the pool of
/// one thread, which also lets time pass: `next`, `advance`, `run_one`.
class simulated_runtime final : public runtime {
public:
  using filters = std::function<std::unique_ptr<ntp::discipline>()>;

  simulated_runtime(std::uint64_t seed, const simulated_clock_options& clock,
                    filters make_filters = ntp::make_discipline);

  // -- the world as the actors see it -----------------------------------------

  ntp::mono_time now() const override { return clock_.mono(); }
  std::unique_ptr<timer> make_timer(std::function<void()> fire) override;
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
  platform::result<std::unique_ptr<ntp::random_source>> make_nonces() override {
    return make_random();
  }
  void connect_ke(ke_connection wish, ke_connected done) override;
  platform::result<std::unique_ptr<ke_listener>>
  listen_ke(const ke_listener_options& options,
            ke_listener_events events) override {
    return key_exchange_.listen(options, std::move(events));
  }
  /// Certificates that nobody looks at: there is no TLS here.
  platform::result<std::shared_ptr<const platform::tls_server>>
  load_certificates(
    std::span<const platform::certificate_files> pairs) override;
  std::size_t receive_queues() const override { return 0; }
  platform::result<std::unique_ptr<observation_port>>
  open_observation_port(const std::string& path, std::uint32_t mode,
                        std::function<void(document_sink)> on_reader) override;
  platform::result<std::unique_ptr<control_port>>
  open_control_port(const config::control_config& config,
                    std::function<void(control_received)> on_request) override;
  /// Sends a request as who connects to the control socket at `path` would;
  /// false if nobody listens there.
  bool control(const std::string& path, control_received request);
  void resolve(const std::string& host,
               platform::resolver::callback done) override;
  std::unique_ptr<ntp::discipline> make_discipline() override {
    return make_filters_();
  }
  std::vector<ntp::ip_address> own_addresses() const override;
  bool is_on_link(const ntp::ip_address& address) const override;
  bool has_route(const ntp::ip_address& address) const override;
  void on_network_change(std::function<void()> changed) override;
  void on_signal(std::function<void(int)> received) override;
  caf::execution_unit* event_loop() override { return nullptr; }
  caf::execution_unit* key_exchange_loop() override { return nullptr; }
  caf::execution_unit* control_loop() override { return nullptr; }
  bool threads() const override { return false; }

  // -- for those who make the world -------------------------------------------

  true_time time() const { return events_.now(); }
  simulated_clock& machine_clock() { return clock_; }
  simulated_network& network() { return network_; }
  simulated_key_exchange& key_exchange() { return key_exchange_; }
  /// Happens at a moment of true time, `delay` from now.
  void later(std::chrono::nanoseconds delay, std::function<void()> event);
  /// Addresses, links or routes have changed.
  void network_changes();
  void signal(int number);
  /// The machine sleeps; replies that arrive meanwhile are lost.
  void suspend(std::chrono::nanoseconds gap);
  /// The virtual machine stands still, and no clock of it knows; what arrives
  /// meanwhile waits.
  void pause(std::chrono::nanoseconds gap);
  /// Somebody connects to the observation socket; false if there is none.
  bool observe(const std::string& path, document_sink sink);
  /// The daemon is gone: what it left with the world goes too.
  void daemon_died();

  // -- for the one who lets time pass -----------------------------------------

  /// When something will happen next.
  std::optional<true_time> next() const;
  /// The true time at which the monotonic clock will show `when`, about.
  true_time time_of(ntp::mono_time when) const { return clock_.time_of(when); }
  /// Lets time pass; never beyond `next()`.
  void advance(true_time to) { events_.advance(to); }
  /// Lets one thing happen that is due now; false if there is none.
  bool run_one();

  /// A number made of all packets and all that was done to the clock, and when:
  /// the same for the same seed.
  std::uint64_t trace() const { return trace_; }

private:
  class port;
  class controls;

  void note(std::span<const std::byte> what);
  void note_clock();

  filters make_filters_;
  event_queue events_;
  timer_queue timers_;
  seeded_random seeds_;
  seeded_random chance_; ///< of the network
  simulated_clock clock_;
  simulated_network network_;
  simulated_key_exchange key_exchange_;
  std::function<void()> on_network_change_;
  std::function<void(int)> on_signal_;
  std::map<std::string, std::function<void(document_sink)>> readers_;
  std::map<std::string, std::function<void(control_received)>> controls_;
  std::uint64_t trace_ = 0;
  std::uint64_t traced_deeds_ = 0;
};

} // namespace concert::actors
