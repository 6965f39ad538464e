#pragma once

#include "ntp_core/access/ip_address.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace concert::ntp {

/// A set of address ranges; finds out quickly whether an address lies in one
/// (100,000 prefixes without a scan). Immutable after construction.
class access_list {
public:
  access_list() = default;
  explicit access_list(std::span<const ip_prefix> prefixes);
  /// All IPv4 and IPv6 addresses.
  static access_list everybody();

  /// IPv4 addresses lie in IPv4 prefixes only, not in ::/0. Scope ids do not
  /// matter.
  bool contains(const ip_address& address) const;
  bool empty() const;

private:
  /// An address in network order.
  using octets = std::array<std::uint8_t, 16>;

  /// All addresses from `first` to `last`.
  struct range {
    octets first{};
    octets last{};
  };

  static void merge(std::vector<range>& ranges);

  // Sorted, without overlap.
  std::vector<range> v4_;
  std::vector<range> v6_;
};

} // namespace concert::ntp
