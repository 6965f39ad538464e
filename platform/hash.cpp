#include "platform/hash.hpp"

#include <gcrypt.h>

#include <mutex>

namespace concert::platform {

namespace {

/// libgcrypt wants to be set up before its first use.
void set_up() {
  static std::once_flag once;
  std::call_once(once, [] {
    gcry_check_version(nullptr);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  });
}

template <std::size_t Size>
std::array<std::byte, Size> digest(int algorithm,
                                   std::span<const std::byte> data) {
  set_up();
  std::array<std::byte, Size> out{};
  gcry_md_hash_buffer(algorithm, out.data(), data.data(), data.size());
  return out;
}

} // namespace

std::array<std::byte, 16> md5(std::span<const std::byte> data) {
  return digest<16>(GCRY_MD_MD5, data);
}

std::array<std::byte, 20> sha1(std::span<const std::byte> data) {
  return digest<20>(GCRY_MD_SHA1, data);
}

} // namespace concert::platform
