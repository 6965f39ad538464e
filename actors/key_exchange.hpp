#pragma once

#include "actors/runtime.hpp"
#include "config/config.hpp"
#include "ntp_core/nts/cookie_jar.hpp"
#include "ntp_core/nts/ke_client.hpp"

#include <tl/expected.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::actors {

struct key_exchange_options {
  config::host_port server; ///< of the exchange
  std::vector<std::filesystem::path> certificate_authorities;
  /// When its certificate must be valid (since 1970); absent: always.
  std::optional<std::chrono::seconds> judged_at;
  ntp::ke_client_config client;
  /// Of the addresses that the NTP server's own name may have, the best one.
  std::optional<ntp::ip_address> preferred;
  /// Of the addresses of the exchange, the one to try last: it gave us a server
  /// that is silent now.
  std::optional<ntp::ip_address> avoided;
};

/// One exchange of keys as a client (RFC 8915 §4): resolves the names, speaks
/// with the server, and derives the keys. It ends in limited time, and early
/// and in silence by its destruction. Belongs to the event loop.
class key_exchange : public std::enable_shared_from_this<key_exchange> {
public:
  using outcome = tl::expected<exchanged_keys, std::string>;
  /// Told once, maybe from inside of `start` or `resume`; it must not destroy
  /// the exchange.
  using listener = std::function<void(outcome)>;

  /// No more addresses are tried, so that it ends.
  static constexpr std::size_t most_addresses = 4;

  static std::shared_ptr<key_exchange>
  start(runtime& world, key_exchange_options options, listener done);
  /// With what an earlier run had left: only finds the NTP server.
  static std::shared_ptr<key_exchange> resume(runtime& world,
                                              key_exchange_options options,
                                              ntp::cookie_jar jar,
                                              listener done);

private:
  key_exchange(runtime& world, key_exchange_options options, listener done);

  void resolve(const std::string& host,
               void (key_exchange::*then)(std::vector<ntp::ip_address>));
  void on_host(std::vector<ntp::ip_address> addresses);
  void try_next_address(const std::string& problem);
  void on_channel(std::unique_ptr<ke_channel> channel);
  void on_ready();
  void on_received(std::span<const std::byte> plaintext);
  void on_peer_finished();
  void on_ended(const ke_channel_end& end);
  void on_result(ntp::ke_result result);
  std::optional<ntp::session_keys> derive(ntp::aead_id aead, bool own_number);
  void on_server(std::vector<ntp::ip_address> addresses);
  void succeed();
  void fail(std::string problem);

  /// `f(*this, …)`, if it still is to be then.
  template <class F>
  auto guarded(F f);

  runtime& world_;
  key_exchange_options options_;
  listener done_;
  ntp::ke_client client_;
  std::vector<ntp::ip_address> addresses_; ///< of the server of the exchange
  std::size_t next_address_ = 0;
  std::unique_ptr<ke_channel> channel_;
  bool connected_ = false; ///< TLS is done
  bool exchanged_ = false; ///< the answer is there: only its end is missing
  bool over_ = false;
  exchanged_keys keys_;
};

} // namespace concert::actors
