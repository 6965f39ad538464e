#include "config/values.hpp"

#include "config/host_port.hpp"

#include <algorithm>
#include <cmath>

namespace concert::config {

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

tl::unexpected<bad_value> expected_kind(std::string_view what,
                                        const toml::node& node) {
  return wrong(node, fmt::format("expected {}, found {}", what, kind_of(node)));
}

tl::unexpected<bad_value> wrong(const toml::node& node, std::string text) {
  return tl::unexpected<bad_value>{{node.source(), std::move(text)}};
}

value_or_error<bool> boolean(const toml::node& node) {
  if (const auto value = node.value_exact<bool>())
    return *value;
  return expected_kind("a boolean", node);
}

value_or_error<std::string> text(const toml::node& node) {
  auto value = node.value_exact<std::string>();
  if (!value)
    return expected_kind("a string", node);
  if (value->empty())
    return wrong(node, "must not be empty");
  if (value->find('\0') != std::string::npos)
    return wrong(node, "must not contain a NUL character");
  return std::move(*value);
}

value_or_error<std::filesystem::path> path(const toml::node& node) {
  return text(node).map(
    [](std::string&& name) { return std::filesystem::path{std::move(name)}; });
}

value_or_error<std::int64_t> integer(const toml::node& node, std::int64_t low,
                                     std::int64_t high) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value)
    return expected_kind("an integer", node);
  if (*value < low || *value > high)
    return wrong(
      node, fmt::format("must be from {} to {}, found {}", low, high, *value));
  return *value;
}

value_or_error<double> number(const toml::node& node, double low, double high) {
  if (!node.is_number())
    return expected_kind("a number", node);
  const double value = node.value_or(std::nan(""));
  // Written so that NaN is refused too.
  if (!(value >= low && value <= high))
    return wrong(
      node, fmt::format("must be from {} to {}, found {}", low, high, value));
  return value;
}

value_or_error<host_port> host(const toml::node& node,
                               std::uint16_t default_port) {
  const auto name = node.value_exact<std::string_view>();
  if (!name)
    return expected_kind("a string", node);
  auto parsed = parse_host_port(*name, default_port);
  if (!parsed)
    return wrong(node, std::move(parsed.error()));
  return std::move(*parsed);
}

value_or_error<ntp::ip_address> address(const toml::node& node) {
  const auto name = node.value_exact<std::string_view>();
  if (!name)
    return expected_kind("a string", node);
  if (const auto parsed = ntp::ip_address::parse(*name))
    return *parsed;
  return wrong(node, fmt::format("expected an IP address, found \"{}\"",
                                 printable(*name)));
}

value_or_error<ntp::ip_prefix> prefix(const toml::node& node) {
  const auto name = node.value_exact<std::string_view>();
  if (!name)
    return expected_kind("a string", node);
  if (const auto parsed = ntp::ip_prefix::parse(*name))
    return *parsed;
  return wrong(node, fmt::format("expected an address range such as "
                                 "\"192.0.2.0/24\", found \"{}\"",
                                 printable(*name)));
}

value_or_error<std::string> interface_name(const toml::node& node) {
  constexpr std::size_t longest = 15; // IFNAMSIZ less the final NUL
  auto name = text(node);
  if (!name)
    return name;
  const auto is_bad = [](unsigned char c) {
    return c <= ' ' || c == 0x7f || c == '/' || c == ':';
  };
  if (name->size() > longest || *name == "." || *name == ".."
      || std::any_of(name->begin(), name->end(), is_bad))
    return wrong(node, fmt::format("expected the name of a network interface "
                                   "such as \"eth0\", found \"{}\"",
                                   printable(*name)));
  return name;
}

value_or_error<ntp::endpoint> listen_endpoint(const toml::node& node,
                                              std::uint16_t default_port) {
  const auto name = node.value_exact<std::string_view>();
  if (!name)
    return expected_kind("a string", node);
  if (const auto bare = ntp::ip_address::parse(*name))
    return ntp::endpoint{*bare, default_port};
  if (const auto parsed = ntp::endpoint::parse(*name); parsed && parsed->port)
    return *parsed;
  return wrong(node, fmt::format("expected an IP address with a port such as "
                                 "\"[::]:{}\", found \"{}\"",
                                 default_port, printable(*name)));
}

namespace {

value_or_error<ntp::aead_id> aead(const toml::node& node) {
  using id = ntp::aead_id;
  if (node.is_string())
    return one_of<id>({{to_string(id::aes_siv_cmac_256), id::aes_siv_cmac_256},
                       {to_string(id::aes_siv_cmac_384), id::aes_siv_cmac_384},
                       {to_string(id::aes_siv_cmac_512), id::aes_siv_cmac_512},
                       {to_string(id::aes_128_gcm_siv), id::aes_128_gcm_siv}})(
      node);
  const auto number = node.value_exact<std::int64_t>();
  if (!number)
    return expected_kind("the number or the name of an AEAD", node);
  if (*number >= 0 && *number <= 0xffff) {
    if (const auto known = ntp::to_aead(static_cast<std::uint16_t>(*number)))
      return *known;
  }
  return wrong(node,
               fmt::format("must be 15, 16, 17 or 30, found {}", *number));
}

} // namespace

value_or_error<aead_list> aeads(const toml::node& node) {
  auto list = array_of(aead)(node);
  if (!list)
    return list;
  if (list->empty())
    return wrong(node, "must name an AEAD");
  for (auto at = list->begin(); at != list->end(); ++at) {
    if (std::find(list->begin(), at, *at) != at)
      return wrong(node, fmt::format("names AEAD {} twice",
                                     static_cast<std::uint16_t>(*at)));
  }
  return list;
}

value_or_error<std::vector<std::filesystem::path>>
one_or_more_paths(const toml::node& node) {
  if (node.is_string())
    return path(node).map([](std::filesystem::path&& only) {
      return std::vector{std::move(only)};
    });
  if (!node.is_array())
    return expected_kind("a path or an array of paths", node);
  auto list = array_of(path)(node);
  if (list && list->empty())
    return wrong(node, "must name a file");
  return list;
}

} // namespace concert::config
