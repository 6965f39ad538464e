#pragma once

#include "actors/actor_registry.hpp"
#include "actors/ke_channel.hpp"
#include "actors/messages.hpp"
#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/discipline/discipline.hpp"
#include "ntp_core/time/random.hpp"
#include "ntp_core/time/time.hpp"
#include "platform/clock.hpp"
#include "platform/error.hpp"
#include "platform/resolver.hpp"
#include "platform/socket.hpp"
#include "platform/tls_server.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace caf {
class execution_unit;
}

/// The world as the actors see it. The daemon gives them the real one, tests
/// and the simulator a virtual one: the actors are the same.
namespace concert::actors {

/// One cancellable timer. `fire` runs on the event loop and must only send a
/// message. Usable from any thread.
class timer {
public:
  virtual ~timer() = default;
  /// Replaces what was armed before. An instant that has passed fires soon.
  virtual void arm(ntp::mono_time when) = 0;
  virtual void cancel() = 0;
};

/// The socket of one poll of a source.
class poll_socket {
public:
  virtual ~poll_socket() = default;
  virtual platform::result<void> send(std::span<const std::byte> bytes) = 0;
  virtual std::optional<platform::kernel_stamp> take_transmit_stamp() = 0;
  virtual platform::result<platform::client_socket::arrival>
  receive(std::span<std::byte> buffer) = 0;
  /// Calls back once when there is something to read, on the event loop.
  virtual void notify_readable() = 0;
};

/// The socket of one worker for one listen address.
class server_port {
public:
  using request = platform::server_socket::request;
  using queued = platform::server_socket::queued;
  using transmitted = platform::server_socket::transmitted;

  virtual ~server_port() = default;
  /// The descriptor to park on; -1 in simulation.
  virtual int fd() const = 0;
  virtual ntp::endpoint local() const = 0;
  virtual std::span<request> receive() = 0;
  virtual std::span<std::byte> reply_buffer(std::size_t i) = 0;
  virtual void queue_reply(std::size_t i, std::size_t size,
                           std::optional<std::uint64_t> stamp_tag)
    = 0;
  virtual std::span<queued> queued_replies() = 0;
  virtual std::span<const std::size_t> flush() = 0;
  virtual std::span<const transmitted> take_transmit_stamps() = 0;
  virtual std::uint64_t overflows() const = 0;
  /// Whether the interface that it was bound to is gone or another by now.
  virtual bool is_stale() const = 0;
};

/// The observation socket: gives each connection one document.
class observation_port {
public:
  virtual ~observation_port() = default;
};

/// The control socket: hands out requests and writes their answers.
class control_port {
public:
  virtual ~control_port() = default;
};

/// A connection to an NTS-KE server that is wanted.
struct ke_connection {
  std::string host; ///< that its certificate must be for
  ntp::endpoint address;
  /// PEM files, trusted besides the system's roots.
  std::vector<std::filesystem::path> certificate_authorities;
  /// When its certificate must be valid (since 1970); absent: always.
  std::optional<std::chrono::seconds> judged_at;
  std::chrono::milliseconds limit{std::chrono::seconds{5}}; ///< for all of it
};

class runtime {
public:
  virtual ~runtime() = default;

  virtual ntp::mono_time now() const = 0;
  virtual std::unique_ptr<timer> make_timer(std::function<void()> fire) = 0;
  /// The same, but `fire` runs on the control loop.
  virtual std::unique_ptr<timer>
  make_control_timer(std::function<void()> fire) {
    return make_timer(std::move(fire));
  }
  virtual std::unique_ptr<ntp::random_source> make_random() = 0;
  virtual platform::clock& clock() = 0;

  virtual platform::result<std::unique_ptr<poll_socket>>
  open_poll_socket(const ntp::endpoint& server,
                   std::function<void()> on_readable)
    = 0;
  /// `on_readable` is called in simulation only, where nobody parks.
  virtual platform::result<std::unique_ptr<server_port>>
  open_server_port(const ntp::endpoint& listen,
                   const server_port_options& options,
                   std::function<void()> on_readable)
    = 0;
  virtual platform::result<std::unique_ptr<observation_port>>
  open_observation_port(const std::string& path, std::uint32_t mode,
                        std::function<void(document_sink)> on_reader)
    = 0;

  /// Rights, size and rate have been checked when `on_request` is called.
  virtual platform::result<std::unique_ptr<control_port>>
  open_control_port(const config::control_config& config,
                    std::function<void(control_received)> on_request)
    = 0;

  /// Calls back once, on the event loop.
  virtual void resolve(const std::string& host,
                       platform::resolver::callback done)
    = 0;

  /// For one thread. `unavailable` if the library refuses the ciphers.
  virtual platform::result<std::unique_ptr<ntp::aead_cipher>> make_cipher() = 0;
  /// Unpredictable numbers at a high rate, for one thread.
  virtual platform::result<std::unique_ptr<ntp::random_source>> make_nonces()
    = 0;

  using ke_connected
    = std::function<void(platform::result<std::unique_ptr<ke_channel>>)>;
  /// For actors on the event loop. Calls back once, there and later, with a
  /// channel to start, or with why there can be none: authorities that cannot
  /// be read, most likely.
  virtual void connect_ke(ke_connection wish, ke_connected done) = 0;
  /// For actors on the loop of the key exchange.
  virtual platform::result<std::unique_ptr<ke_listener>>
  listen_ke(const ke_listener_options& options, ke_listener_events events) = 0;
  virtual platform::result<std::shared_ptr<const platform::tls_server>>
  load_certificates(std::span<const platform::certificate_files> pairs) = 0;

  /// The filters of a steering that starts; the simulator compares others.
  virtual std::unique_ptr<ntp::discipline> make_discipline() {
    return ntp::make_discipline();
  }

  /// The most receive queues of any network interface; 0 = not known.
  virtual std::size_t receive_queues() const = 0;
  virtual std::vector<ntp::ip_address> own_addresses() const = 0;
  virtual bool is_on_link(const ntp::ip_address& address) const = 0;
  virtual bool has_route(const ntp::ip_address& address) const = 0;
  /// Calls back on each change of addresses, links and routes; one listener.
  virtual void on_network_change(std::function<void()> changed) = 0;
  /// Calls back with SIGTERM, SIGINT and SIGHUP; one listener.
  virtual void on_signal(std::function<void(int)> received) = 0;

  /// Where actors with sockets run; null = in the pool (simulation).
  virtual caf::execution_unit* event_loop() = 0;
  /// Where the servers of key exchange run: each of their handshakes takes a
  /// millisecond of computing. A thread that starts when it is asked for first;
  /// null = in the pool (simulation).
  virtual caf::execution_unit* key_exchange_loop() = 0;
  /// Where the observation and control sockets are, so that an actor that hangs
  /// on the event loop can still be seen. The same otherwise.
  virtual caf::execution_unit* control_loop() = 0;
  /// Whether actors may have threads of their own.
  virtual bool threads() const = 0;

  actor_registry& registry() { return registry_; }
  /// A number never given before in this process.
  std::uint64_t next_id() { return ++last_id_; }

private:
  actor_registry registry_;
  std::atomic<std::uint64_t> last_id_{0};
};

} // namespace concert::actors
