#pragma once

#include "ntp_core/access/ip_address.hpp"

#include <cstdint>

namespace concert::load {

/// Source addresses out of a prefix, by number.
class client_addresses {
public:
  explicit client_addresses(const ntp::ip_prefix& prefix) : prefix_(prefix) {}

  /// How many there are, at most 2^31. The network and the broadcast address
  /// of an IPv4 prefix are not among them. Those of an IPv6 prefix shorter than
  /// 64 bits each have a /64 of their own, as different clients have.
  std::uint64_t capacity() const;
  /// Number `i` below `capacity()`.
  ntp::ip_address at(std::uint64_t i) const;

  const ntp::ip_prefix& prefix() const { return prefix_; }

private:
  ntp::ip_prefix prefix_;
};

} // namespace concert::load
