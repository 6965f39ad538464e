#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concert::platform {

enum class tls_state : std::uint8_t {
  handshaking,
  open,
  peer_closed, ///< the peer has sent close_notify; we may still write
  failed,      ///< for good: see `tls_session::failure`
};

/// What kind of failure, for counters.
enum class tls_fault : std::uint8_t {
  none,
  version,     ///< the peer has no TLS 1.3
  application, ///< the peer does not agree on NTS-KE (ALPN)
  certificate, ///< the peer's is not for its name, not trusted, or out of time
  refused,     ///< the peer ended it by an alert
  cut_off,     ///< the connection ended without close_notify
  too_much,    ///< more than we keep at once
  protocol,    ///< no TLS, or not as it should be
};

constexpr std::size_t tls_fault_count
  = static_cast<std::size_t>(tls_fault::protocol) + 1;
/// Its name for counters, "cut-off".
std::string_view to_string(tls_fault fault);

struct tls_failure {
  tls_fault fault = tls_fault::none;
  std::string text; ///< a sentence for people

  friend bool operator==(const tls_failure&, const tls_failure&) = default;
};

/// One side of a TLS 1.3 connection that speaks NTS-KE (RFC 8915 §3), without a
/// socket: what arrived goes into `feed`, what `take_output` gives goes out.
/// Neither blocks nor reads a clock. What it keeps is bounded; a deadline is
/// the owner's business. Belongs to one thread at a time.
class tls_session {
public:
  /// Octets that wait for `read`, and for `take_output`, at most. A peer that
  /// sends more before the owner reads has failed.
  static constexpr std::size_t buffer_limit = std::size_t{64} * 1024;

  virtual ~tls_session() = default;

  virtual tls_state state() const = 0;
  /// Why the state is `failed`.
  virtual const tls_failure& failure() const = 0;

  /// Takes what came from the network, in pieces of any size. There may be
  /// output after it in every state, and more to read. Nothing is taken any
  /// more once the peer has closed or the session has failed.
  virtual void feed(std::span<const std::byte> bytes) = 0;
  /// The peer ended the connection. A failure, unless it had said so in TLS.
  virtual void end_of_input() = 0;
  /// What must be sent now, in full and in order; a failed session may have an
  /// alert to send. A client has output from the start.
  virtual std::vector<std::byte> take_output() = 0;

  /// The plaintext that has arrived and is authentic, also after the end.
  virtual std::vector<std::byte> read() = 0;
  /// Encrypts. False, and nothing happens, before the handshake is done, after
  /// `close`, after a failure, or beyond `buffer_limit`.
  virtual bool write(std::span<const std::byte> plaintext) = 0;
  /// Says to the peer that we write no more (close_notify); we go on reading.
  virtual void close() = 0;

  /// Keying material (RFC 8446 §7.5), the same on both sides for the same label
  /// and context. False, and zeros, before the handshake is done and after a
  /// failure.
  virtual bool export_key(std::string_view label,
                          std::span<const std::byte> context,
                          std::span<std::byte> out)
    = 0;
};

} // namespace concert::platform
