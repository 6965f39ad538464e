#include "ntp_core/association/loop.hpp"

#include <algorithm>

namespace concert::ntp {

bool is_timing_loop(std::uint8_t stratum, std::uint32_t reference_id,
                    std::span<const std::uint32_t> own) {
  return stratum >= 2
         && std::find(own.begin(), own.end(), reference_id) != own.end();
}

} // namespace concert::ntp
