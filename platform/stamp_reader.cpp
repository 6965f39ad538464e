#include "platform/stamp_reader.hpp"

namespace concert::platform {

stamp_reader::stamp_reader() {
  for (std::size_t i = 0; i < batch_size; ++i) {
    messages_[i].msg_hdr.msg_control = controls_[i].bytes.data();
    messages_[i].msg_hdr.msg_controllen = sizeof controls_[i].bytes;
  }
}

stamp_reader::batch stamp_reader::take(int fd) {
  const int count = recvmmsg(fd, messages_.data(), batch_size,
                             MSG_ERRQUEUE | MSG_DONTWAIT, nullptr);
  std::size_t found = 0;
  for (int i = 0; i < count; ++i) {
    auto& header = messages_[static_cast<std::size_t>(i)].msg_hdr;
    if (const auto stamp = stamping::transmit_stamp(header))
      stamps_[found++] = *stamp;
    header.msg_controllen = sizeof(control_buffer::bytes);
  }
  return {std::span{stamps_}.first(found),
          count == static_cast<int>(batch_size)};
}

} // namespace concert::platform
