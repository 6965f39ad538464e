// Whatever arrives: parsing ends, its views stay inside of the packet, and the
// header that was read encodes to the same octets.

#include "ntp_core/packet/packet.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace concert::ntp {

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  if (const auto header = parse_header(bytes)) {
    std::array<std::byte, header_size> again{};
    encode(*header, again);
    require(std::equal(again.begin(), again.end(), bytes.begin()));
  } else {
    require(size < header_size);
  }
  const auto packet = parse_packet(bytes);
  if (!packet)
    return 0;
  std::size_t total = header_size;
  for (const auto& field : packet->extensions)
    total += field.body.size() + 4;
  if (packet->mac)
    total += packet->mac->digest.size() + 4;
  require(total == size);
  return 0;
}

} // namespace concert::ntp
