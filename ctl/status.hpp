#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/association/snapshot.hpp"
#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/nts/ke_error.hpp"
#include "ntp_core/responder/counters.hpp"
#include "ntp_core/shadow/snapshot.hpp"

#include <tl/expected.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The observation document: one struct, one writer, one reader.
namespace concert::ctl {

/// One source as people see it: where it came from, its association, and what
/// the steering thinks of it.
struct source_status {
  std::string name; ///< "host:port" as configured
  ntp::endpoint address;
  ntp::association_snapshot association;
  ntp::source_snapshot view;
};

struct server_status {
  ntp::endpoint address;
  std::string interface; ///< only packets that come in there; empty = all
  bool listening = false;
  std::string problem; ///< why it does not listen
  ntp::server_counters counters;
  /// Learnt time from the start of sending to the kernel's transmit stamp, s;
  /// absent before the first samples.
  std::optional<double> transmit_delay_s;
  std::vector<ntp::client_count> top_clients; ///< if configured; best first
};

/// One source with NTS: its keys. What its packets say about NTS is counted in
/// its association.
struct nts_source_status {
  std::string name; ///< "host:port" of the key exchange, as configured
  /// Where the keys are used; absent before the first exchange.
  std::optional<ntp::endpoint> address;
  std::string server; ///< its name, if the exchange gave one
  std::optional<ntp::aead_id> aead;
  std::uint32_t cookies = 0;
  std::size_t cookie_length = 0; ///< octets
  bool exchanging = false;       ///< right now
  std::uint64_t exchanges = 0;   ///< that gave keys
  std::uint64_t failures = 0;
  std::optional<double> last_exchange_age_s; ///< of the last that gave keys
  std::string problem; ///< why the last exchange failed; empty = it did not
  std::optional<double> next_exchange_s; ///< from now, if one is planned
};

/// A certificate that a server shows.
struct certificate_status {
  std::string file;
  std::vector<std::string> names;
  std::chrono::seconds not_before{}; ///< since 1970
  std::chrono::seconds not_after{};  ///< since 1970
};

/// One `[[nts-ke-server]]`. Each connection that was accepted ends as one of
/// `exchanges`, `timed_out`, `broken`, `too_many`, `refusals` or
/// `tls_failures`, but for those of pools, which may have several exchanges.
struct nts_ke_server_status {
  ntp::endpoint address;
  bool listening = false;
  std::string problem; ///< why it does not listen, or gives no cookies
  std::vector<certificate_status> certificates;
  std::string certificate_problem; ///< why newer files are not used
  std::uint32_t connections = 0;   ///< right now
  std::uint64_t accepted = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t exchanges = 0;      ///< that gave cookies
  std::uint64_t pool_exchanges = 0; ///< of these, asked for by a pool
  std::uint64_t rate_limited = 0;   ///< not accepted
  /// Given up unanswered, or not accepted, as there were too many at once.
  std::uint64_t too_many = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t broken = 0; ///< lost, or closed in the middle
  std::array<std::uint64_t, ntp::ke_errc_count> refusals{}; ///< by `ke_errc`
  /// By `platform::tls_fault`, as its names.
  std::vector<std::pair<std::string, std::uint64_t>> tls_failures;
};

/// The keys of the cookies.
struct keyset_status {
  bool cluster = false;
  std::uint32_t keys = 0; ///< that open cookies; 0: there are none yet
  std::optional<std::chrono::seconds> newest_since; ///< since 1970
  std::optional<std::chrono::seconds> next_rotation;
  std::string problem; ///< file not read or written, clock not set…
};

struct clock_status {
  std::string kind; ///< "system", "virtual", "read-only"
  /// Virtual clocks only: clock − truth, s.
  std::optional<double> true_error_s;
};

struct daemon_status {
  std::string version;
  std::string build_commit;
  std::string build_commit_date;
  double uptime_s = 0;
  ntp::ntp_timestamp now;  ///< wall clock when this was made
  ntp::mono_time mono_now; ///< the same instant for ages
  ntp::system_snapshot system;
  clock_status clock;
  /// Only where the clock is read-only: what is seen of it.
  std::optional<ntp::shadow_snapshot> shadow;
  std::vector<source_status> sources;
  std::vector<server_status> servers;
  std::vector<nts_source_status> nts_sources;
  std::vector<nts_ke_server_status> nts_ke_servers;
  std::optional<keyset_status> keyset; ///< only where cookies are used
};

/// The JSON document: ntpd-rs 1.9's keys and units (reference/ntpd-rs.md §2.5)
/// with ours added (issue 2, "ctl"). Beyond `limit` bytes sources are cut from
/// the end and `truncated` is true.
std::string to_json(const daemon_status& status,
                    std::size_t limit = 1024 * 1024);

/// Puts the 8-octet big-endian length before a document.
std::string frame(std::string_view document);

} // namespace concert::ctl
