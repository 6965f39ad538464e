#pragma once

#include "ntp_core/time/random.hpp"
#include "platform/error.hpp"
#include "platform/gcrypt.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace concert::platform {

/// Unpredictable numbers without a system call for each block: AES-256 in
/// counter mode, keyed by the kernel once. Not for several threads, and not to
/// be used on both sides of a fork.
///
/// Each block gives the key of the next, and a number is overwritten when it
/// is handed out: who reads the memory later learns none of the past.
class nonce_source final : public ntp::random_source {
public:
  /// `unavailable` if libgcrypt refuses the cipher.
  static result<std::unique_ptr<nonce_source>> make();
  ~nonce_source() override;
  nonce_source(const nonce_source&) = delete;
  nonce_source& operator=(const nonce_source&) = delete;

  std::uint64_t next() override {
    if (used_ == block_.size())
      refill();
    const auto number = block_[used_];
    block_[used_++] = 0;
    return number;
  }

private:
  explicit nonce_source(cipher_handle cipher);

  void refill();
  /// Makes the first numbers of the block the key and takes them away.
  bool rekey();

  cipher_handle cipher_;
  std::array<std::uint64_t, 32> block_{};
  std::size_t used_ = block_.size();
};

} // namespace concert::platform
