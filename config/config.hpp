#pragma once

#include "ntp_core/access/access_table.hpp"
#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/discipline/steering_config.hpp"
#include "ntp_core/time/time.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
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

/// A host name or address with a port, as configured ("host", "host:port",
/// "[v6]:port", bare v6).
struct host_port {
  std::string host;
  std::uint16_t port = 123;
  std::string to_string() const;
  bool operator==(const host_port&) const = default;
};

enum class source_mode : std::uint8_t { server, pool };

/// One `[[source]]`.
struct source_config {
  source_mode mode = source_mode::server;
  host_port address;
  std::uint32_t count = 4;             ///< pool: simultaneous members
  std::vector<ntp::ip_address> ignore; ///< pool: never used
  std::uint8_t ntp_version = 4;        ///< 3 or 4
  /// Unset = the manners: min 4 on this link, 6 beyond it; max 10.
  std::optional<std::int8_t> min_poll;
  std::optional<std::int8_t> max_poll;
  std::optional<std::int8_t> initial_poll;
  bool iburst = true;
  bool prefer = false;
  bool noselect = false;
  bool interleaved = false; ///< RFC 9769; chrony's `xleave`
  double offset_s = 0;      ///< added to each measured offset
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
  bool operator==(const observability_config&) const = default;
};

/// Everything, validated.
struct daemon_config {
  std::vector<source_config> sources;
  std::vector<server_config> servers;
  /// `minimum-agreeing-sources`, thresholds, `local-stratum`, `max-error`,
  /// `on-panic`… as the core takes them.
  ntp::steering_config steering;
  clock_config clock;
  observability_config observability;
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

/// A configuration with the warnings about it.
struct loaded_config {
  daemon_config config;
  std::vector<diagnostic> warnings;
};

/// The default place, /etc/concert/ntp.toml.
std::filesystem::path default_path();

/// Reads `path`, then `path`'s drop-ins (`ntp.toml.d/*.toml` beside it, in
/// order of names). All errors are collected, not only the first. With
/// `must_exist` false a missing file is an empty one.
tl::expected<loaded_config, std::vector<diagnostic>>
load(const std::filesystem::path& path, bool must_exist);

/// The same for text at hand; `name` stands in diagnostics.
tl::expected<loaded_config, std::vector<diagnostic>>
parse(std::string_view text, std::string_view name);

/// What a reload changes.
struct config_difference {
  std::vector<source_config> removed_sources;
  std::vector<source_config> added_sources;
  std::vector<server_config> removed_servers;
  std::vector<server_config> added_servers;
  bool steering_changed = false;
  bool log_changed = false;
  /// Keys that take effect only at the next start, by name.
  std::vector<std::string> needs_restart;
  bool empty() const;
};
config_difference difference(const daemon_config& from,
                             const daemon_config& to);

} // namespace concert::config
