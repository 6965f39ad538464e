#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace concert::ctl {

namespace {

std::string requests_by_version(const observed_server& server) {
  std::string result;
  for (std::size_t version = 0; version < server.versions.size(); ++version)
    if (server.versions[version] > 0)
      result += fmt::format("{}version {}: {}", result.empty() ? "" : ", ",
                            version, server.versions[version]);
  return result;
}

std::optional<std::uint64_t> total(const observed_server& server,
                                   const char* key) {
  const auto found = server.stats.find(key);
  return found == server.stats.end() ? std::nullopt
                                     : std::optional{found->second};
}

std::uint64_t answered(const observed_server& server,
                       std::initializer_list<std::string_view> reasons) {
  std::uint64_t result = 0;
  for (const observed_counter& c : server.counters)
    if (c.response == "answered" && std::ranges::count(reasons, c.reason) > 0)
      result += c.packets;
  return result;
}

/// "120446 packets received, 120381 answered, 7 of these in interleaved mode, 9
/// with NTS".
std::string summary(const observed_server& server) {
  const auto received = total(server, "received_packets");
  std::string result = fmt::format("{} packets received", count(received));
  if (received.value_or(0) == 0)
    return result;
  result
    += fmt::format(", {} answered", count(total(server, "accepted_packets")));
  const auto interleaved = answered(server, {"interleaved", "nts-interleaved"});
  const auto nts = answered(server, {"nts", "nts-interleaved"});
  if (interleaved > 0)
    result += fmt::format(", {} of these in interleaved mode", interleaved);
  if (nts > 0)
    result += fmt::format(", {} {}with NTS", nts,
                          interleaved > 0 ? "" : "of these ");
  return result;
}

/// Empty where no reply has left yet.
std::string latency(const observed_server& server) {
  if (!server.latency_p50_s)
    return {};
  std::string result = fmt::format("  half of the replies left within {}",
                                   span(server.latency_p50_s));
  if (server.latency_p99_s)
    result += fmt::format(", 99 % within {}", span(server.latency_p99_s));
  return result + '\n';
}

/// By (response, reason), or ntpd-rs's sums where there are no pairs.
std::string counters(const observed_server& server) {
  table t{{{"  "}, {"response"}, {"reason"}, {"packets", table::align::right}}};
  for (const observed_counter& c : server.counters)
    t.row({"", c.response, c.reason, fmt::format("{}", c.packets)});
  if (server.counters.empty())
    for (const auto& [key, packets] : server.stats)
      if (packets > 0 && key != "received_packets")
        t.row({"", key, "", fmt::format("{}", packets)});
  return t.text();
}

std::string clients(const observed_server& server) {
  table t{{{"  "}, {"top client"}, {"requests", table::align::right}}};
  for (const observed_client& c : server.top_clients)
    t.row({"", c.address, fmt::format("{}", c.requests)});
  return server.top_clients.empty() ? std::string{} : t.text();
}

std::string server_block(const observed_server& server) {
  std::string result = listener(server.address, server.interface,
                                server.listening, server.problem)
                       + "\n  " + wrapped(summary(server), 78, 4) + '\n';
  if (const auto lost = server.queue_overflows.value_or(0); lost > 0)
    result
      += fmt::format("  {} lost in the kernel's queue before that\n", lost);
  result += latency(server);
  if (total(server, "received_packets") != 0U)
    result += counters(server);
  if (const auto versions = requests_by_version(server); !versions.empty())
    result += "  " + versions + '\n';
  return result;
}

/// A paragraph for each server, made by `block`.
std::string paragraphs(const observation& o, const auto& block) {
  if (o.servers.empty())
    return "No servers.\n" + truncation(o);
  std::string result;
  for (const observed_server& server : o.servers)
    result += (result.empty() ? "" : "\n") + block(server);
  return result + truncation(o);
}

} // namespace

std::string servers_view(const observation& o) {
  return paragraphs(o, [](const observed_server& server) {
    return server_block(server) + clients(server);
  });
}

std::string servers_summary(const observation& o) {
  return paragraphs(o, server_block);
}

} // namespace concert::ctl
