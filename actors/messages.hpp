#pragma once

#include "config/config.hpp"
#include "ctl/actors_document.hpp"
#include "ctl/schema.hpp"
#include "ctl/status.hpp"
#include "ntp_core/association/association.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/discipline/steering.hpp"
#include "ntp_core/leap/leap_list.hpp"
#include "ntp_core/nts/cookie_jar.hpp"
#include "ntp_core/responder/responder.hpp"
#include "ntp_core/shadow/snapshot.hpp"
#include "platform/resolver.hpp"
#include "platform/socket.hpp"
#include "platform/state_file.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What actors tell each other: plain structs, units in their types. Messages
/// that carry handles stand in `interfaces.hpp`.
namespace concert::actors {

/// A timer of the receiver is due.
struct deadline {};
/// The receiver's socket has something to read. Readiness of a socket that has
/// been closed since is told from news by `generation`.
struct readable {
  std::uint64_t generation = 0;
};
/// Addresses, links or routes of the machine changed.
struct network_changed {};

// -- to sources ---------------------------------------------------------------

/// The poll interval that the discipline would like, log2 s.
struct desired_poll {
  std::int8_t poll = 6;
};
/// The wall clock was stepped: an exchange under way is void.
struct clock_stepped {
  /// Sum of the sizes of all steps after the start, s: a limit counts it, and
  /// must not forget it when the steering is started again.
  double accumulated_s = 0;
};
/// Ask soon, at random within `spread`, within the server's manners.
struct poll_soon {
  std::chrono::nanoseconds spread{};
};
/// The steering has no use for this source: make room for another.
struct retire {};

/// Keys and cookies for a source with NTS.
struct credentials_given {
  ntp::nts_credentials credentials;
};

/// The entry's configuration changed in what needs no new start.
struct source_reconfigured {
  ntp::source_registration registration;
  ntp::association_config association;
};
/// A person wants the source to be asked now, a few times, within its burst
/// budget.
struct burst_wanted {};

// -- to spawners --------------------------------------------------------------

/// The new configuration of the entry, of the same mode and address.
struct source_config_changed {
  config::source_config config;
};

/// Why a source ended.
enum class loss : std::uint8_t {
  silent,   ///< no answer for long
  refused,  ///< access denied
  rejected, ///< falseticker or unusable for long
};
struct source_lost {
  ntp::source_id id;
  loss why = loss::silent;
};
/// The answer of the name service.
struct resolved {
  platform::result<platform::resolution> answer;
};

/// The clock has been set, for the first time since the machine started: what
/// had to wait for the right time need not any more.
struct clock_was_set {};
/// A source with NTS cannot go on without a key exchange.
struct keys_wanted {
  ntp::source_id id;
};
/// What a source with NTS has left: after each request, and after each answer
/// that brought cookies.
struct cookies_left {
  ntp::source_id id;
  ntp::nts_credentials credentials;
  bool answered = false; ///< an answer was authentic: the keys are good
};
/// What a key exchange gave, and where it is good.
struct exchanged_keys {
  ntp::nts_credentials credentials;
  std::string server; ///< its name, if that is not the key exchange's
  std::uint16_t port = 123;
  /// Of the server, the best first; at least one.
  std::vector<ntp::ip_address> addresses;
};
/// A key exchange of the receiver is over: keys, or a sentence about why not.
struct exchange_ended {
  std::uint64_t number = 0; ///< which one
  tl::expected<exchanged_keys, std::string> outcome;
};
struct get_nts_sources {};
struct nts_sources {
  std::vector<ctl::nts_source_status> all;
};

// -- to the steering ----------------------------------------------------------

struct source_removed {
  ntp::source_id id;
};
struct leap_list_changed {
  std::shared_ptr<const ntp::leap_list> list; ///< null: none
};
/// Lifts a panic and steps, whatever the size; `ntp-ctl force-sync`.
struct force_sync {
  std::string who; ///< wants it, for the log
};
/// Step the present offset away instead of slewing it; `ntp-ctl step`. The
/// thresholds hold.
struct step_wanted {
  std::string who;
};
/// Leave the clock as it should be without us; answered when it is.
struct prepare_stop {};
struct stop_prepared {};
/// Proof of life.
struct ping {};
struct pong {};
struct get_steering_status {};
/// Everything that the steering knows, for the publisher.
struct steering_status {
  ntp::system_snapshot system;
  ctl::clock_status clock;
  std::vector<ctl::source_status> sources;
  /// Only where the clock is read-only: what is seen of it.
  std::optional<ntp::shadow_snapshot> shadow;
  ntp::ntp_timestamp now;
  ntp::mono_time mono_now;
};

// -- to servers and workers ---------------------------------------------------

struct server_id {
  std::uint32_t value = 0;
  auto operator<=>(const server_id&) const = default;
};
/// The configuration of a server without change of its address.
struct server_config_changed {
  config::server_config config;
};
/// How the socket of a worker is set up.
struct server_port_options {
  platform::server_socket_options socket;
  platform::dispatch_rule dispatch = platform::dispatch_rule::client_address;
  bool operator==(const server_port_options&) const = default;
};
/// A worker must open its own socket for this listen address and serve it.
struct open_port {
  server_id id;
  ntp::endpoint listen;
  server_port_options options;
  std::shared_ptr<const ntp::responder_config> config;
};
struct close_port {
  server_id id;
};
/// The next batch of packets (to itself).
struct next_batch {};
struct get_port_report {
  server_id id;
  std::size_t top_clients = 0; ///< as many are wanted
};
struct port_report {
  bool listening = false;
  ntp::endpoint local; ///< the bound address
  std::string problem; ///< why it does not listen
  ntp::server_counters counters;
  std::optional<double> transmit_delay_s; ///< of the first reply of a batch
  std::vector<ntp::client_count> top_clients;
};
struct get_server_status {
  std::size_t top_clients = 0; ///< as many are wanted
};

// -- about cookies that servers give out --------------------------------------

/// The keys to seal and to open cookies with; null: none. Workers have them
/// before those who give out cookies do.
struct cookie_keys_changed {
  std::shared_ptr<const ntp::cookie_keys> keys;
};
struct cookie_keys_taken {};
struct keyset_config_changed {
  config::keyset_config config;
};
struct get_keyset_status {};
/// The configuration of an NTS-KE server without change of its address.
struct nts_ke_server_config_changed {
  config::nts_ke_server_config config;
};
struct get_nts_ke_server_status {};

// -- to the publisher ---------------------------------------------------------

struct get_document {};
/// The observation document (JSON).
struct document {
  std::string json;
};
/// Hands a document to the connection that waits for it.
using document_sink = std::function<void(std::string)>;
/// Somebody connected to the observation socket.
struct reader_connected {
  document_sink sink;
};

/// Who is at the other end of a control connection, by SO_PEERCRED.
struct control_peer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  bool has_rights = false; ///< root, the daemon's own user, or of the group
};
/// Hands an answer line to the connection that waits for it; usable from any
/// thread. False: nobody waits any more, or too much waits to be read.
using answer_sink = std::function<bool(const ctl::control_answer&)>;
/// A request came in at the control socket; rights have been checked.
struct control_received {
  ctl::control_request request;
  control_peer peer;
  answer_sink sink;
};

