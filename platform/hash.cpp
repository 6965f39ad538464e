#include "platform/hash.hpp"

#include "ntp_core/crypto/secret.hpp"
#include "platform/gcrypt.hpp"

#include <gcrypt.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace concert::platform {

namespace {

using bytes = std::span<const std::byte>;

template <std::size_t Size>
std::array<std::byte, Size> digest(int algorithm, bytes data) {
  set_up_gcrypt();
  std::array<std::byte, Size> out{};
  gcry_md_hash_buffer(algorithm, out.data(), data.data(), data.size());
  return out;
}

constexpr std::size_t sha256_size = 32;
using sha256_secret = ntp::secret<sha256_size>;

gcry_buffer_t buffer_of(bytes data) {
  gcry_buffer_t buffer{};
  buffer.data = const_cast<std::byte*>(data.data()); // is only read
  buffer.size = buffer.len = data.size();
  return buffer;
}

/// HMAC with SHA-256 (RFC 2104) of three strings, one behind the other.
sha256_secret hmac_sha256(bytes key, bytes first, bytes second = {},
                          bytes third = {}) {
  const std::array parts{buffer_of(key), buffer_of(first), buffer_of(second),
                         buffer_of(third)};
  std::array<std::byte, sha256_size> out{};
  if (const auto problem
      = gcry_md_hash_buffers(GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC, out.data(),
                             parts.data(), static_cast<int>(parts.size())))
    throw std::runtime_error{std::string{"cannot derive a key: "}
                             + gcry_strerror(problem)};
  const sha256_secret code{out};
  explicit_bzero(out.data(), out.size());
  return code;
}

} // namespace

std::array<std::byte, 16> md5(bytes data) {
  return digest<16>(GCRY_MD_MD5, data);
}

std::array<std::byte, 20> sha1(bytes data) {
  return digest<20>(GCRY_MD_SHA1, data);
}

void hkdf_sha256(bytes secret, bytes salt, bytes info,
                 std::span<std::byte> out) {
  if (out.size() > 255 * sha256_size)
    throw std::length_error{"HKDF with SHA-256 yields at most 8,160 octets"};
  set_up_gcrypt();
  // Zeros behind a short key, or none, make the same code (RFC 2104 §2); in
  // FIPS mode libgcrypt takes no short ones.
  std::array<std::byte, sha256_size> padded{};
  if (salt.size() < padded.size()) {
    std::ranges::copy(salt, padded.begin());
    salt = padded;
  }
  const auto key = hmac_sha256(salt, secret);
  sha256_secret block;
  for (std::byte number{1}; !out.empty();
       number = static_cast<std::byte>(std::to_integer<int>(number) + 1)) {
    block = hmac_sha256(key.bytes(), block.bytes(), info, bytes{&number, 1});
    const auto size = std::min(out.size(), sha256_size);
    std::copy_n(block.bytes().begin(), size, out.begin());
    out = out.subspan(size);
  }
}

} // namespace concert::platform
