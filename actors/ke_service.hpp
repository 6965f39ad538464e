#pragma once

#include "actors/ke_certificates.hpp"
#include "actors/ke_conversation.hpp"
#include "actors/runtime.hpp"
#include "ntp_core/access/rate_limit.hpp"
#include "platform/log.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace concert::actors {

/// What an NTS-KE server does: listens, chooses whom it serves, and counts. All
/// on the thread of its channels.
class ke_service {
public:
  ke_service(runtime& rt, const config::nts_ke_server_config& config);

  void start();
  /// The address is the same as before.
  void set_config(const config::nts_ke_server_config& config);
  /// Null: no cookies can be made.
  void set_keys(std::shared_ptr<const ntp::cookie_keys> keys) {
    common_.keys = std::move(keys);
  }
  /// Reads the certificates again.
  void reload() { certificates_.load(); }
  /// Does what is due; to be called at `next_deadline()`.
  void on_deadline();
  ntp::mono_time next_deadline() const;
  ctl::nts_ke_server_status status() const;

private:
  void apply_config();
  void make_ciphers();
  void listen();
  bool admit(const ntp::endpoint& client);
  bool make_room();
  std::unique_ptr<platform::tls_session> make_session();
  void serve(std::unique_ptr<ke_channel> channel);
  void warn(const std::string& cause);
  std::string problem() const;

  runtime& rt_;
  config::nts_ke_server_config config_;
  ke_certificates certificates_;
  ntp::mono_time certificates_at_{};
  std::uint64_t rate_key_; ///< so that nobody can choose who shares a bucket
  ntp::rate_limiter rate_;
  ke_common common_;
  std::string cipher_problem_;
  std::map<std::uint64_t, ke_conversation> connections_;
  std::uint64_t accepted_ = 0;
  std::uint64_t rate_limited_ = 0;
  std::uint64_t too_many_ = 0;
  platform::log::limiter warnings_;

  std::unique_ptr<ke_listener> listener_; ///< null: none could be opened
  std::string listen_problem_;
  ntp::mono_time listen_at_{}; ///< while there is none
  std::chrono::seconds retry_{1};
};

} // namespace concert::actors
