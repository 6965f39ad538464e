#include "platform/virtual_time.hpp"

namespace concert::platform {

namespace {

struct plain_segment {
  ntp::raw_time raw;
  ntp::ntp_timestamp wall;
  double rate = 0;

  ntp::ntp_timestamp wall_at(ntp::raw_time at) const {
    const auto passed = at - raw;
    return wall + passed
           + ntp::ntp_duration::from_seconds(passed.seconds() * rate);
  }
};

plain_segment load(const virtual_clock_page::segment& s) {
  return {ntp::raw_time::from_units(s.raw.load(std::memory_order_acquire)),
          ntp::ntp_timestamp::from_bits(s.wall.load(std::memory_order_acquire)),
          s.rate.load(std::memory_order_acquire)};
}

void store(virtual_clock_page::segment& s, const plain_segment& value) {
  s.raw.store(value.raw.since_origin().units(), std::memory_order_release);
  s.wall.store(value.wall.bits(), std::memory_order_release);
  s.rate.store(value.rate, std::memory_order_release);
}

/// The segment in force. Whoever sees a field of a later use of the segment
/// also sees that another one was in force in between, and tries again.
plain_segment current(const virtual_clock_page& page) {
  for (;;) {
    const auto active = page.active.load(std::memory_order_acquire);
    const auto segment = load(page.segments[active % 4]);
    if (page.active.load(std::memory_order_relaxed) == active)
      return segment;
  }
}

} // namespace

void virtual_time::start(virtual_clock_page& page, ntp::mono_time now,
                         ntp::ntp_timestamp wall) {
  page.origin = now.time_since_epoch().count();
  store(page.segments[0],
        {ntp::raw_time::from_nanoseconds(now.time_since_epoch()), wall, 0});
  page.active.store(0, std::memory_order_release);
}

ntp::raw_time virtual_time::raw_at(ntp::mono_time t) const {
  const auto since_boot = t.time_since_epoch();
  const auto elapsed = since_boot - std::chrono::nanoseconds{page_.origin};
  return ntp::raw_time::from_nanoseconds(since_boot)
         + ntp::ntp_duration::from_seconds(oscillator_.error_s(elapsed));
}

ntp::ntp_timestamp virtual_time::wall_at(ntp::raw_time raw) const {
  return current(page_).wall_at(raw);
}

ntp::frequency virtual_time::rate() const {
  return {current(page_).rate};
}

void virtual_time::apply(writer who, ntp::mono_time now, const change& c) {
  const auto raw = raw_at(now);
  auto active = page_.active.load(std::memory_order_acquire);
  for (;;) {
    const auto old = load(page_.segments[active % 4]);
    const auto own = static_cast<std::uint64_t>(who);
    const auto free = active % 4 == own ? own + 1 : own;
    store(page_.segments[free],
          {raw, old.wall_at(raw) + c.step, c.rate ? c.rate->ratio : old.rate});
    const auto next = (active / 4 + 1) * 4 + free;
    if (page_.active.compare_exchange_strong(active, next,
                                             std::memory_order_acq_rel))
      return;
  }
}

} // namespace concert::platform
