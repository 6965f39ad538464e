#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concert::ntp {

/// An IPv4 or IPv6 address without a port. IPv4-mapped IPv6 addresses
/// (::ffff:a.b.c.d) are always held as IPv4, so that one client is one value.
class ip_address {
public:
  /// 0.0.0.0.
  ip_address() = default;

  static ip_address v4(const std::array<std::uint8_t, 4>& octets);
  /// Takes 16 octets in network order; a v4-mapped address becomes IPv4.
  /// `scope_id` is the interface index of a link-local address, else 0.
  static ip_address v6(const std::array<std::uint8_t, 16>& octets,
                       std::uint32_t scope_id = 0);

  /// Reads dotted IPv4 or RFC 4291 IPv6 text, without port or brackets (a
  /// numeric `%scope` is taken); nothing when the text is no address.
  static std::optional<ip_address> parse(std::string_view text);

  bool is_v4() const { return v4_; }

  bool is_loopback() const;
  bool is_unspecified() const;

  std::uint32_t scope_id() const { return scope_id_; }

  /// 16 octets in network order; IPv4 stands in the first four, rest zero.
  const std::array<std::uint8_t, 16>& octets() const { return octets_; }

  /// Canonical text (RFC 5952 for IPv6).
  std::string to_string() const;

  auto operator<=>(const ip_address&) const = default;

private:
  std::array<std::uint8_t, 16> octets_{};
  std::uint32_t scope_id_ = 0;
  bool v4_ = true;
};

/// An address with a UDP or TCP port.
struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  /// "192.0.2.1:123" or "[2001:db8::1]:123".
  std::string to_string() const;
  /// Reads what `to_string` writes; nothing when the text is neither form.
  static std::optional<endpoint> parse(std::string_view text);
  auto operator<=>(const endpoint&) const = default;
};

/// An address range such as 192.0.2.0/24.
struct ip_prefix {
  ip_address network;      ///< host bits are zero
  std::uint8_t length = 0; ///< bits, at most 32 or 128

  /// Reads "address/length"; nothing when it is malformed. Host bits are
  /// cleared; a v4-mapped prefix of length ≥ 96 becomes IPv4.
  static std::optional<ip_prefix> parse(std::string_view text);
  bool contains(const ip_address& address) const;
  std::string to_string() const;
  auto operator<=>(const ip_prefix&) const = default;
};

} // namespace concert::ntp
