#pragma once

#include "ntp_core/nts/ke_client.hpp"
#include "platform/aead.hpp"
#include "tests/actors/machine.hpp"
#include "tests/ntp_core/nts/ke_messages.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Machines with `[[nts-ke-server]]`, and clients of those.
namespace concert::actors::testing {

inline constexpr const char* ke_listen = "10.0.0.2:4460";

/// A file beside the machine's configuration.
inline std::filesystem::path file_of(const machine& m, const char* name) {
  return m.state_file().parent_path() / name;
}

inline void write_file(const std::filesystem::path& path,
                       std::string_view text) {
  std::ofstream{path, std::ios::binary} << text;
}

inline std::string contents_of(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// `[[nts-ke-server]]` with files that nobody reads in simulation.
inline std::string ke_server_section(const machine& m,
                                     const std::string& more = "") {
  const auto chain = file_of(m, "chain.pem").string();
  const auto key = file_of(m, "key.pem").string();
  return std::string{"[[nts-ke-server]]\nlisten = \""} + ke_listen
         + "\"\ncertificate-chain-path = \"" + chain
         + "\"\nprivate-key-path = \"" + key + "\"\n" + more + "\n";
}

/// Asks an actor of a kind, in no time.
template <class Handle, class Answer, class Request>
Answer ask(machine& m, const char* kind, Request what) {
  const auto found = m.sim().actors(kind);
  REQUIRE(!found.empty());
  caf::scoped_actor self{*found.front()->home_system};
  auto pending = self->request(caf::actor_cast<Handle>(found.front()),
                               caf::infinite, std::move(what));
  m.sim().settle();
  Answer result;
  pending.receive([&](const Answer& answer) { result = answer; },
                  [](const caf::error&) { FAIL("no answer"); });
  return result;
}

inline ctl::nts_ke_server_status ke_status(machine& m) {
  return ask<nts_ke_server_actor, ctl::nts_ke_server_status>(
    m, "nts_ke_server", get_nts_ke_server_status{});
}

inline ctl::keyset_status key_status(machine& m) {
  return ask<keyset_actor, ctl::keyset_status>(m, "keyset",
                                               get_keyset_status{});
}

/// A client that connects, sends a request at once, and hears what comes.
struct ke_caller {
  std::vector<std::byte> request;
  std::size_t piece = 1 << 16; ///< octets that are sent at once, 1 ms apart
  bool finishes = false;       ///< says that it writes no more
  std::unique_ptr<ke_channel> channel;
  bool ready = false;
  std::vector<std::byte> received;
  bool peer_finished = false;
  std::optional<ke_channel_end> end;

  /// `octets` are the request.
  explicit ke_caller(std::vector<std::byte> octets)
    : request(std::move(octets)) {}
  /// An ordinary client, with one AEAD if it is given.
  explicit ke_caller(std::optional<ntp::aead_id> aead = {})
    : ke_caller(ntp::ke_client{config_of(aead)}.request()) {}
  ke_caller(const ke_caller&) = delete;
  ke_caller& operator=(const ke_caller&) = delete;

  void connect(machine& m, const std::string& from = "198.51.100.7:50000") {
    world_ = &m.sim().world();
    start(world_->key_exchange().connect(from, ke_listen));
  }

  void start(std::unique_ptr<ke_channel> to_server) {
    channel = std::move(to_server);
    channel->start({[this] {
                      ready = true;
                      channel->extend(1h); // the server loses patience first
                      send_from(0);
                    },
                    [this](std::span<const std::byte> bytes) {
                      received.insert(received.end(), bytes.begin(),
                                      bytes.end());
                    },
                    [this] {
                      peer_finished = true;
                      channel->finish();
                    },
                    [this](const ke_channel_end& e) { end = e; }});
  }

  /// What an ordinary client makes of what it has heard.
  tl::expected<std::optional<ntp::ke_result>, ntp::ke_error> answer() const {
    return ntp::ke_client{{}}.on_bytes(received);
  }

  /// The keys that the cookies should hold.
  ntp::session_keys keys(const ntp::ke_result& r) {
    const auto keys
      = ntp::derive_session_keys(r.aead, r.own_number, [this](auto... what) {
          return channel->export_key(what...);
        });
    REQUIRE(keys);
    return *keys;
  }

private:
  static ntp::ke_client_config config_of(std::optional<ntp::aead_id> aead) {
    ntp::ke_client_config config;
    if (aead)
      config.aeads = {*aead};
    return config;
  }

  void send_from(std::size_t at) {
    const auto rest = std::span<const std::byte>{request}.subspan(at);
    const auto now = rest.first(std::min(piece, rest.size()));
    if (!now.empty())
      channel->send(now);
    if (now.size() < rest.size())
      world_->later(1ms, [this, next = at + now.size()] { send_from(next); });
    else if (finishes)
      channel->finish();
  }

  simulated_runtime* world_ = nullptr;
};

/// The cookies of a client that connects now; none if it gets none.
inline std::vector<ntp::secret_bytes> get_cookies(machine& m,
                                                  ke_caller& caller) {
  caller.connect(m);
  m.run_for(200ms);
  const auto answer = caller.answer();
  return answer && *answer ? (**answer).cookies
                           : std::vector<ntp::secret_bytes>{};
}

/// What the keys make of a cookie.
inline std::optional<ntp::session_keys>
opened(const ntp::cookie_keys& keys, std::span<const std::byte> cookie) {
  const auto cipher = platform::aead::make();
  REQUIRE(cipher);
  return keys.open(cookie, **cipher);
}

} // namespace concert::actors::testing
