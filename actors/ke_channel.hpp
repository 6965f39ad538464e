#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "platform/tls_session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace concert::actors {

enum class ke_ending : std::uint8_t {
  finished,    ///< by `finish`: all that was sent is on its way
  unreachable, ///< there was no connection: refused, no route
  broken,      ///< the connection was lost, by a reset most often
  timed_out,   ///< not done in the time that it had
  tls,         ///< see `fault`
};

/// How a channel ended.
struct ke_channel_end {
  ke_ending how = ke_ending::finished;
  platform::tls_fault fault = platform::tls_fault::none; ///< with `tls` only
  std::string text; ///< a sentence for people; empty when it finished

  friend bool operator==(const ke_channel_end&, const ke_channel_end&)
    = default;
};

/// What a channel tells its owner, on the owner's thread, never from inside a
/// call of the owner and never after the channel's destruction. The owner may
/// call and destroy the channel from inside of them. Any may be empty.
struct ke_channel_events {
  std::function<void()> ready; ///< the handshake is done: send, export keys
  std::function<void(std::span<const std::byte> plaintext)> received;
  /// The peer writes no more and has said so; we still may. What is incomplete
  /// now stays so.
  std::function<void()> peer_finished;
  /// Once, and nothing after it. What came before that was received, unless
  /// the connection was lost.
  std::function<void(const ke_channel_end& end)> ended;
};

/// One TCP connection with TLS on it, which speaks NTS-KE (RFC 8915 §4), as its
/// owner sees it: plaintext. It has a limited time for all that it does, from
/// its start to its end. Its destruction closes the connection at once.
class ke_channel {
public:
  virtual ~ke_channel() = default;

  virtual const ntp::endpoint& peer() const = 0;

  /// Begins to connect, to read and to tell; the time counts from here. Once.
  virtual void start(ke_channel_events events) = 0;
  /// False, and nothing is sent, before it is ready, after `finish` or the end,
  /// or if more than `platform::tls_session::buffer_limit` would wait.
  virtual bool send(std::span<const std::byte> plaintext) = 0;
  /// Sends what is left and says that there is no more; then it ends, in a
  /// moment. What the peer sends from now on is dropped.
  virtual void finish() = 0;
  /// See `platform::tls_session::export_key`.
  virtual bool export_key(std::string_view label,
                          std::span<const std::byte> context,
                          std::span<std::byte> out)
    = 0;
  /// It has this much time from now on, in the place of what was left. Once it
  /// is ready, and before `finish`.
  virtual void extend(std::chrono::milliseconds limit) = 0;
};

/// Waits for those who connect, as long as it lives; its channels may outlive
/// it.
class ke_listener {
public:
  virtual ~ke_listener() = default;
  virtual const ntp::endpoint& local() const = 0;
};

/// What a listener asks and tells its owner, who may destroy it from inside of
/// them.
struct ke_listener_events {
  /// Whether this client is served; asked once for each that connects.
  std::function<bool(const ntp::endpoint& client)> admit;
  /// For a client that was admitted; null closes its connection.
  std::function<std::unique_ptr<platform::tls_session>()> make_session;
  /// A client that was admitted, with a session: to be kept, and started.
  std::function<void(std::unique_ptr<ke_channel> channel)> accepted;
  /// Nobody can be accepted for now, for want of descriptors most likely; it is
  /// tried again soon.
  std::function<void(const std::string& cause)> failed;
};

struct ke_listener_options {
  ntp::endpoint local;
  /// For a whole connection: handshake, exchange and end.
  std::chrono::milliseconds limit{std::chrono::seconds{5}};
};

} // namespace concert::actors
