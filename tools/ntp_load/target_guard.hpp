#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "platform/error.hpp"

#include <cstdint>

namespace concert::load {

/// What the kernel's routing table says of the way to an address.
struct route {
  std::uint8_t type = 0;  ///< RTN_…
  bool gateway = false;   ///< there is a router between
  bool veth = false;      ///< leaves by one end of a veth pair
  unsigned host_bits = 0; ///< of the network that it leads to
};

platform::result<route> route_to(const ntp::ip_address& address);

/// Whether the address is one of this network namespace.
bool is_local(const route& r);

/// Whether requests at full speed to this address can only hit this machine:
/// it is local, or at the other end of a veth pair with room for two addresses.
/// A veth into a larger network leads to a bridge, and to others.
bool is_ours(const route& r);

} // namespace concert::load
