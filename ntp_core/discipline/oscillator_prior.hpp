#pragma once

namespace concert::ntp {

/// What is known of the oscillator before the first sample.
struct oscillator_prior {
  double frequency = 0;      ///< ratio
  double deviation = 100e-6; ///< of `frequency`, ratio
  double wander = 1e-8;      ///< likely random walk, per √s
};

} // namespace concert::ntp
