#pragma once

#include "ntp_core/access/access_table.hpp"
#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/discipline/steering_config.hpp"
#include "ntp_core/time/time.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// ntp.toml as validated structs. Every default of Concert stands here.
namespace concert::config {

enum class log_level : std::uint8_t { trace, debug, info, warning, error };

/// Bounds of the poll interval, log2 s, 0..17.
struct poll_limits {
  std::int8_t min = 6;
  std::int8_t max = 10;
  bool operator==(const poll_limits&) const = default;
};

constexpr std::uint16_t default_ntp_port = 123;
constexpr std::uint16_t default_nts_ke_port = 4460; ///< RFC 8915 §4
constexpr std::uint16_t default_metrics_port = 9975;

/// A host name or address with a port, as configured ("host", "host:port",
/// "[v6]:port", bare v6).
struct host_port {
  std::string host;
  std::uint16_t port = default_ntp_port;
  std::string to_string() const;
  bool operator==(const host_port&) const = default;
};

enum class source_mode : std::uint8_t { server, pool, nts, nts_pool };

/// Whether an entry stands for several sources.
constexpr bool is_pool(source_mode mode) {
  return mode == source_mode::pool || mode == source_mode::nts_pool;
}

constexpr bool has_nts(source_mode mode) {
  return mode == source_mode::nts || mode == source_mode::nts_pool;
}

/// Since when the times in certificates count.
enum class certificate_time_check : std::uint8_t { always, after_first_sync };

/// AEADs in order of preference, never empty, each once.
using aead_list = std::vector<ntp::aead_id>;

/// AES-SIV-CMAC-256 comes first as nobody disagrees about its keys.
inline aead_list default_aeads() {
  return {ntp::aead_id::aes_siv_cmac_256, ntp::aead_id::aes_128_gcm_siv,
          ntp::aead_id::aes_siv_cmac_512, ntp::aead_id::aes_siv_cmac_384};
}

/// What a `[[source]]` with NTS needs to get keys.
struct nts_source_config {
  /// PEM files, trusted besides the system's roots.
  std::vector<std::filesystem::path> certificate_authorities;
  certificate_time_check time_check = certificate_time_check::always;
  aead_list aeads = default_aeads();
  bool operator==(const nts_source_config&) const = default;
};

/// One `[[source]]`.
struct source_config {
  source_mode mode = source_mode::server;
  host_port address;                   ///< with NTS: where the keys come from
  std::uint32_t count = 4;             ///< pools: simultaneous members
  std::vector<ntp::ip_address> ignore; ///< pools: never used
  std::uint8_t ntp_version = 4;        ///< 3 or 4; with NTS 4
  nts_source_config nts;               ///< for the modes with NTS
  /// Unset = the manners: min 4 on this link, 6 beyond it; max 10.
  std::optional<std::int8_t> min_poll;
  std::optional<std::int8_t> max_poll;
  std::optional<std::int8_t> initial_poll;
  bool iburst = true;
  bool prefer = false;
  bool noselect = false;
  bool interleaved = false; ///< RFC 9769; chrony's `xleave`
  double offset_s = 0;      ///< added to each measured offset
  bool offline = false;     ///< asks nobody; `ntp-ctl online|offline`
  bool operator==(const source_config&) const = default;
};

/// `denylist` / `allowlist` of a `[[server]]`.
struct filter_config {
  std::vector<ntp::ip_prefix> prefixes;
  bool deny = false; ///< action: true = DENY kiss, false = silence
  bool operator==(const filter_config&) const = default;
};

/// `dispatch` of a `[[server]]`: how requests are divided among the workers.
enum class dispatch_kind : std::uint8_t {
  automatic, ///< by client where state per client is kept, else by queue
  client_address,
  receive_queue,
};

/// One `[[server]]`.
struct server_config {
  ntp::endpoint listen;
  std::string interface; ///< only requests that come in there; empty = all
  dispatch_kind dispatch = dispatch_kind::automatic;
  std::uint32_t receive_buffer = 1 << 20; ///< bytes a worker; 0 = the kernel's
  std::uint32_t send_buffer = 0;          ///< bytes a worker; 0 = the kernel's
  filter_config denylist{{}, true};
  filter_config allowlist; ///< filled with 0.0.0.0/0 and ::/0 by default
  ntp::access_order filter_order = ntp::access_order::deny_first;
  std::uint32_t rate_limiting_cache_size = 0;
  std::chrono::milliseconds rate_limiting_cutoff{};
  std::uint32_t rate_limiting_burst = 8; ///< requests of a quiet client
  std::uint32_t rate_limiting_leak = 16; ///< 1 in so many passes, 1..16
  /// 1 in so many of the others earns a RATE kiss; 0 = none.
  std::uint32_t rate_limiting_kiss = 0;
  bool interleaved = true;
  std::uint32_t client_table_size = 8192; ///< clients a worker; 0 = none
  bool answer_symmetric_active = false;
  std::optional<bool> require_nts; ///< unset = no; true = deny, false = ignore
  std::vector<std::uint8_t> accept_ntp_versions{3, 4};
  bool operator==(const server_config&) const = default;
};

/// Two PEM files: a certificate with its issuers after it, and its private key.
struct certificate_pair {
  std::filesystem::path chain;
  std::filesystem::path private_key;
  bool operator==(const certificate_pair&) const = default;
};

/// One `[[nts-ke-server]]`.
struct nts_ke_server_config {
  ntp::endpoint listen;
  /// At least one. The first is shown to clients that name none of the others.
  std::vector<certificate_pair> certificates;
  /// For the whole exchange, from the accepted connection on.
  std::chrono::milliseconds key_exchange_timeout{1000};
  std::uint32_t concurrent_connections = 512;
  /// Those of them that pools may keep open; a tenth unless given.
  std::uint32_t longlived_connections = 51;
  /// Mean spacing of a client's connections; 0 = no limit.
  std::chrono::milliseconds rate_limiting_cutoff{100};
  std::uint32_t rate_limiting_burst = 100; ///< connections of a quiet client
  /// Where clients shall ask for the time; empty = where they got the keys.
  std::string ntp_server;
  std::uint16_t ntp_port = default_ntp_port; ///< the same
  aead_list aeads = default_aeads();         ///< those allowed; clients choose
  /// Secrets, not for logs: who knows one may get cookies as an NTS pool.
  std::vector<std::string> pool_tokens;
  bool operator==(const nts_ke_server_config&) const = default;
};

/// `[keyset]`: the keys of the cookies that servers give out.
struct keyset_config {
  std::uint32_t stale_key_count = 7; ///< old keys that still open cookies
  std::chrono::seconds key_rotation_interval = std::chrono::hours{24};
  /// Unset = the keys end with the process.
  std::optional<std::filesystem::path> key_storage_path;
  /// What servers that stand for one another derive the keys from; unset =
  /// random keys.
  std::optional<std::filesystem::path> cluster_secret_file;
  bool operator==(const keyset_config&) const = default;
};

enum class clock_kind : std::uint8_t { system, virtual_, read_only, automatic };

/// `[clock]`.
struct clock_config {
  clock_kind kind = clock_kind::system;
  // The rest is for kind = "virtual".
  double initial_offset_s = 0; ///< clock − truth at its first start
  double frequency_error = 0;  ///< ratio
  double wander = 0;           ///< per √s
  std::uint64_t seed = 1;
  /// Where the virtual clock's state lives, so that it outlasts the daemon;
  /// unset = it ends with the process.
  std::optional<std::filesystem::path> path;
  bool operator==(const clock_config&) const = default;
};

/// `[observability]`.
struct observability_config {
  log_level level = log_level::info;
  std::optional<std::filesystem::path> log_path; ///< unset = stderr / journal
  std::optional<std::filesystem::path> observation_path; ///< unset = no socket
  std::uint32_t observation_permissions = 0666;
  /// So many of the clients that ask most are told of each server, 0..100.
  std::uint32_t top_clients = 0;
  /// A JSON line for each measurement of a source; unset = none.
  std::optional<std::filesystem::path> measurement_log_path;
  /// A JSON line for each update of the clock; unset = none.
  std::optional<std::filesystem::path> tracking_log_path;
  /// Where ntp-metrics-exporter listens; unset = 127.0.0.1:9975.
  std::optional<ntp::endpoint> metrics_exporter_listen;
  /// Where ntp-metrics-exporter logs; unset = stderr / journal.
  std::optional<std::filesystem::path> metrics_exporter_log_path;
  bool operator==(const observability_config&) const = default;
};

/// `[control]`.
struct control_config {
  /// Unset = no socket (`path = ""`). Unless given: `control` beside an
  /// observation socket named `observe`, else the observation socket's path
  /// with
  /// ".control".
  std::optional<std::filesystem::path> path;
  /// Whose members may change settings, besides root and the daemon's own user;
  /// unset = the daemon's own group.
  std::optional<std::string> group;
  /// Where `persist` keeps run-time changes; read after all other files. Unset:
  /// /var/lib/concert/runtime.toml for the default configuration,
  /// `runtime.toml` beside the state file of any other, else nowhere.
  std::optional<std::filesystem::path> runtime_path;
  bool inspector = true; ///< statistics and traces of actors
  /// Whether actors may be held up or killed on purpose, for tests.
  bool fault_injection = false;
  bool operator==(const control_config&) const = default;
};

/// `[source-defaults]`: what sources have that do not say otherwise. It is in
/// the `source_config`s already.
struct source_defaults {
  std::optional<std::int8_t> min_poll;
  std::optional<std::int8_t> max_poll;
  std::optional<std::int8_t> initial_poll;
  bool interleaved = false;
  bool operator==(const source_defaults&) const = default;
};

/// Everything, validated.
struct daemon_config {
  source_defaults defaults;
  std::vector<source_config> sources;
  std::vector<server_config> servers;
  std::vector<nts_ke_server_config> nts_ke_servers;
  keyset_config keyset;
  /// `minimum-agreeing-sources`, thresholds, `local-stratum`, `max-error`,
  /// `on-panic`… as the core takes them.
  ntp::steering_config steering;
  clock_config clock;
  observability_config observability;
  control_config control;
  /// Unset = /var/lib/concert/state for the system clock, none for others.
  std::optional<std::filesystem::path> state_file;
  std::optional<std::filesystem::path> leap_seconds_file;
  std::optional<std::string> user;  ///< switch to this user after start
  std::uint32_t server_workers = 0; ///< 0 = min(cores, 4)
  /// Each worker stays on one of the cores that the daemon may use.
  bool pin_workers = false;

