#pragma once

#include "platform/error.hpp"

#include <memory>

struct gcry_cipher_handle;

namespace concert::platform {

/// libgcrypt wants to be set up before its first use; once more costs nothing.
void set_up_gcrypt();

struct close_cipher {
  void operator()(gcry_cipher_handle* cipher) const;
};

/// A cipher of libgcrypt. Closing it overwrites the key.
using cipher_handle = std::unique_ptr<gcry_cipher_handle, close_cipher>;

/// Opens a cipher by libgcrypt's own numbers; people know it as `name`.
/// `unavailable` if the library lacks it or is not allowed to use it.
result<cipher_handle> open_cipher(const char* name, int algorithm, int mode);

} // namespace concert::platform
