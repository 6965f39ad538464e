#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/association/snapshot.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/responder/counters.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  std::vector<source_status> sources;
  std::vector<server_status> servers;
};

/// The JSON document: ntpd-rs 1.9's keys and units (reference/ntpd-rs.md §2.5)
/// with ours added (issue 2, "ctl"). Beyond `limit` bytes sources are cut from
/// the end and `truncated` is true.
std::string to_json(const daemon_status& status,
                    std::size_t limit = 1024 * 1024);

/// Puts the 8-octet big-endian length before a document.
std::string frame(std::string_view document);

} // namespace concert::ctl
