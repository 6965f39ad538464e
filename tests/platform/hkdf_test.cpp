#include "ntp_core/crypto/key_derivation.hpp"
#include "platform/hash.hpp"
#include "tests/ntp_core/support/octets.hpp"

#include <doctest/doctest.h>

#include <nettle/hkdf.h>
#include <nettle/hmac.h>

#include <array>
#include <random>
#include <stdexcept>

namespace concert::platform {

namespace {

using ntp::test::from_hex;
using ntp::test::octets;

octets hkdf(const octets& secret, const octets& salt, const octets& info,
            std::size_t size) {
  constexpr ntp::hkdf_fn derive = hkdf_sha256;
  octets out(size);
  derive(secret, salt, info, out);
  return out;
}

octets counting(int first, int last) {
  octets result;
  for (int i = first; i <= last; ++i)
    result.push_back(static_cast<std::byte>(i));
  return result;
}

const std::uint8_t* raw(const octets& bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

void update(void* state, std::size_t size, const std::uint8_t* data) {
  hmac_sha256_update(static_cast<hmac_sha256_ctx*>(state), size, data);
}

void finish(void* state, std::size_t size, std::uint8_t* digest) {
  hmac_sha256_digest(static_cast<hmac_sha256_ctx*>(state), size, digest);
}

octets nettle_hkdf(const octets& secret, const octets& salt, const octets& info,
                   std::size_t size) {
  hmac_sha256_ctx state{};
  std::array<std::uint8_t, 32> key{};
  hmac_sha256_set_key(&state, salt.size(), raw(salt));
  hkdf_extract(&state, update, finish, key.size(), secret.size(), raw(secret),
               key.data());
  hmac_sha256_set_key(&state, key.size(), key.data());
  octets out(size);
  hkdf_expand(&state, update, finish, key.size(), info.size(), raw(info), size,
              reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

} // namespace

TEST_CASE("HKDF gives the results of RFC 5869") {
  const octets secret(22, std::byte{0x0b});
  CHECK(hkdf(secret, counting(0x00, 0x0c), counting(0xf0, 0xf9), 42)
        == from_hex("3cb25f25faacd57a90434f64d0362f2a"
                    "2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                    "34007208d5b887185865"));
  CHECK(
    hkdf(counting(0x00, 0x4f), counting(0x60, 0xaf), counting(0xb0, 0xff), 82)
    == from_hex("b11e398dc80327a1c8e7f78c596a4934"
                "4f012eda2d4efad8a050cc4c19afa97c"
                "59045a99cac7827271cb41c65e590e09"
                "da3275600c2f09b8367793a9aca3db71"
                "cc30c58179ec3e87c14c01d5c1f3434f"
                "1d87"));
  CHECK(hkdf(secret, {}, {}, 42)
        == from_hex("8da4e775a563c18f715f802a063c5a31"
                    "b8a11f5c5ee1879ec3454e5f3c738d2d"
                    "9d201395faa4b61a96c8"));
}

TEST_CASE("HKDF agrees with nettle") {
  std::mt19937_64 random{5869};
  const auto some = [&](std::size_t limit) {
    octets result(random() % limit);
    for (auto& octet : result)
      octet = static_cast<std::byte>(random());
    return result;
  };
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto secret = some(100), salt = some(100), info = some(100);
    CHECK(hkdf(secret, salt, info, size)
          == nettle_hkdf(secret, salt, info, size));
  }
  CHECK(hkdf({}, {}, {}, 8160) == nettle_hkdf({}, {}, {}, 8160));
}

TEST_CASE("HKDF does not repeat itself beyond its limit") {
  octets out(8161);
  CHECK_THROWS_AS(hkdf_sha256({}, {}, {}, out), std::length_error);
  CHECK(out == octets(8161));
}

} // namespace concert::platform
