#include "platform/nonce_source.hpp"

#include <gcrypt.h>

#include <sys/random.h>

#include <cstring>
#include <utility>

namespace concert::platform {

namespace {

constexpr std::size_t key_octets = 32;

/// Up to 256 octets come whole, and the call only fails before the kernel's
/// generator is seeded, when it waits, or on a signal.
template <std::size_t Size>
void fill_from_kernel(std::array<std::uint64_t, Size>& block) {
  static_assert(sizeof block <= 256);
  while (getrandom(block.data(), sizeof block, 0)
         != static_cast<ssize_t>(sizeof block)) {
  }
}

} // namespace

nonce_source::nonce_source(cipher_handle cipher) : cipher_(std::move(cipher)) {
  // nop
}

nonce_source::~nonce_source() {
  explicit_bzero(block_.data(), sizeof block_);
}

result<std::unique_ptr<nonce_source>> nonce_source::make() {
  auto cipher
    = open_cipher("AES-256-CTR", GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CTR);
  if (!cipher)
    return tl::unexpected(cipher.error());
  std::unique_ptr<nonce_source> made{new nonce_source{std::move(*cipher)}};
  fill_from_kernel(made->block_);
  if (!made->rekey())
    return tl::unexpected(
      error{errc::unavailable, "cannot use AES-256-CTR: no key will do"});
  return made;
}

void nonce_source::refill() {
  block_.fill(0);
  // The counter goes on from block to block, as each has its own key.
  const bool made = gcry_cipher_encrypt(cipher_.get(), block_.data(),
                                        sizeof block_, nullptr, 0)
                      == 0
                    && rekey();
  // Not known to happen; but then a system call is better than numbers that
  // come again.
  if (!made) {
    fill_from_kernel(block_);
    used_ = 0;
  }
}

bool nonce_source::rekey() {
  const bool taken
    = gcry_cipher_setkey(cipher_.get(), block_.data(), key_octets) == 0;
  explicit_bzero(block_.data(), key_octets);
  used_ = key_octets / sizeof block_[0];
  return taken;
}

} // namespace concert::platform
