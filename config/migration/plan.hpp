#pragma once

#include "config/migration/access_rules.hpp"
#include "config/migration/draft.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace concert::config {

/// One source.
struct source_plan {
  bool pool = false;
  bool nts = false;
  std::string host; ///< valid
  std::uint16_t port = 123;
  std::uint16_t ke_port = 4460;
  std::optional<std::int64_t> min_poll; ///< log2 s
  std::optional<std::int64_t> max_poll; ///< log2 s
  bool iburst = false;
  bool prefer = false;
  bool noselect = false;
  bool offline = false;
  bool interleaved = false;
  std::int64_t version = 4;
  std::int64_t count = 4; ///< pools only
  double offset_s = 0;
  std::vector<std::string> authorities; ///< files; with NTS
};

/// Whether a host name or an address is one for us.
bool is_host(std::string_view name);

/// Whether it is a name that an interface may have.
bool is_interface(std::string_view name);

/// Where to serve.
struct listen_plan {
  ntp::ip_address address; ///< may be unspecified: all of its family
  std::string interface;   ///< empty = all
};

/// A limit on how often one client may ask.
struct rate_plan {
  double spacing_s = 8;
  std::int64_t burst = 8;
  std::int64_t leak = 4; ///< 1 in so many passes, 1 to 16
  std::int64_t kiss = 0; ///< 1 in so many of the rest is told; 0 = none
};

/// What another daemon's configuration asks for. The tables are TOML already;
/// what depends on several directives is kept apart until all are read.
struct plan {
  draft_table top;
  draft_table synchronization;
  draft_table algorithm;
  draft_table observability;
  draft_table keyset;
  std::vector<source_plan> sources;
  std::string aeads;             ///< a TOML list; empty = our default
  bool after_first_sync = false; ///< times in certificates count only then

  // -- servers ----------------------------------------------------------------
  access_rules access;
  std::vector<listen_plan> listen; ///< empty: on all addresses
  std::uint16_t port = 123;        ///< 0: nobody is served
  std::optional<rate_plan> rate;
  std::int64_t clients = 0; ///< remembered; 0: our default
  bool interleaved = true;
  bool answers_peers = false;

  // -- servers of keys --------------------------------------------------------
  std::vector<std::string> certificates; ///< files
  std::vector<std::string> private_keys; ///< files, of the same order
  std::uint16_t ke_port = 4460;
  draft_table ke; ///< keys of `[[nts-ke-server]]`

  /// All of it, as a file.
  std::string toml(std::string_view heading) const;
};

} // namespace concert::config
