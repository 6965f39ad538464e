#pragma once

#include "config/config.hpp"
#include "config/diagnostics.hpp"
#include "config/nearest_name.hpp"

#include <fmt/format.h>
#include <tl/expected.hpp>
#include <toml++/toml.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Readers of single values: each turns a TOML value into a C++ one, or says
/// what is wrong with it and where.
namespace concert::config {

struct bad_value {
  toml::source_region where;
  std::string text;
};

template <class T>
using value_or_error = tl::expected<T, bad_value>;

/// "a boolean", "an array", …
std::string_view kind_of(const toml::node& node);

/// "expected `what`, found …" at the place of `node`.
tl::unexpected<bad_value> expected_kind(std::string_view what,
                                        const toml::node& node);
/// `text` at the place of `node`.
tl::unexpected<bad_value> wrong(const toml::node& node, std::string text);

value_or_error<bool> boolean(const toml::node& node);
/// Text that is not empty and has no NUL.
value_or_error<std::string> text(const toml::node& node);
value_or_error<std::filesystem::path> path(const toml::node& node);
value_or_error<std::int64_t> integer(const toml::node& node, std::int64_t low,
                                     std::int64_t high);
value_or_error<double> number(const toml::node& node, double low, double high);

/// Reader of an integer within [low, high] that fits into T.
template <class T>
auto integer_within(std::int64_t low, std::int64_t high) {
  return [=](const toml::node& node) -> value_or_error<T> {
    return integer(node, low, high).map([](std::int64_t value) {
      return static_cast<T>(value);
    });
  };
}

/// Reader of a whole number of milliseconds within [low, high].
inline auto milliseconds_within(std::int64_t low, std::int64_t high) {
  return [=](const toml::node& node) {
    return integer(node, low, high).map([](std::int64_t value) {
      return std::chrono::milliseconds{value};
    });
  };
}

/// Reader of a finite number within [low, high].
inline auto number_within(double low, double high) {
  return [=](const toml::node& node) { return number(node, low, high); };
}

/// Reader of one of a few words.
template <class Enum>
auto one_of(std::vector<std::pair<std::string_view, Enum>> words) {
  return [words
          = std::move(words)](const toml::node& node) -> value_or_error<Enum> {
    const auto word = node.value_exact<std::string_view>();
    if (!word)
      return expected_kind("a string", node);
    std::vector<std::string_view> names;
    for (const auto& [name, value] : words) {
      if (name == *word)
        return value;
      names.push_back(name);
    }
    return wrong(node, fmt::format("unknown value \"{}\": {}", printable(*word),
                                   suggestion(*word, names)));
  };
}

/// Reader of an array of what `element` reads.
template <class Element>
auto array_of(Element element) {
  return [element](const toml::node& node) {
    using value_type = typename decltype(element(node))::value_type;
    using result = value_or_error<std::vector<value_type>>;
    const auto* array = node.as_array();
    if (array == nullptr)
      return result{expected_kind("an array", node)};
    std::vector<value_type> values;
    for (const auto& item : *array) {
      auto value = element(item);
      if (!value)
        return result{tl::unexpect, std::move(value.error())};
      values.push_back(std::move(*value));
    }
    return result{std::move(values)};
  };
}

/// What is read where the port may be left out.
value_or_error<host_port> host(const toml::node& node,
                               std::uint16_t default_port);
value_or_error<ntp::endpoint> listen_endpoint(const toml::node& node,
                                              std::uint16_t default_port);

/// Reader of a host with an optional port.
inline auto host_or(std::uint16_t default_port) {
  return [=](const toml::node& node) { return host(node, default_port); };
}

/// Reader of "address:port" or of an address alone.
inline auto listen_or(std::uint16_t default_port) {
  return
    [=](const toml::node& node) { return listen_endpoint(node, default_port); };
}

value_or_error<ntp::ip_address> address(const toml::node& node);
value_or_error<ntp::ip_prefix> prefix(const toml::node& node);
/// The name of a network interface, as Linux takes it.
value_or_error<std::string> interface_name(const toml::node& node);
/// A list of AEADs, by numbers or names.
value_or_error<aead_list> aeads(const toml::node& node);
/// One path, or a list of them that is not empty.
value_or_error<std::vector<std::filesystem::path>>
one_or_more_paths(const toml::node& node);

} // namespace concert::config
