#pragma once

#include "actors/ke_channel.hpp"
#include "actors/simulation/random.hpp"
#include "actors/simulation/simulated_key_exchange.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/ke_server.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace concert::actors {

/// A server of key exchange in the simulated network, with faults that one may
/// have. It answers in no time. All fields may be changed while it runs.
class simulated_ke_server {
public:
  /// What it makes of AEAD 30's number (`ntp::exporter_context`): programs of
  /// before record 1024 do not say.
  enum class number_use : std::uint8_t { agreed, silent_other, silent_own };

  ntp::ke_server_config config;
  /// Of the NTP server, too; null: it has trouble of its own.
  std::shared_ptr<const ntp::cookie_keys> keys;
  /// A pool: the NTP servers that it gives, the first that is not denied.
  std::vector<std::string> members;
  bool heeds_denials = true;
  bool stalls = false;     ///< never answers
  bool no_cookies = false; ///< answers, but gives none
  number_use own_number = number_use::agreed;

  /// Listens at once. The network must not use it longer than it lives.
  simulated_ke_server(simulated_key_exchange& network,
                      const std::string& endpoint, std::uint64_t seed = 1);

  /// What clients said so far, each a whole request.
  const std::vector<std::vector<std::byte>>& requests() const {
    return requests_;
  }
  /// The names that the request denies.
  static std::vector<std::string> denials(std::span<const std::byte> request);

private:
  using talks = std::list<std::unique_ptr<ke_channel>>;

  void serve(std::unique_ptr<ke_channel> channel);
  void answer(ke_channel& channel, std::span<const std::byte> request);
  std::vector<std::byte> response(ke_channel& channel,
                                  std::span<const std::byte> request);
  std::vector<std::byte> cookies(ke_channel& channel,
                                 const ntp::ke_cookies_wanted& wanted);

  std::unique_ptr<ntp::aead_cipher> cipher_;
  seeded_random nonces_;
  talks talks_;
  std::vector<std::vector<std::byte>> requests_;
};

} // namespace concert::actors
