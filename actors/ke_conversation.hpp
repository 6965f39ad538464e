#pragma once

#include "actors/ke_channel.hpp"
#include "ctl/status.hpp"
#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/ke_server.hpp"
#include "ntp_core/time/random.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace concert::actors {

/// What came of connections; see `ctl::nts_ke_server_status`.
struct ke_counters {
  std::uint64_t handshakes = 0;
  std::uint64_t exchanges = 0;
  std::uint64_t pool_exchanges = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t broken = 0;
  std::array<std::uint64_t, ntp::ke_errc_count> refusals{};
  std::array<std::uint64_t, platform::tls_fault_count> tls_failures{};
};

/// What the connections of one server have in common. It outlives them.
struct ke_common {
  /// For connections that begin.
  std::shared_ptr<const ntp::ke_server_config> config;
  /// To seal cookies with; without all three there are none.
  std::shared_ptr<const ntp::cookie_keys> keys;
  std::unique_ptr<ntp::aead_cipher> cipher;
  std::unique_ptr<ntp::random_source> nonces;
  /// Pools' connections that stay open between requests.
  std::uint32_t longlived = 0;
  std::uint32_t most_longlived = 0;
  ke_counters counters;
};

/// With one client of an NTS-KE server: reads its request, answers with
/// cookies, and counts what came of it. A pool may ask again and again.
class ke_conversation {
public:
  /// `over` is called once, in the end, and may destroy the object.
  ke_conversation(std::unique_ptr<ke_channel> channel, ke_common& common,
                  std::function<void()> over);
  ke_conversation(const ke_conversation&) = delete;
  ke_conversation& operator=(const ke_conversation&) = delete;
  ~ke_conversation();

  /// What is left is the goodbye, or a pool's next request.
  bool has_answered() const { return answered_; }

private:
  void on_received(std::span<const std::byte> bytes);
  void on_peer_finished();
  void on_ended(const ke_channel_end& end);
  ntp::ke_response give_cookies(const ntp::ke_cookies_wanted& wanted);
  std::optional<ntp::session_keys>
  session_keys_of(const ntp::ke_cookies_wanted& wanted);
  /// Whether the connection goes on.
  bool respond(const ntp::ke_response& response);
  bool keep_open();
  void refused(const ntp::ke_error& error);

  std::unique_ptr<ke_channel> channel_;
  ke_common& common_;
  std::function<void()> over_;
  ntp::ke_server server_;
  bool answered_ = false; ///< and counted: the end adds nothing to it
  bool longlived_ = false;
};

} // namespace concert::actors
