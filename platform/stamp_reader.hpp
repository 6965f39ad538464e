#pragma once

#include "platform/stamping.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace concert::platform {

/// Takes transmit stamps off error queues, many with one system call.
class stamp_reader {
public:
  static constexpr std::size_t batch_size = 32;

  stamp_reader();
  stamp_reader(const stamp_reader&) = delete;
  stamp_reader& operator=(const stamp_reader&) = delete;

  struct batch {
    std::span<const stamping::transmitted>
      stamps;          ///< valid until the next `take`
    bool more = false; ///< the queue may hold others
  };
  /// Takes what waits; anything but stamps is passed over.
  batch take(int fd);

private:
  struct control_buffer {
    alignas(cmsghdr) std::array<std::byte, 256> bytes;
  };
  std::array<mmsghdr, batch_size> messages_{};
  std::array<control_buffer, batch_size> controls_;
  std::array<stamping::transmitted, batch_size> stamps_{};
};

} // namespace concert::platform
