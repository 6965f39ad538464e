#pragma once

#include "ntp_core/time/random.hpp"

#include <array>
#include <cstddef>

namespace concert::platform {

/// The kernel's generator, read in blocks. Not for several threads.
class system_random final : public ntp::random_source {
public:
  std::uint64_t next() override;

private:
  std::array<std::uint64_t, 32> block_{};
  std::size_t used_ = 32;
};

} // namespace concert::platform
