#include "ctl/format.hpp"
#include "ctl/nts_document.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace concert::ctl {

namespace {

/// So that a line with usual values has 80 columns.
constexpr std::size_t name_columns = 24;
constexpr std::size_t line_columns = 80;
constexpr std::size_t note_indent = 6; ///< as under other sources
/// A certificate with less than this left is marked.
constexpr double soon_s = 14 * 86400.0;

/// Later lines of `text` stand four columns further in than the first.
std::string paragraph(std::size_t indent, const std::string& text) {
  return std::string(indent, ' ')
         + wrapped(text, line_columns - indent, indent + 4) + '\n';
}

std::string note(const std::string& text) {
  return std::string(note_indent, ' ')
         + wrapped(text, line_columns - note_indent, note_indent);
}

std::string ago(std::optional<double> seconds) {
  return seconds ? age(seconds) + " ago" : "never";
}

std::string cookies(const observed_nts_source& s) {
  if (s.cookies.value_or(0) == 0 || s.cookie_length.value_or(0) == 0)
    return count(s.cookies);
  return fmt::format("{} x {}", *s.cookies, *s.cookie_length);
}

/// Where the keys are used; empty before they are there.
std::string place(const observed_nts_source& s) {
  if (s.server.empty())
    return s.address;
  return s.address.empty() ? s.server
                           : fmt::format("{} ({})", s.server, s.address);
}

/// Why there are no keys, or no new ones, and what comes next.
std::string trouble(const observed_nts_source& s) {
  std::string result;
  if (!s.problem.empty())
    result = "the last exchange failed: " + s.problem;
  else if (s.aead.empty() && !s.exchanging)
    result = "no keys yet";
  if (s.exchanging)
    return result + (result.empty() ? "" : "; ") + "exchanging keys now";
  if (!result.empty() && s.next_exchange_s)
    result += fmt::format("; {} in {}",
                          s.problem.empty() ? "asks for them" : "tried again",
                          age(s.next_exchange_s));
  return result;
}

std::string sources_table(const observation& o) {
  if (o.nts_sources.empty())
    return {};
  constexpr auto to_right = table::align::right;
  table t{{{"source"},
           {"AEAD"},
           {"cookies", to_right},
           {"exchanges", to_right},
           {"failed", to_right},
           {"last exchange", to_right}},
          1};
  for (const observed_nts_source& s : o.nts_sources) {
    const std::string name = without_usual_port(s.name, true);
    t.row({shortened(name, name_columns), s.aead.empty() ? "-" : s.aead,
           cookies(s), count(s.exchanges), count(s.failures),
           ago(s.last_exchange_age_s)});
    if (width(name) > name_columns)
      t.note(note(name));
    if (const auto text = place(s); !text.empty())
      t.note(note(text));
    if (const auto text = trouble(s); !text.empty())
      t.note(note(text));
  }
  return t.text();
}

/// "1204 connections, 1200 handshakes, 1190 exchanges, 3 of these for pools".
std::string summary(const observed_ke_server& s) {
  std::string result = fmt::format("{} connections", count(s.accepted));
  if (s.accepted.value_or(0) == 0)
    return result;
  result += fmt::format(", {} handshakes, {} exchanges", count(s.handshakes),
                        count(s.exchanges));
  if (s.pool_exchanges.value_or(0) > 0)
    result += fmt::format(", {} of these for pools", *s.pool_exchanges);
  if (s.connections.value_or(0) > 0)
    result += fmt::format(", {} in progress", *s.connections);
  return result;
}

/// Connections that were not served, through no fault of their own.
std::string turned_away(const observed_ke_server& s) {
  std::string result;
  if (s.rate_limited.value_or(0) > 0)
    result
      = fmt::format("{} from addresses that came too often", *s.rate_limited);
  if (s.too_many.value_or(0) > 0)
    result += fmt::format("{}{} to make room for others",
                          result.empty() ? "" : ", ", *s.too_many);
  return result.empty() ? result : "turned away: " + result;
}

std::string tls_words(const std::string& fault) {
  using pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array<pair, 7> known{
    {{"version", "no TLS 1.3"},
     {"application", "not for NTS key exchange (ALPN)"},
     {"certificate", "no good certificate"},
     {"refused", "the client refused us"},
     {"cut-off", "the connection ended without a goodbye"},
     {"too-much", "more data than anybody needs"},
     {"protocol", "no TLS, or not as it should be"}}};
  for (const auto& [name, words] : known)
    if (name == fault)
      return "TLS: " + std::string{words};
  return "TLS: " + fault;
}

std::string refusal_words(const std::string& reason) {
  const auto code = reason_named(reason);
  return code ? std::string{ntp::to_string(*code)} : reason;
}

std::string failures(const observed_ke_server& s) {
  table t{{{"  "},
           {"ended without cookies, as"},
           {"connections", table::align::right}}};
  bool some = false;
  const auto add = [&](const std::string& why, std::uint64_t connections) {
    if (connections == 0)
      return;
    some = true;
    t.row({"", why, fmt::format("{}", connections)});
  };
  add("it took too long", s.timed_out.value_or(0));
  add("the connection was lost", s.broken.value_or(0));
  for (const auto& [reason, connections] : s.refusals)
    add(refusal_words(reason), connections);
  for (const auto& [fault, connections] : s.tls_failures)
    add(tls_words(fault), connections);
  return some ? t.text() : std::string{};
}

std::string joined(const std::vector<std::string>& names) {
  return names.empty() ? "no name" : fmt::format("{}", fmt::join(names, ", "));
}

/// "2027-02-21 03:20 UTC"; certificates may outlast what `utc` can tell.
std::string date(std::optional<std::int64_t> unix_s) {
  constexpr std::int64_t year_10000 = 253'402'300'800;
  if (!unix_s || *unix_s < 0 || *unix_s >= year_10000)
    return "-";
  return fmt::format("{:%Y-%m-%d %H:%M} UTC",
                     fmt::gmtime(static_cast<std::time_t>(*unix_s)));
}

bool is_too_early(const observation& o, const observed_certificate& c) {
  const auto now = unix_now_s(o);
  return now && c.not_before && static_cast<double>(*c.not_before) > *now;
}

/// Whether somebody should look after it.
bool is_marked(const observation& o, const observed_certificate& c) {
  const auto left = time_left_s(o, c);
  return (left && *left < soon_s) || is_too_early(o, c);
}

std::string validity(const observation& o, const observed_certificate& c) {
  if (is_too_early(o, c))
    return "NOT VALID before " + date(c.not_before);
  const auto left = time_left_s(o, c);
  const std::string until = date(c.not_after);
  if (left && *left < 0)
    return fmt::format("EXPIRED {} ago, {}", age(-*left), until);
  if (left && *left < soon_s)
    return fmt::format("EXPIRES in {}, {}", age(left), until);
  return fmt::format("valid for {} until {}", age(left), until);
}

std::string certificate(const observation& o, const observed_certificate& c) {
  return paragraph(2, fmt::format("certificate for {}: {} ({})",
                                  joined(c.names), validity(o, c), c.file));
}

/// Certificates that need no care are left out of a `brief` one.
std::string certificates(const observation& o, const observed_ke_server& s,
                         bool brief) {
  std::string result;
  for (const observed_certificate& c : s.certificates)
    if (!brief || is_marked(o, c))
      result += certificate(o, c);
  if (!s.certificate_problem.empty())
    result += paragraph(2, "NEWER CERTIFICATES ARE NOT USED: "
                             + s.certificate_problem);
  return result;
}

std::string heading(const observed_ke_server& s) {
  return paragraph(0, listener(s.address, {}, s.listening, s.problem))
         + paragraph(2, summary(s));
}

std::string server_block(const observation& o, const observed_ke_server& s) {
  std::string result = heading(s);
  if (const auto text = turned_away(s); !text.empty())
    result += paragraph(2, text);
  return result + failures(s) + certificates(o, s, false);
}

std::string keyset_block(const observation& o) {
  const observed_keyset& k = *o.keyset;
  std::string text = "Keys of the cookies: ";
  if (k.keys.value_or(0) == 0) {
    text += "none yet";
  } else {
    text += fmt::format("{}, {}", *k.keys,
                        k.cluster.value_or(false)
                          ? "derived from the cluster's secret"
                          : "random");
    const auto now = unix_now_s(o);
    if (now && k.newest_since)
      text += fmt::format(", the newest {} old",
                          age(*now - static_cast<double>(*k.newest_since)));
    if (now && k.next_rotation)
      text += fmt::format(", the next in {}",
                          age(static_cast<double>(*k.next_rotation) - *now));
  }
  std::string result = paragraph(0, text);
  if (!k.problem.empty())
    result += paragraph(2, k.problem);
  return result;
}

} // namespace

std::string nts_summary(const observation& o) {
  std::string result;
  for (const observed_ke_server& s : o.ke_servers)
    result += heading(s) + certificates(o, s, true);
  return result;
}

std::string nts_view(const observation& o) {
  std::string result = sources_table(o);
  const auto add = [&result](const std::string& block) {
    result += (result.empty() ? "" : "\n") + block;
  };
  for (const observed_ke_server& s : o.ke_servers)
    add(server_block(o, s));
  if (o.keyset)
    add(keyset_block(o));
  if (result.empty())
    result = "No source and no server uses NTS.\n";
  return result + truncation(o);
}

} // namespace concert::ctl
