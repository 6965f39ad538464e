#include "platform/kernel_clock.hpp"

#include "platform/kernel_rate.hpp"
#include "platform/kernel_time.hpp"
#include "tools/ntp_once/clocks.hpp"
#include "tools/ntp_once/guard.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <functional>

namespace concert::once {

namespace {

using platform::adjtimex_function;
using platform::error;
using platform::result;

/// What makes the kernel steer on its own.
constexpr int own_discipline
  = STA_PLL | STA_FLL | STA_PPSFREQ | STA_PPSTIME | STA_FREQHOLD;

result<timex> call(adjtimex_function kernel, timex values) {
  if (kernel(&values) < 0)
    return tl::unexpected(
      platform::system_error("cannot set the system clock", errno));
  return values;
}

ntp::frequency rate_of(const timex& values) {
  return platform::from_kernel_rate({values.tick, values.freq},
                                    sysconf(_SC_CLK_TCK));
}

result<ntp::frequency> put_frequency(adjtimex_function kernel,
                                     ntp::frequency value) {
  if (!std::isfinite(value.ratio))
    return tl::unexpected(
      error{platform::errc::invalid, "a clock cannot run at such a frequency"});
  const auto rate = platform::to_kernel_rate(value, sysconf(_SC_CLK_TCK));
  timex values{};
  values.modes = ADJ_TICK | ADJ_FREQUENCY;
  values.tick = rate.tick;
  values.freq = rate.freq;
  return call(kernel, values).map(rate_of);
}

long microseconds(double seconds) {
  return std::lround(std::clamp(seconds, 0.0, 16.0) * 1e6);
}

class kernel_clock final : public platform::clock {
public:
  kernel_clock(time_scale scale, adjtimex_function kernel,
               std::optional<guard> g)
    : scale_(scale),
      kernel_(kernel),
      guard_(std::move(g)),
      rate_(frequency().value_or(ntp::frequency{}).ratio),
      precision_(platform::measure_precision(*this)) {}

  std::string_view kind() const override {
    return guard_ ? "system" : "read-only";
  }

  ntp::clock_reading read() const override {
    const bool raw = scale_ == time_scale::raw;
    const auto pair = platform::read_bracketed(
      raw ? CLOCK_MONOTONIC_RAW : CLOCK_MONOTONIC, CLOCK_REALTIME);
    const auto awake
      = raw ? platform::read_bracketed(CLOCK_MONOTONIC, CLOCK_BOOTTIME)
            : platform::clock_pair{pair.outer, pair.outer, {}};
    return {
      .mono = ntp::mono_time{awake.outer},
      .raw = raw ? ntp::raw_time::from_nanoseconds(pair.outer)
                 : uncorrected(pair.outer),
      .wall = ntp::ntp_timestamp::from_unix(pair.inner),
      .unix_time = pair.inner,
      .boot = awake.inner,
      .tai_offset = {},
      .spread
      = ntp::ntp_duration::from_nanoseconds(std::max(pair.width, awake.width)),
    };
  }

  ntp::ntp_timestamp wall() const override {
    return wall_of(platform::kernel_time(CLOCK_REALTIME));
  }

  ntp::ntp_timestamp wall_of(std::chrono::nanoseconds realtime) const override {
    return ntp::ntp_timestamp::from_unix(realtime);
  }

  ntp::local_stamp stamp_of(std::chrono::nanoseconds realtime,
                            ntp::stamp_kind kind) const override {
    const auto now = read();
    const double rate = frequency().value_or(ntp::frequency{}).ratio;
    const double age = ntp::seconds_of(now.unix_time - realtime) / (1 + rate);
    return {wall_of(realtime), now.raw - ntp::ntp_duration::from_seconds(age),
            kind};
  }

  result<ntp::frequency> frequency() const override {
    return call(kernel_, {}).map(rate_of);
  }

  result<ntp::frequency>
  set_frequency(ntp::frequency value, ntp::frequency base,
                std::optional<ntp::mono_time> slew_end) override {
    if (!guard_)
      return refused();
    // Until here the old rate was in force.
    [[maybe_unused]] const auto before = read();
    if (slew_end)
      guard_->watch(base, slew_end);
    auto taken = put_frequency(kernel_, value);
    if (!taken)
      return taken;
    rate_ = taken->ratio;
    if (!slew_end)
      guard_->watch(base, std::nullopt);
    return taken;
  }

  result<void> step(ntp::ntp_duration by) override {
    if (!guard_)
      return refused();
    const auto total = by.nanoseconds();
    const auto whole = std::chrono::floor<std::chrono::seconds>(total);
    timex values{};
    values.modes = ADJ_SETOFFSET | ADJ_NANO;
    values.time.tv_sec = whole.count();
    values.time.tv_usec = (total - whole).count(); // ns, by ADJ_NANO
    return call(kernel_, values).map([this](const timex&) { ++steps_; });
  }

  result<void> set_status(const platform::kernel_status& status) override {
    if (!guard_)
      return refused();
    timex values{};
    values.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
    if (!status.synchronized)
      values.status = STA_UNSYNC;
    else if (status.leap == ntp::leap_indicator::insert_second)
      values.status = STA_INS;
    else if (status.leap == ntp::leap_indicator::delete_second)
      values.status = STA_DEL;
    values.maxerror = microseconds(status.max_error_s);
    values.esterror = microseconds(status.estimated_error_s);
    return call(kernel_, values).map([](const timex&) {});
  }

  std::uint64_t step_count() const override { return steps_; }
  std::int8_t precision() const override { return precision_; }

private:
  static tl::unexpected<error> refused() {
    return tl::unexpected(
      error{platform::errc::permission, "the clock is only watched"});
  }

  /// What CLOCK_MONOTONIC would show without the kernel's correction: each
  /// stretch between two looks is divided by the rate in force.
  ntp::raw_time uncorrected(std::chrono::nanoseconds mono) const {
    const double passed = ntp::seconds_of(mono - looked_);
    raw_ = raw_ + ntp::ntp_duration::from_seconds(passed / (1 + rate_));
    looked_ = mono;
    rate_ = frequency().value_or(ntp::frequency{rate_}).ratio;
    return raw_;
  }

  time_scale scale_;
  adjtimex_function kernel_;
  std::optional<guard> guard_; ///< absent: nothing is ever changed
  mutable double rate_;
  mutable std::chrono::nanoseconds looked_
    = platform::kernel_time(CLOCK_MONOTONIC);
  mutable ntp::raw_time raw_;
  std::uint64_t steps_ = 0;
  std::int8_t precision_;
};

} // namespace

std::unique_ptr<platform::clock> open_watched_clock(time_scale scale) {
  return std::make_unique<kernel_clock>(scale, adjtimex, std::nullopt);
}

result<std::unique_ptr<platform::clock>>
open_kernel_clock(time_scale scale, adjtimex_function kernel) {
  const auto present = call(kernel, {});
  if (!present)
    return tl::unexpected(present.error());
  // Capability bits lie in a user namespace; a write tells the truth.
  timex probe{};
  probe.modes = ADJ_TICK | ADJ_FREQUENCY | ADJ_STATUS;
  probe.tick = present->tick;
  probe.freq = present->freq;
  probe.status = present->status & ~own_discipline;
  if (auto done = call(kernel, probe); !done)
    return tl::unexpected(done.error());
  auto made = guard::start([kernel](ntp::frequency base) {
    [[maybe_unused]] const auto ignored = put_frequency(kernel, base);
  });
  if (!made)
    return tl::unexpected(made.error());
  return std::make_unique<kernel_clock>(scale, kernel, std::move(*made));
}

} // namespace concert::once
