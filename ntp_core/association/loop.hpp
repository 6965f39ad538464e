#pragma once

#include <cstdint>
#include <span>

namespace concert::ntp {

/// Whether a server of `stratum` that names `reference_id` as its source
/// follows us. `own` are the reference ids of our addresses but loopback ones:
/// two machines that each follow a program on their own loopback are no loop.
/// Below stratum 2 a reference id names a clock, not an address.
bool is_timing_loop(std::uint8_t stratum, std::uint32_t reference_id,
                    std::span<const std::uint32_t> own);

} // namespace concert::ntp
