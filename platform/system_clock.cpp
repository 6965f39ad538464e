#include "platform/system_clock.hpp"

#include "platform/dead_man.hpp"
#include "platform/kernel_clock.hpp"
#include "platform/kernel_rate.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>

namespace concert::platform {

namespace {

/// What makes the kernel steer on its own.
constexpr int own_discipline
  = STA_PLL | STA_FLL | STA_PPSFREQ | STA_PPSTIME | STA_FREQHOLD;

result<timex> call(adjtimex_function kernel, timex values) {
  // Not negative = the kernel's idea of the synchronisation, no error.
  if (kernel(&values) < 0)
    return tl::unexpected(system_error("cannot set the system clock", errno));
  return values;
}

ntp::frequency rate_of(const timex& values) {
  return from_kernel_rate({values.tick, values.freq}, sysconf(_SC_CLK_TCK));
}

result<ntp::frequency> put_frequency(adjtimex_function kernel,
                                     ntp::frequency value) {
  if (!std::isfinite(value.ratio))
    return tl::unexpected(
      error{errc::invalid, "a clock cannot run at such a frequency"});
  const auto rate = to_kernel_rate(value, sysconf(_SC_CLK_TCK));
  timex values{};
  values.modes = ADJ_TICK | ADJ_FREQUENCY;
  values.tick = rate.tick;
  values.freq = rate.freq;
  return call(kernel, values).map(rate_of);
}

/// Microseconds for maxerror and esterror; beyond 16 s the kernel calls itself
/// unsynchronised anyway.
long error_us(double seconds) {
  return std::lround(std::clamp(seconds, 0.0, 16.0) * 1e6);
}

int leap_bits(ntp::leap_indicator leap) {
  switch (leap) {
    case ntp::leap_indicator::insert_second:
      return STA_INS;
    case ntp::leap_indicator::delete_second:
      return STA_DEL;
    default:
      return 0;
  }
}

class system_clock final : public kernel_clock {
public:
  system_clock(adjtimex_function kernel, std::unique_ptr<dead_man> guard)
    : kernel_(kernel),
      guard_(std::move(guard)) {}

  std::string_view kind() const override { return "system"; }

  result<ntp::frequency> frequency() const override {
    return call(kernel_, {}).map(rate_of);
  }

  result<ntp::frequency>
  set_frequency(ntp::frequency value, ntp::frequency base,
                std::optional<ntp::mono_time> slew_end) override {
    return guard_->watch_over(base, slew_end,
                              [&] { return put_frequency(kernel_, value); });
  }

  result<void> step(ntp::ntp_duration by) override {
    const auto total = by.nanoseconds();
    const auto whole = std::chrono::floor<std::chrono::seconds>(total);
    timex values{};
    values.modes = ADJ_SETOFFSET | ADJ_NANO;
    values.time.tv_sec = whole.count();
    values.time.tv_usec = (total - whole).count(); // ns, by ADJ_NANO
    return call(kernel_, values).map([this](const timex&) { ++steps_; });
  }

  result<void> set_status(const kernel_status& status) override {
    timex values{};
    values.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
    values.status = status.synchronized ? leap_bits(status.leap) : STA_UNSYNC;
    values.maxerror = error_us(status.max_error_s);
    values.esterror = error_us(status.estimated_error_s);
    if (status.tai_offset) {
      values.modes |= ADJ_TAI;
      values.constant = status.tai_offset->count();
    }
    return call(kernel_, values).map([](const timex&) {});
  }

  std::uint64_t step_count() const override { return steps_; }

private:
  adjtimex_function kernel_;
  std::unique_ptr<dead_man> guard_;
  std::atomic<std::uint64_t> steps_{0};
};

/// Ends every adjustment that the kernel makes on its own. An offset that it
/// still slews goes only while its PLL is on.
result<void> end_own_discipline(adjtimex_function kernel,
                                const timex& present) {
  timex single{};
  single.modes = ADJ_OFFSET_SINGLESHOT;
  if (auto done = call(kernel, single); !done)
    return tl::unexpected(done.error());
  if (present.offset != 0) {
    timex offset{};
    offset.modes = ADJ_STATUS | ADJ_OFFSET;
    offset.status = (present.status & STA_UNSYNC) | STA_PLL;
    if (auto done = call(kernel, offset); !done)
      return tl::unexpected(done.error());
  }
  timex status{};
  status.modes = ADJ_STATUS;
  status.status = present.status & ~own_discipline;
  return call(kernel, status).map([](const timex&) {});
}

} // namespace

result<std::unique_ptr<clock>> open_system_clock(adjtimex_function kernel) {
  const auto present = call(kernel, {});
  if (!present)
    return tl::unexpected(present.error());
  // Capability bits lie in a user namespace; a write tells the truth.
  timex probe{};
  probe.modes = ADJ_TICK | ADJ_FREQUENCY;
  probe.tick = present->tick;
  probe.freq = present->freq;
  if (auto done = call(kernel, probe); !done)
    return tl::unexpected(done.error());
  if (auto done = end_own_discipline(kernel, *present); !done)
    return tl::unexpected(done.error());
  auto guard = dead_man::start(
    [kernel](ntp::frequency base) {
      [[maybe_unused]] const auto ignored = put_frequency(kernel, base);
    },
    true);
  if (!guard)
    return tl::unexpected(guard.error());
  return std::make_unique<system_clock>(kernel, std::move(*guard));
}

result<std::unique_ptr<clock>> open_system_clock() {
  return open_system_clock(adjtimex);
}

} // namespace concert::platform
