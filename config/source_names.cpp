#include "config/source_names.hpp"

#include "config/diagnostics.hpp"
#include "config/host_port.hpp"

#include <fmt/format.h>

namespace concert::config {

namespace {

/// The port of an address that names none.
constexpr std::uint16_t no_port = 0;

host_port parsed(std::string_view name) {
  return parse_host_port(name, no_port)
    .value_or(host_port{std::string{name}, no_port});
}

bool fits(const host_port& a, const host_port& b) {
  return a.host == b.host
         && (a.port == b.port || a.port == no_port || b.port == no_port);
}

/// "a:123, b:123 and 3 more".
std::string list(const std::vector<host_port>& sources) {
  constexpr std::size_t most = 20;
  std::string result;
  for (std::size_t i = 0; i < sources.size() && i < most; ++i)
    result += (i == 0 ? "" : ", ") + sources[i].to_string();
  if (sources.size() > most)
    result += fmt::format(" and {} more", sources.size() - most);
  return result;
}

} // namespace

bool same_source(std::string_view a, std::string_view b) {
  return fits(parsed(a), parsed(b));
}

tl::expected<std::size_t, std::string>
find_source(const std::vector<host_port>& sources, std::string_view name) {
  const auto wanted = parsed(name);
  std::vector<host_port> fitting;
  std::size_t found = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (fits(sources[i], wanted)) {
      found = i;
      fitting.push_back(sources[i]);
    }
  }
  if (fitting.size() == 1)
    return found;
  if (sources.empty())
    return tl::unexpected{
      fmt::format("no source `{}`: none is configured", printable(name))};
  if (fitting.empty())
    return tl::unexpected{fmt::format("no source `{}`: there are {}",
                                      printable(name), list(sources))};
  return tl::unexpected{
    fmt::format("`{}` is not one source: {}", printable(name), list(fitting))};
}

tl::expected<std::string, std::string> find_source(const daemon_config& config,
                                                   std::string_view name) {
  std::vector<host_port> addresses;
  for (const auto& source : config.sources)
    addresses.push_back(source.address);
  return find_source(addresses, name).map([&](std::size_t at) {
    return addresses[at].to_string();
  });
}

} // namespace concert::config
