#include "ctl/nts_document.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace concert::ctl {

namespace {

/// In the order of `ntp::ke_errc`.
constexpr std::array<const char*, ntp::ke_errc_count> reason_names{
  "incomplete",       "message-too-long",  "record-length",
  "unknown-critical", "unexpected-record", "duplicate-record",
  "missing-record",   "trailing-data",     "no-common-protocol",
  "no-common-aead",   "wrong-protocol",    "wrong-aead",
  "peer-error",       "peer-warning",      "no-cookies",
  "cookie-length",    "server-name",       "server-port",
  "not-permitted",    "key-length",        "internal",
};

std::optional<std::int64_t>
unix_time(std::optional<std::chrono::seconds> since_1970) {
  if (!since_1970)
    return {};
  return since_1970->count();
}

void write_certificate(json_writer& out, const certificate_status& c) {
  out.field("file", c.file);
  out.array("names", [&] {
    for (const std::string& name : c.names)
      out.value(name);
  });
  out.field("not_before", unix_time(c.not_before));
  out.field("not_after", unix_time(c.not_after));
}

void write_failures(json_writer& out, const nts_ke_server_status& server) {
  out.object("refusals", [&] {
    for (std::size_t i = 0; i < reason_names.size(); ++i)
      if (server.refusals[i] != 0)
        out.field(reason_names[i], server.refusals[i]);
  });
  out.object("tls_failures", [&] {
    for (const auto& [fault, connections] : server.tls_failures)
      if (connections != 0)
        out.field(printable(fault).c_str(), connections);
  });
}

} // namespace

std::string_view reason_name(ntp::ke_errc code) {
  const auto i = static_cast<std::size_t>(code);
  return i < reason_names.size() ? reason_names[i] : "unknown";
}

std::optional<ntp::ke_errc> reason_named(std::string_view name) {
  const auto* const found = std::ranges::find(reason_names, name);
  if (found == reason_names.end())
    return {};
  return static_cast<ntp::ke_errc>(found - reason_names.begin());
}

void write_nts_source(json_writer& out, const nts_source_status& source) {
  out.field("name", source.name);
  out.field("address", source.address
                         ? std::optional{source.address->to_string()}
                         : std::nullopt);
  out.field("server", source.server);
  out.field("aead", source.aead ? std::optional{to_string(*source.aead)}
                                : std::nullopt);
  out.field("cookies", source.cookies);
  out.field("cookie_length", source.cookie_length);
  out.field("exchanging", source.exchanging);
  out.field("exchanges", source.exchanges);
  out.field("failures", source.failures);
  out.field("last_exchange_age", source.last_exchange_age_s);
  out.field("problem", source.problem);
  out.field("next_exchange", source.next_exchange_s);
}

void write_nts_ke_server(json_writer& out, const nts_ke_server_status& server) {
  out.field("address", server.address.to_string());
  out.field("listening", server.listening);
  out.field("problem", server.problem);
  out.array("certificates", [&] {
    for (const certificate_status& c : server.certificates)
      out.object([&] { write_certificate(out, c); });
  });
  out.field("certificate_problem", server.certificate_problem);
  out.field("connections", server.connections);
  out.field("accepted", server.accepted);
  out.field("handshakes", server.handshakes);
  out.field("exchanges", server.exchanges);
  out.field("pool_exchanges", server.pool_exchanges);
  out.field("rate_limited", server.rate_limited);
  out.field("too_many", server.too_many);
  out.field("timed_out", server.timed_out);
  out.field("broken", server.broken);
  write_failures(out, server);
}

void write_keyset(json_writer& out, const keyset_status& keyset) {
  out.field("cluster", keyset.cluster);
  out.field("keys", keyset.keys);
  out.field("newest_since", unix_time(keyset.newest_since));
  out.field("next_rotation", unix_time(keyset.next_rotation));
  out.field("problem", keyset.problem);
}

} // namespace concert::ctl
