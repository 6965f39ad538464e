#pragma once

#include "config/config.hpp"
#include "config/diagnostics.hpp"
#include "config/table_reader.hpp"

namespace concert::config {

/// Turns a TOML table into the validated configuration, with everything wrong
/// in `found`. With errors there the result is not to be used.
daemon_config read_config(const toml::table& table, diagnostics& found);

/// `[[source]]` and `[source-defaults]`.
void read_sources(table_reader& top, daemon_config& config);

/// `[[server]]`.
std::vector<server_config> read_servers(table_reader& top);

/// `[[nts-ke-server]]`.
std::vector<nts_ke_server_config> read_nts_ke_servers(table_reader& top);

/// `[keyset]`.
keyset_config read_keyset(table_reader& top);

/// `[synchronization]` with `[synchronization.algorithm]`, and those of its
/// keys that may stand at the top level as well.
void read_synchronization(table_reader& top, daemon_config& config);

} // namespace concert::config
