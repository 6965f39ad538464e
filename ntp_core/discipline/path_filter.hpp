#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/discipline/oscillator_prior.hpp"
#include "ntp_core/discipline/path_delay.hpp"
#include "ntp_core/discipline/path_memory.hpp"
#include "ntp_core/discipline/path_sample.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace concert::ntp {

/// What became of a sample.
enum class sample_verdict : std::uint8_t {
  used,
  suspect, ///< far from what was expected; waits for a second one
  jump,    ///< the second of its kind: followed, the past is forgotten
};

/// The delay-weighted Kalman filter of one source (algorithm.md §3, "c0"):
/// offset and frequency, with a measurement noise that follows from the excess
/// of the round trip over the path's base. Five such filters, one a decade of
/// wander, run side by side as interacting models (§4.4), and the evidence
/// weighs them.
class path_filter {
public:
  /// With a memory it goes on from there, as if nothing had been heard in
  /// between; what the first sample contradicts is forgotten at once.
  explicit path_filter(const oscillator_prior& prior,
                       const std::optional<path_memory>& memory = {});

  sample_verdict add(const path_sample& sample);

  /// The mixture at `when`; only after the first sample or with a memory. A
  /// suspect sample counts as doubt of its size.
  clock_estimate at(raw_time when) const;

  /// See `clock_estimate`.
  void shift(ntp_duration by) { origin_ += by; }
  void inflate(double offset_variance_s2, double frequency_variance);

  std::uint64_t samples() const { return delay_.samples(); }
  const path_delay& delay() const { return delay_; }

private:
  /// One model: offset, frequency, their covariance, the model's probability.
  struct level {
    double x = 0;
    double f = 0;
    double pxx = 0;
    double pxf = 0;
    double pff = 0;
    double weight = 0;
  };
  static constexpr std::size_t levels = 5;
  using bank = std::array<level, levels>;

  static level moments(const bank& models, const std::array<double, levels>& w);
  static double wander_of(std::size_t i);

  void recall(const path_memory& memory);
  void start(const path_sample& sample, double noise);
  void mix(double dt);
  void predict(double dt);
  void update(double y, double noise);
  void keep_small();

  oscillator_prior prior_;
  path_delay delay_;
  bank bank_;
  raw_time last_; ///< where the bank stands
  ntp_duration origin_;
  level mixture_;
  double wander_ = 0;
  double suspect_s_ = 0; ///< innovation of a suspect sample, else 0
  bool hearsay_ = false; ///< knows what an earlier run knew, and no more
};

} // namespace concert::ntp
