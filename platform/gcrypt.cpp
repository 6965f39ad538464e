#include "platform/gcrypt.hpp"

#include <gcrypt.h>

#include <mutex>
#include <string>

namespace concert::platform {

void set_up_gcrypt() {
  static std::once_flag once;
  std::call_once(once, [] {
    gcry_check_version(nullptr);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  });
}

void close_cipher::operator()(gcry_cipher_handle* cipher) const {
  gcry_cipher_close(cipher);
}

result<cipher_handle> open_cipher(const char* name, int algorithm, int mode) {
  set_up_gcrypt();
  gcry_cipher_hd_t cipher = nullptr;
  if (const auto problem = gcry_cipher_open(&cipher, algorithm, mode, 0))
    return tl::unexpected(
      error{errc::unavailable,
            std::string{"cannot use "} + name + ": " + gcry_strerror(problem)});
  return cipher_handle{cipher};
}

} // namespace concert::platform