// -- to the recorder ----------------------------------------------------------

/// A source was measured, for the measurement log.
struct measurement_taken {
  ntp::ntp_timestamp now;
  std::string source; ///< as configured
  ntp::endpoint address;
  ntp::measurement sample;
  ntp::association_snapshot association;
  ntp::source_snapshot view; ///< after it
};
/// The clock was corrected, for the tracking log.
struct clock_updated {
  ntp::ntp_timestamp now;
  ntp::system_snapshot system;
  std::optional<double> true_error_s;
};

// -- to the configuration manager, the state keeper and the supervisor --------

/// A request about the configuration: everything from `get` to `persist`.
struct change_wanted {
  ctl::control_request request;
  control_peer peer;
};

/// Read the files again (SIGHUP, `ntp-ctl reload`).
struct reload {};
struct config_changed {
  config::shared_config config;
};
struct save_state {
  platform::saved_state state;
};
/// Cookies that a later run of the daemon may use. Empty: there are none, and
/// no file.
struct save_cookies {
  std::string name; ///< unique in this daemon, fit for a file name
  ntp::secret_bytes jar;
};
/// Gives what `save_cookies` kept, and destroys the file, so that no cookie is
/// used twice.
struct take_cookies {
  std::string name;
};
struct saved_cookies {
  std::optional<ntp::secret_bytes> jar;
};
/// End, when all that came before this is saved.
struct end_when_saved {};
/// SIGTERM, SIGINT or SIGHUP.
struct signal_received {
  int number = 0;
};
/// The program must end with this code.
struct exit_requested {
  int code = 0;
};

} // namespace concert::actors
