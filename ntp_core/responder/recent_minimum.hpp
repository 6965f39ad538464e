#pragma once

#include "ntp_core/time/time.hpp"

#include <cstddef>
#include <optional>

namespace concert::ntp {

/// The least of the last `window` to twice `window` samples.
class recent_minimum {
public:
  static constexpr std::size_t window = 32;

  void add(ntp_duration d);
  /// Nothing before the first sample.
  std::optional<ntp_duration> value() const;

private:
  std::optional<ntp_duration> current_;
  std::optional<ntp_duration> previous_;
  std::size_t count_ = 0; ///< in the current window
};

} // namespace concert::ntp
