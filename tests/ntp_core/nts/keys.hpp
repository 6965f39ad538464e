#pragma once

#include "ntp_core/crypto/random_octets.hpp"
#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <array>
#include <vector>

namespace concert::ntp::test {

inline constexpr std::array all_aeads{
  aead_id::aes_siv_cmac_256, aead_id::aes_siv_cmac_384,
  aead_id::aes_siv_cmac_512, aead_id::aes_128_gcm_siv};

template <std::size_t Size>
secret<Size> random_secret(std::size_t octets, random_source& random) {
  std::vector<std::byte> bytes(octets);
  fill_random(bytes, random);
  return secret<Size>{bytes};
}

inline session_keys random_keys(aead_id aead, random_source& random) {
  return {aead, random_secret<64>(key_size(aead), random),
          random_secret<64>(key_size(aead), random)};
}

/// A cookie that `keys` sealed for `session`.
inline std::vector<std::byte> sealed(const cookie_keys& keys,
                                     const session_keys& session,
                                     random_source& random) {
  toy_cipher cipher;
  std::vector<std::byte> cookie(cookie_size(session.aead));
  keys.seal(session, cipher, random, cookie);
  return cookie;
}

inline std::optional<session_keys> opened(const cookie_keys& keys,
                                          std::span<const std::byte> cookie) {
  toy_cipher cipher;
  return keys.open(cookie, cipher);
}

/// Each file with one octet wrong, each way round, or its end missing is
/// refused by `parse`; so is one with more behind its end.
template <class Parse>
bool refuses_damage(const secret_bytes& file, Parse parse) {
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (parse(std::span{file}.first(i)))
      return false;
    for (int change = 1; change < 256; ++change) {
      auto bad = file;
      bad[i] ^= static_cast<std::byte>(change);
      if (parse(bad))
        return false;
    }
  }
  auto longer = file;
  longer.push_back({});
  return !parse(longer);
}

} // namespace concert::ntp::test
