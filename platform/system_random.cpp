#include "platform/system_random.hpp"

#include <sys/random.h>

#include <cstddef>

namespace concert::platform {

std::uint64_t system_random::next() {
  if (used_ == block_.size()) {
    // Up to 256 bytes come whole, and the call only fails before the kernel's
    // generator is seeded, when it waits, or on a signal.
    while (getrandom(block_.data(), sizeof block_, 0)
           != static_cast<ssize_t>(sizeof block_)) {
    }
    used_ = 0;
  }
  return block_[used_++];
}

} // namespace concert::platform
