#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

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

std::string received(const observed_server& server) {
  const auto found = server.stats.find("received_packets");
  return found == server.stats.end() ? "-" : fmt::format("{}", found->second);
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

std::string server_block(const observed_server& server) {
  std::string result = server.address;
  if (server.listening)
    result += *server.listening ? ": listening" : ": NOT LISTENING";
  if (!server.problem.empty())
    result += ", " + server.problem;
  result += fmt::format("\n  {} packets received", received(server));
  if (server.queue_overflows.value_or(0) > 0)
    result += fmt::format(", {} lost in the kernel's queue before that",
                          *server.queue_overflows);
  result += '\n';
  if (received(server) != "0")
    result += counters(server);
  if (const auto versions = requests_by_version(server); !versions.empty())
    result += "  " + versions + '\n';
  return result;
}

} // namespace

std::string servers_view(const observation& o) {
  if (o.servers.empty())
    return "No servers.\n" + truncation(o);
  std::string result;
  for (const observed_server& server : o.servers)
    result += (result.empty() ? "" : "\n") + server_block(server);
  return result + truncation(o);
}

} // namespace concert::ctl
