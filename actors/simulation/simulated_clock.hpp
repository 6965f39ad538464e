#pragma once

#include "actors/simulation/event_queue.hpp"
#include "actors/simulation/simulated_oscillator.hpp"
#include "platform/clock.hpp"

namespace concert::actors {

struct simulated_clock_options {
  double initial_offset_s = 0; ///< clock − truth
  double frequency_error = 0;  ///< of the oscillator, ratio; positive = fast
  double wander = 0;           ///< of the oscillator, per √s
  std::uint64_t seed = 1;
  double initial_correction = 0; ///< found in the kernel at the start, ratio
  temperature_effect temperature = {};
};

/// A kernel's clocks over an oscillator with a known error. Like the kernel's,
/// CLOCK_MONOTONIC runs at the corrected rate and knows no steps, corrections
/// are multiples of 2^-16 ppm, readings are whole nanoseconds, and stamps are
/// CLOCK_REALTIME. The corrected rate is (1 + f)(1 + s). A dead-man
/// restores the base frequency half a second after a slew that nobody ended.
class simulated_clock final : public platform::clock {
public:
  /// Unix time at the beginning of the simulation: 2026-03-01.
  static constexpr std::chrono::seconds epoch{1'772'323'200};

  static constexpr std::int8_t resolution = -28; ///< log2 s

  simulated_clock(const event_queue& world,
                  const simulated_clock_options& options);

  std::string_view kind() const override { return "virtual"; }
  ntp::clock_reading read() const override;
  ntp::ntp_timestamp wall() const override;
  ntp::ntp_timestamp wall_of(std::chrono::nanoseconds realtime) const override;
  ntp::local_stamp stamp_of(std::chrono::nanoseconds realtime,
                            ntp::stamp_kind kind) const override;
  platform::result<ntp::frequency> frequency() const override;
  platform::result<ntp::frequency>
  set_frequency(ntp::frequency value, ntp::frequency base,
                std::optional<ntp::mono_time> slew_end) override;
  platform::result<void> step(ntp::ntp_duration by) override;
  platform::result<void>
  set_status(const platform::kernel_status& status) override;
  std::uint64_t step_count() const override { return steps_; }
  std::int8_t precision() const override { return resolution; }
  std::optional<double> true_error_s() const override;

  // -- for those who make the world -------------------------------------------

  ntp::mono_time mono() const;
  /// CLOCK_REALTIME, as a kernel stamp has it.
  std::chrono::nanoseconds realtime() const;
  /// The true time now, as a perfect clock shows it.
  ntp::ntp_timestamp truth() const;
  /// When CLOCK_MONOTONIC will be near `when` if nobody changes its rate: not
  /// later than by what the wander makes of the time until then.
  true_time time_of(ntp::mono_time when) const;

  std::optional<ntp::mono_time> guard_deadline() const { return guard_at_; }
  /// The dead-man's deed; also at once when the daemon dies.
  void end_guarded_slew();

  /// Another program's doing.
  void foreign_step(ntp::ntp_duration by);
  void foreign_frequency(ntp::frequency value);
  /// The machine has slept for this long; its clock was set on by as much.
  void slept(std::chrono::nanoseconds gap);
  /// The machine has stood for this long, and nobody told it.
  void stood(std::chrono::nanoseconds gap) { stood_ += gap; }
  /// The oscillator runs otherwise from now on (ratio, added).
  void change_oscillator(double by);
  /// The oscillator's count jumps, and all clocks with it.
  void shift_oscillator(double by_s) { oscillator_.shift(by_s); }
  /// Rate of the clock as corrected − 1.
  double frequency_error() const;
  /// All changes are refused from now on, or not.
  void refuse_changes(bool refuse) { refuse_ = refuse; }

  // -- what the daemon did ----------------------------------------------------

  struct deeds {
    std::uint64_t frequencies = 0;
    std::uint64_t steps = 0;
    std::uint64_t statuses = 0;
    std::uint64_t guards = 0; ///< of the dead-man
    double last_step_s = 0;
  };
  const deeds& done() const { return done_; }
  const platform::kernel_status& status() const { return status_; }
  ntp::frequency correction() const { return {now_.rate}; }

private:
  /// What holds from `raw` on.
  struct segment {
    ntp::raw_time raw;
    ntp::ntp_timestamp wall;
    ntp::ntp_duration mono;
    double rate = 0;
  };

  /// Time that the oscillator has seen.
  true_time awake() const { return world_.now() - slept_ - stood_; }
  ntp::raw_time raw() const;
  ntp::ntp_timestamp wall_at(ntp::raw_time raw) const;
  segment segment_from_now() const;
  platform::result<void> may_change() const;

  const event_queue& world_;
  mutable simulated_oscillator oscillator_; ///< goes with time as it is read
  std::chrono::nanoseconds slept_{};
  std::chrono::nanoseconds stood_{};
  segment now_;
  ntp::frequency base_;
  std::optional<ntp::mono_time> guard_at_;
  std::chrono::seconds tai_offset_{};
  std::uint64_t steps_ = 0;
  bool refuse_ = false;
  deeds done_;
  platform::kernel_status status_;
};

} // namespace concert::actors
