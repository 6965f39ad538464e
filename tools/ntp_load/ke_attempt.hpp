#pragma once

#include "ntp_core/nts/ke_client.hpp"
#include "ntp_core/nts/session_keys.hpp"
#include "platform/socket.hpp"
#include "platform/tls_client.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::load {

/// An NTS-KE server.
struct ke_target {
  ntp::endpoint address;
  std::string name; ///< that its certificate must be for
  std::shared_ptr<const platform::tls_client> tls;
};

/// What a key exchange gave.
struct nts_session {
  ntp::session_keys keys;
  std::vector<ntp::secret_bytes> cookies;
};

/// One key exchange with a server (RFC 8915 §4), on a connection of its own,
/// which never blocks. Ends with the object.
class ke_attempt {
public:
  /// Nothing takes longer.
  static constexpr std::chrono::seconds limit{5};

  /// Why it came to nothing, in a few words.
  using failure = std::string;

  /// Begins to connect.
  static tl::expected<ke_attempt, failure> start(const ke_target& target,
                                                 std::chrono::nanoseconds now);

  int fd() const { return fd_.get(); }
  /// What `poll` shall wait for.
  short events() const;
  std::chrono::nanoseconds started() const { return started_; }

  /// The result, if it is over: `poll` found something, or time has passed.
  std::optional<tl::expected<nts_session, failure>>
  step(std::chrono::nanoseconds now);

private:
  ke_attempt(platform::unique_fd fd,
             std::unique_ptr<platform::tls_session> session,
             std::chrono::nanoseconds now);

  bool connect_done();
  void move_in();
  void move_out();
  std::optional<tl::expected<nts_session, failure>> converse();
  tl::expected<nts_session, failure> complete(ntp::ke_result result);

  platform::unique_fd fd_;
  std::unique_ptr<platform::tls_session> session_;
  ntp::ke_client client_{{}};
  std::chrono::nanoseconds started_;
  bool connected_ = false;
  bool asked_ = false;
  failure problem_;                 ///< of the connection; empty = none
  std::vector<std::byte> outgoing_; ///< not taken by the kernel yet
};

} // namespace concert::load
