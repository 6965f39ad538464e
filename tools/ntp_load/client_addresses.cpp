#include "tools/ntp_load/client_addresses.hpp"

#include <algorithm>

namespace concert::load {

namespace {

constexpr unsigned most_bits = 31;

/// Adds `value` to a number of `octets` octets in network order.
template <class Octets>
void add(Octets& octets, std::size_t end, std::uint64_t value) {
  for (auto i = end; i-- > 0 && value > 0;) {
    value += octets[i];
    octets[i] = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}

} // namespace

std::uint64_t client_addresses::capacity() const {
  const unsigned length = prefix_.length;
  if (prefix_.network.is_v4()) {
    const auto all = std::uint64_t{1} << std::min(32 - length, most_bits);
    return all > 2 ? all - 2 : all;
  }
  const unsigned bits = length < 64 ? 64 - length : 128 - length;
  const auto all = std::uint64_t{1} << std::min(bits, most_bits);
  // The first address of a network belongs to its routers (RFC 4291 §2.6.1).
  return all > 1 ? all - 1 : all;
}

ntp::ip_address client_addresses::at(std::uint64_t i) const {
  auto octets = prefix_.network.octets();
  if (prefix_.network.is_v4()) {
    add(octets, 4, prefix_.length >= 31 ? i : i + 1);
    return ntp::ip_address::v4({octets[0], octets[1], octets[2], octets[3]});
  }
  if (prefix_.length < 64) {
    add(octets, 8, i + 1);
    octets[15] = 1;
  } else {
    add(octets, 16, prefix_.length == 128 ? i : i + 1);
  }
  return ntp::ip_address::v6(octets, prefix_.network.scope_id());
}

} // namespace concert::load
