#pragma once

#include "actors/simulation/event_queue.hpp"
#include "actors/simulation/random.hpp"
#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/responder/responder.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace concert::actors {

/// Somebody in the simulated network who may answer requests.
class simulated_server {
public:
  virtual ~simulated_server() = default;

  /// The reply to a request that arrives at `now`, if there is one.
  virtual std::optional<std::vector<std::byte>>
  answer(std::span<const std::byte> request, const ntp::endpoint& client,
         true_time now)
    = 0;
};

/// An NTP server of the core's making, with every fault that one may have. It
/// answers in no time. All fields may be changed while it runs.
class time_server final : public simulated_server {
public:
  double error_s = 0;   ///< its clock − truth
  double frequency = 0; ///< by which the error grows, ratio
  bool silent = false;
  bool synchronized = true;
  bool bogus_origin = false; ///< answers what nobody asked
  std::uint32_t kiss = 0;    ///< code of the kiss that it answers; 0 = none
  std::uint8_t stratum = 1;
  std::uint32_t reference_id = ntp::code_of("GPS\0");
  ntp::leap_indicator leap = ntp::leap_indicator::none;
  double root_delay_s = 0;
  double root_dispersion_s = 10e-6;

  /// How often it was asked, and when last.
  std::uint64_t asked() const { return asked_; }
  true_time last_asked() const { return last_asked_; }

  time_server();

  /// What its cookies are sealed with; null: it knows nothing of NTS, as at
  /// first.
  void set_nts_keys(std::shared_ptr<const ntp::cookie_keys> keys);

  std::optional<std::vector<std::byte>>
  answer(std::span<const std::byte> request, const ntp::endpoint& client,
         true_time now) override;

private:
  ntp::ntp_timestamp clock(true_time now) const;
  ntp::served_time served(true_time now) const;
  void spoil(std::span<std::byte> reply) const;

  std::unique_ptr<ntp::aead_cipher> cipher_; ///< null: without NTS
  seeded_random nonces_{2};
  ntp::responder responder_;
  std::uint64_t asked_ = 0;
  true_time last_asked_{};
};

} // namespace concert::actors
