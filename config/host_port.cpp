#include "config/host_port.hpp"

#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace concert::config {

namespace {

/// Longest host name in text (RFC 1035 §2.3.4).
constexpr std::size_t longest_name = 253;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && text.front() != '.'
         && text.find("..") == std::string_view::npos
         && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_v6_address(std::string_view text) {
  return text.find(':') != std::string_view::npos
         && ntp::ip_address::parse(text).has_value();
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0)
    return std::nullopt;
  return port;
}

/// The text before and after the ':' of the port; no second part = no port.
struct parts {
  std::string_view host;
  std::optional<std::string_view> port;
  bool v6 = false;
};

std::optional<parts> split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos)
      return std::nullopt;
    const auto host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (rest.empty())
      return parts{host, std::nullopt, true};
    if (rest.front() != ':')
      return std::nullopt;
    return parts{host, rest.substr(1), true};
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return parts{text, std::nullopt, false};
  if (text.find(':', colon + 1) != std::string_view::npos)
    return parts{text, std::nullopt, true};
  return parts{text.substr(0, colon), text.substr(colon + 1), false};
}

} // namespace

std::string host_port::to_string() const {
  if (host.find(':') == std::string::npos)
    return fmt::format("{}:{}", host, port);
  return fmt::format("[{}]:{}", host, port);
}

tl::expected<host_port, std::string>
parse_host_port(std::string_view text, std::uint16_t default_port) {
  const auto found = split(text);
  if (!found
      || !(found->v6 ? is_v6_address(found->host) : is_host_name(found->host)))
    return tl::unexpected{
      fmt::format("expected a host name or an IP address, with a port if it is "
                  "not {} (\"[v6]:port\" for IPv6), found \"{}\"",
                  default_port, printable(text))};
  host_port result{std::string{found->host}, default_port};
  if (found->port) {
    const auto port = parse_port(*found->port);
    if (!port)
      return tl::unexpected{
        fmt::format("expected a port from 1 to 65535, found \"{}\"",
                    printable(*found->port))};
    result.port = *port;
  }
  return result;
}

} // namespace concert::config
