#pragma once

#include "ctl/json_writer.hpp"
#include "ctl/status.hpp"

#include <optional>
#include <string_view>

/// The parts of the observation document about NTS.
namespace concert::ctl {

/// "message-too-long": the name of a reason in the document.
std::string_view reason_name(ntp::ke_errc code);
/// The reason with that name, if there is one.
std::optional<ntp::ke_errc> reason_named(std::string_view name);

/// The members of an element of `nts_sources`.
void write_nts_source(json_writer& out, const nts_source_status& source);
/// The members of an element of `nts_ke_servers`.
void write_nts_ke_server(json_writer& out, const nts_ke_server_status& server);
/// The members of `keyset`.
void write_keyset(json_writer& out, const keyset_status& keyset);

} // namespace concert::ctl