  /// Sources that the entries ask for: 1 a server, `count` a pool.
  std::uint32_t configured_sources() const;
};

/// Immutable configuration, shared by all who read it.
using shared_config = std::shared_ptr<const daemon_config>;

/// What is wrong, and where ("ntp.toml:12:5").
struct diagnostic {
  enum class severity : std::uint8_t { warning, error } level{};
  std::string file;
  std::uint32_t line = 0;   ///< from 1; 0 = the whole file
  std::uint32_t column = 0; ///< from 1
  std::string text;
  /// "ntp.toml:12:5: error: …".
  std::string to_string() const;
};

/// Changes made while the daemon runs: an overlay over what the files say. The
/// file of the persistent ones is this, as TOML. Values are TOML text. Applied
/// in the order: set, removed, added, modified.
struct runtime_changes {
  /// Dotted key → value, such as "synchronization.max-error" → "0.5".
  std::map<std::string, std::string> set;
  /// Keys that an overlay below (the persistent file) sets, and that are to be
  /// as the configuration's files say again. Not written to a file: there it is
  /// enough that `set` lacks them, as after `joined`.
  std::set<std::string> unset;
  /// Whole tables of `[[source]]`: lines of `key = value`.
  std::vector<std::string> added_sources;
  /// Source as configured ("host:port") → lines of `key = value` that replace
  /// those of its table.
  std::map<std::string, std::string> modified_sources;
  std::vector<std::string> removed_sources; ///< as configured, "host:port"

