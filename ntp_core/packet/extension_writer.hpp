#pragma once

#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/extension.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace concert::ntp {

/// Appends extension fields (RFC 7822 §3) to a packet that is being made.
class extension_writer {
public:
  /// `used` octets of `packet` are written; the rest is room, of which the
  /// caller knows that it is enough.
  extension_writer(std::span<std::byte> packet, std::size_t used)
    : packet_(packet),
      used_(used) {}

  /// Adds a field and returns its body, which the caller fills; `body_size` is
  /// a multiple of 4.
  std::span<std::byte> add(extension_type type, std::size_t body_size) {
    const auto field = packet_.subspan(used_, extension_overhead + body_size);
    write_big_endian(field, 0, static_cast<std::uint16_t>(type));
    write_big_endian(field, 2, static_cast<std::uint16_t>(field.size()));
    used_ += field.size();
    return field.subspan(extension_overhead);
  }

  void add(extension_type type, std::span<const std::byte> body) {
    std::ranges::copy(body, add(type, body.size()).begin());
  }

  /// Octets of the packet so far.
  std::size_t size() const { return used_; }

private:
  std::span<std::byte> packet_;
  std::size_t used_;
};

} // namespace concert::ntp
