#include "platform/kernel_clock.hpp"
#include "platform/kernel_rate.hpp"
#include "platform/kernel_time.hpp"
#include "platform/virtual_time.hpp"
#include "tools/ntp_once/clocks.hpp"

#include <cmath>

namespace concert::once {

namespace {

using platform::result;

/// CLOCK_REALTIME − CLOCK_MONOTONIC.
std::chrono::nanoseconds realtime_ahead() {
  const auto pair = platform::read_bracketed(CLOCK_MONOTONIC, CLOCK_REALTIME);
  return pair.inner - pair.outer;
}

ntp::ntp_timestamp truth_at(ntp::mono_time t) {
  return ntp::ntp_timestamp::from_unix(t.time_since_epoch() + realtime_ahead());
}

/// What the kernel would make of `value`, at the usual USER_HZ.
ntp::frequency quantised(ntp::frequency value) {
  constexpr long user_hz = 100;
  return platform::from_kernel_rate(platform::to_kernel_rate(value, user_hz),
                                    user_hz);
}

class model_clock final : public platform::clock {
public:
  explicit model_clock(const platform::virtual_clock_options& options)
    : page_(options) {
    const auto now = platform::monotonic_now();
    platform::virtual_time::start(
      page_.value, now,
      truth_at(now)
        + ntp::ntp_duration::from_seconds(options.initial_offset_s));
    precision_ = platform::measure_precision(*this);
  }

  std::string_view kind() const override { return "virtual"; }

  ntp::clock_reading read() const override {
    const auto awake
      = platform::read_bracketed(CLOCK_MONOTONIC, CLOCK_BOOTTIME);
    const ntp::mono_time now{awake.outer};
    const auto raw = time_.raw_at(now);
    const auto wall = time_.wall_at(raw);
    return {
      .mono = now,
      .raw = raw,
      .wall = wall,
      .unix_time = wall.to_unix(platform::kernel_time(CLOCK_REALTIME)),
      .boot = awake.inner,
      .tai_offset = {},
      .spread = ntp::ntp_duration::from_nanoseconds(awake.width),
    };
  }

  ntp::ntp_timestamp wall() const override {
    return time_.wall_at(time_.raw_at(platform::monotonic_now()));
  }

  ntp::ntp_timestamp wall_of(std::chrono::nanoseconds realtime) const override {
    return stamp_of(realtime, ntp::stamp_kind::kernel).wall;
  }

  ntp::local_stamp stamp_of(std::chrono::nanoseconds realtime,
                            ntp::stamp_kind kind) const override {
    const auto raw = time_.raw_at(ntp::mono_time{realtime - realtime_ahead()});
    return {time_.wall_at(raw), raw, kind};
  }

  result<ntp::frequency> frequency() const override { return time_.rate(); }

  /// Without a guard: this clock ends with the process.
  result<ntp::frequency> set_frequency(ntp::frequency value, ntp::frequency,
                                       std::optional<ntp::mono_time>) override {
    if (!std::isfinite(value.ratio))
      return tl::unexpected(platform::error{
        platform::errc::invalid, "a clock cannot run at such a frequency"});
    const auto taken = quantised(value);
    change({taken, {}});
    return taken;
  }

  result<void> step(ntp::ntp_duration by) override {
    change({{}, by});
    ++steps_;
    return {};
  }

  result<void> set_status(const platform::kernel_status&) override {
    return {};
  }

  std::uint64_t step_count() const override { return steps_; }
  std::int8_t precision() const override { return precision_; }

  std::optional<double> true_error_s() const override {
    const auto now = platform::monotonic_now();
    return (time_.wall_at(time_.raw_at(now)) - truth_at(now)).seconds();
  }

private:
  /// Its parameters must be there before `virtual_time` sees it.
  struct page {
    explicit page(const platform::virtual_clock_options& o) {
      value.oscillator = {o.frequency_error, o.wander, o.seed};
    }
    platform::virtual_clock_page value{};
  };

  void change(const platform::virtual_time::change& c) {
    time_.apply(platform::virtual_time::writer::daemon,
                platform::monotonic_now(), c);
  }

  page page_;
  platform::virtual_time time_{page_.value};
  std::uint64_t steps_ = 0;
  std::int8_t precision_ = 0;
};

} // namespace

std::unique_ptr<platform::clock>
open_model_clock(const platform::virtual_clock_options& options) {
  return std::make_unique<model_clock>(options);
}

} // namespace concert::once
