#pragma once

#include "actors/actor_base.hpp"
#include "ntp_core/association/association.hpp"

#include <array>
#include <memory>
#include <optional>

namespace concert::actors {

/// What a source with NTS needs besides.
struct source_nts {
  std::shared_ptr<ntp::aead_cipher> cipher; ///< of the event loop
  ntp::nts_credentials credentials;         ///< to start with
  nts_spawner_actor spawner;                ///< the parent
};

struct source_options {
  ntp::source_registration registration;
  ntp::association_config association;
  std::chrono::nanoseconds start_delay{};
  std::optional<source_nts> nts;
};

/// One remote server. Moves bytes and stamps between a socket and the core's
/// `association`, and carries out what it asks for.
class source final : public actor_base<source_actor, placement::event_loop> {
public:
  source(caf::actor_config& cfg, runtime& rt, source_options options,
         spawner_actor parent);

  behavior_type make_behavior() override;

private:
  void stopped() override;
  void on_wiring(const wiring& w);
  void on_reconfigured(const source_reconfigured& change);
  void on_burst_wanted();
  void on_deadline();
  void on_readable(readable which);
  void read_datagrams();
  void send_request(const ntp::send_packet& packet);
  void carry_out(const ntp::association_actions& actions);
  /// Tells the spawner what is left of the credentials.
  void report_cookies(bool answered);
  void log_event(ntp::association_event event);
  void log_kiss(std::string_view code);
  void report(std::optional<ntp::measurement> sample);
  void rearm();

  source_options options_;
  spawner_actor spawner_;
  steering_actor steering_;
  std::unique_ptr<ntp::random_source> random_;
  ntp::association machine_;
  std::unique_ptr<timer> timer_;
  std::unique_ptr<poll_socket> socket_;
  std::uint64_t generation_ = 0;           ///< of `socket_`
  std::optional<ntp::measurement> sample_; ///< goes out with the next report
  platform::log::limiter kiss_log_{std::chrono::minutes{1}};
  /// Longer than any answer that means something.
  std::array<std::byte, ntp::nts_client::longest_request + 1> buffer_;
};

} // namespace concert::actors
