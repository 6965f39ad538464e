#pragma once

#include "ctl/error.hpp"
#include "ntp_core/time/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The observation document as a reader sees it. Every key may be missing, so
/// that the documents of other versions and of ntpd-rs can be read; what is
/// absent, null or of a wrong type is an empty optional. All text is printable.
namespace concert::ctl {

/// No document is longer (bytes).
inline constexpr std::size_t max_document = 1024 * 1024;

/// `program`.
struct observed_program {
  std::string version;
  std::string build_commit;
  std::string build_commit_date;
  std::optional<double> uptime_s;
  ntp::ntp_timestamp now; ///< the wall clock when the document was made
};

/// `system.error_budget`, s: squares add up to that of the estimated error.
struct observed_budget {
  std::optional<double> measurement_s;
  std::optional<double> asymmetry_s;
  std::optional<double> wander_s;
  std::optional<double> server_s;
  std::optional<double> disagreement_s;
  std::optional<double> unslewed_s;
};

/// `system`; the meanings are those of `ntp::system_snapshot`.
struct observed_system {
  std::string state; ///< empty: the daemon does not tell
  std::string state_reason;
  std::optional<double> state_since_s;
  std::optional<bool> synchronized;
  std::optional<std::uint64_t> stratum;
  std::uint32_t reference_id = 0;
  std::string leap;
  std::optional<double> root_delay_s;
  std::optional<double> root_dispersion_s; ///< at `program.now`
  ntp::ntp_timestamp reference_time;
  std::optional<double> offset_s;  ///< positive: the clock is slow
  std::optional<double> frequency; ///< correction in force, ratio
  std::optional<double> frequency_uncertainty;
  std::optional<double> estimated_error_s;
  std::optional<observed_budget> budget;
  std::optional<double> stability_s;
  std::optional<double> max_error_s;
  std::optional<double> last_update_age_s;
  std::optional<std::uint64_t> steps_total;
  std::optional<double> accumulated_steps_s;           ///< sum of their sizes
  std::optional<double> accumulated_steps_threshold_s; ///< absent: none
  std::optional<double> last_step_s;
  std::optional<double> holdover_s;
  std::optional<std::uint64_t> selected_sources;
  std::optional<std::uint64_t> required_sources;
};

/// `clock`.
struct observed_clock {
  std::string kind;
  std::optional<double> true_error_s; ///< clock − truth
};

/// One of a source's `tests`.
struct observed_test {
  std::string name;
  std::optional<bool> passed;
  std::optional<double> value; ///< in `unit`, as is `limit`
  std::optional<double> limit;
  std::string unit; ///< "s", "polls"…, or empty
  std::string text;
};

/// One of `sources`.
struct observed_source {
  std::string name;
  std::string address;
  std::uint64_t id = 0;
  std::string state; ///< empty: the daemon does not tell
  std::string state_reason;
  /// Absent before the first sample, as are the next two.
  std::optional<double> offset_s; ///< positive: the source is ahead of us
  std::optional<double> uncertainty_s;
  std::optional<double> delay_s;
  std::optional<double> jitter_s;
  std::optional<double> last_sample_age_s;
  std::optional<std::int64_t> poll; ///< log2 s
  std::optional<std::uint64_t> reachability;
  std::optional<std::uint64_t> unanswered_polls;
  std::optional<std::uint64_t> stratum;
  std::optional<std::uint64_t> nts_cookies;   ///< absent: without NTS
  std::optional<double> remote_delay_s;       ///< root delay that it reports
  std::optional<double> remote_uncertainty_s; ///< root dispersion
  std::string transmit_stamps; ///< "hardware", "kernel", "daemon" or empty
  std::string receive_stamps;
  std::optional<std::uint64_t> requests;
  std::map<std::string, std::uint64_t> packets; ///< received, by verdict
  std::vector<observed_test> tests; ///< empty: the daemon does not tell
};

/// One entry of a server's `counters`.
struct observed_counter {
  std::string response;
  std::string reason;
  std::uint64_t packets = 0;
};

/// One entry of a server's `top_clients`.
struct observed_client {
  std::string address;
  std::uint64_t requests = 0;
};

/// One entry of a server's `latency.buckets`.
struct observed_latency {
  std::optional<double> limit_s; ///< absent: no limit
  std::uint64_t replies = 0;     ///< more than the limit before, up to this
};

/// One of `servers`.
struct observed_server {
  std::string address;
  std::string interface; ///< empty: all
  std::optional<bool> listening;
  std::string problem;
  std::map<std::string, std::uint64_t> stats; ///< ntpd-rs's keys
  std::vector<observed_counter> counters;
  std::vector<std::uint64_t> versions; ///< requests by version
  std::optional<std::uint64_t> queue_overflows;
  /// Half and 99 % of the replies left within so long after the request came.
  std::optional<double> latency_p50_s;
  std::optional<double> latency_p99_s;
  std::vector<observed_latency> latency; ///< rising; empty ones are left out
  std::optional<double> transmit_delay_s;
  std::vector<observed_client> top_clients;
};

/// One of `nts_sources`.
struct observed_nts_source {
  std::string name;
  std::string address; ///< empty before the first key exchange
  std::string server;  ///< its name, if it is another machine
  std::string aead;    ///< empty before the first key exchange
  std::optional<std::uint64_t> cookies;
  std::optional<std::uint64_t> cookie_length; ///< octets
  bool exchanging = false;
  std::optional<std::uint64_t> exchanges;
  std::optional<std::uint64_t> failures;
  std::optional<double> last_exchange_age_s;
  std::string problem; ///< of the last exchange
  std::optional<double> next_exchange_s;
};

/// One of a key exchange server's `certificates`; times are Unix times, s.
struct observed_certificate {
  std::string file;
  std::vector<std::string> names;
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> not_after;
};

/// One of `nts_ke_servers`.
struct observed_ke_server {
  std::string address;
  std::optional<bool> listening;
  std::string problem;
  std::vector<observed_certificate> certificates;
  std::string certificate_problem;
  std::optional<std::uint64_t> connections; ///< right now
  std::optional<std::uint64_t> accepted;
  std::optional<std::uint64_t> handshakes;
  std::optional<std::uint64_t> exchanges;
  std::optional<std::uint64_t> pool_exchanges;
  std::optional<std::uint64_t> rate_limited;
  std::optional<std::uint64_t> too_many;
  std::optional<std::uint64_t> timed_out;
  std::optional<std::uint64_t> broken;
  std::map<std::string, std::uint64_t> refusals;     ///< by reason
  std::map<std::string, std::uint64_t> tls_failures; ///< by fault
};

/// `keyset`; times are Unix times, s.
struct observed_keyset {
  std::optional<bool> cluster;
  std::optional<std::uint64_t> keys;
  std::optional<std::int64_t> newest_since;
  std::optional<std::int64_t> next_rotation;
  std::string problem;
};

struct observation {
  observed_program program;
  observed_system system;
  observed_clock clock;
  std::vector<observed_source> sources;
  std::vector<observed_server> servers;
  std::vector<observed_nts_source> nts_sources;
  std::vector<observed_ke_server> ke_servers;
  std::optional<observed_keyset> keyset; ///< absent: no cookies are made
  bool truncated = false; ///< there are more sources or servers than these
};

/// Reads a document.
/// @returns `errc::too_large` or `errc::malformed` (no JSON object, or nested
/// deeper than any observation is).
result<observation> read_observation(std::string_view document);

/// The value of one key of a document as JSON text, `null` if it is not there.
/// @returns the errors of `read_observation`.
result<std::string> part_of(std::string_view document, const char* key);

/// The length that stands before a document.
/// @returns `errc::too_large` beyond `max_document`.
result<std::size_t> framed_size(std::string_view eight_octets);

} // namespace concert::ctl
