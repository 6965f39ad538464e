#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/crypto/hash.hpp"

#include <cstdint>

namespace concert::ntp {

/// The reference id, in host order, of a server that follows `address`: an IPv4
/// address itself, the first four octets of an IPv6 address's MD5
/// (RFC 5905 §7.3).
std::uint32_t reference_id_of(const ip_address& address, md5_fn md5);

} // namespace concert::ntp