  bool empty() const;
  bool operator==(const runtime_changes&) const = default;
};

/// A configuration with the warnings about it.
struct loaded_config {
  daemon_config config;
  std::vector<diagnostic> warnings;
  /// What the file of persistent changes says, and where it is; unset = there
  /// is no place for one. `persist` writes `joined(persistent, changes)` there.
  runtime_changes persistent;
  std::optional<std::filesystem::path> runtime_path;
};

/// Where the persistent changes of the configuration at `path` live, which
/// says `config` without them (`control_config::runtime_path`).
std::optional<std::filesystem::path>
runtime_path(const std::filesystem::path& path, const daemon_config& config);

/// `key` as `keys` spells it: some keys have two places or a short form
/// ("max-error" = "synchronization.max-error"). Others come back unchanged.
std::string canonical_key(std::string_view key);

/// The address ("host:port") of the source that people call `name`: as
/// configured, or the host alone if only one entry has it. The error is a
/// sentence that names the entries there are.
tl::expected<std::string, std::string> find_source(const daemon_config& config,
                                                   std::string_view name);

/// `upper` after `lower`, as one: what was added and then removed is gone.
runtime_changes joined(const runtime_changes& lower,
                       const runtime_changes& upper);
/// As a file, with a comment at its top.
std::string to_toml(const runtime_changes& changes);
/// Reads such a file; where it comes from stands in the diagnostics as `name`.
tl::expected<runtime_changes, std::vector<diagnostic>>
parse_runtime_changes(std::string_view text, std::string_view name);

/// One key whose value is a single one, with its value in force.
struct key_value {
  std::string key;        ///< dotted, such as "synchronization.max-error"
  std::string value;      ///< TOML text; empty = not set, which is its default
  bool at_runtime = true; ///< whether `ntp-ctl set` takes effect at once
};
/// All keys of `config` outside arrays of tables, in the order of the
/// documentation.
std::vector<key_value> keys(const daemon_config& config);

/// One line of what differs between two configurations, for people.
struct changed_key {
  std::string key;  ///< or "source time.example.org:123"
  std::string from; ///< TOML text; empty = absent
  std::string to;
};
std::vector<changed_key> changed_keys(const daemon_config& from,
                                      const daemon_config& to);

/// The default place, /etc/concert/ntp.toml.
std::filesystem::path default_path();

/// Whether the files that a configuration names are looked at: they must be
/// there and readable for this process, which matters to the daemon.
enum class named_files : std::uint8_t { checked, ignored };

/// Reads `path`, then `path`'s drop-ins (`ntp.toml.d/*.toml` beside it, in
/// order of names), then the persistent run-time changes, and lays `changes`
/// over all that. All errors are collected, not only the first. With
/// `must_exist` false a missing file is an empty one.
tl::expected<loaded_config, std::vector<diagnostic>>
load(const std::filesystem::path& path, bool must_exist,
     named_files files = named_files::checked,
     const runtime_changes& changes = {});

/// What can be read of the configuration at `path`, whatever is wrong with the
/// rest: for who only wants to know where the daemon's sockets are. Nothing if
/// that cannot be told.
std::optional<daemon_config> load_leniently(const std::filesystem::path& path);

/// The same as `load` for text at hand; `name` stands in diagnostics. Touches
/// no file.
tl::expected<loaded_config, std::vector<diagnostic>>
parse(std::string_view text, std::string_view name);

/// What a reload changes.
struct config_difference {
  std::vector<source_config> removed_sources;
  std::vector<source_config> added_sources;
  /// Same mode, address, version and NTS, and of a pool count and ignored
  /// members: they go on as they are, with their samples (before, after).
  std::vector<std::pair<source_config, source_config>> modified_sources;
  std::vector<server_config> removed_servers;
  std::vector<server_config> added_servers;
  std::vector<nts_ke_server_config> removed_nts_ke_servers;
  std::vector<nts_ke_server_config> added_nts_ke_servers;
  bool keyset_changed = false;
  bool steering_changed = false;
  bool log_changed = false;           ///< level or path
  bool observability_changed = false; ///< anything of that section
  bool control_changed = false;
  bool leap_seconds_file_changed = false;
  /// Keys that take effect only at the next start, by name.
  std::vector<std::string> needs_restart;
  bool empty() const;
};
config_difference difference(const daemon_config& from,
                             const daemon_config& to);

} // namespace concert::config
