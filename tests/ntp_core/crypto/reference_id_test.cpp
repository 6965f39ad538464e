#include "ntp_core/crypto/reference_id.hpp"

#include "ntp_core/association/loop.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ntp {

namespace {

/// Stands in for MD5: shows what was hashed.
md5_digest echo(std::span<const std::byte> message) {
  md5_digest digest{};
  CHECK(message.size() == digest.size());
  std::reverse_copy(message.begin(), message.end(), digest.begin());
  return digest;
}

} // namespace

TEST_CASE("an IPv4 server's reference id is its address") {
  CHECK(reference_id_of(*ip_address::parse("192.0.2.1"), echo) == 0xc0000201);
}

TEST_CASE("an IPv6 server's reference id starts the hash of its address") {
  CHECK(reference_id_of(*ip_address::parse("2001:db8::1:203"), echo)
        == 0x03020100);
}

TEST_CASE("a server that follows one of our addresses is a loop") {
  const std::uint32_t own[] = {0xc0000201, 0x01020304};
  CHECK(is_timing_loop(2, 0xc0000201, own));
  CHECK(is_timing_loop(15, 0x01020304, own));
  CHECK(!is_timing_loop(2, 0xc0000202, own));
  CHECK(!is_timing_loop(2, 0, {}));
}

TEST_CASE("a stratum 1 server's clock code is never a loop") {
  const std::uint32_t own[] = {0x47505300};
  CHECK(!is_timing_loop(1, 0x47505300, own));
}

} // namespace concert::ntp
