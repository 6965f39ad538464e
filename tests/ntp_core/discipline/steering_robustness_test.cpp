#include "ntp_core/discipline/steering.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace concert::ntp::testing {

namespace {

/// Reports and clock readings of any content.
class chaos {
public:
  explicit chaos(std::uint64_t seed) : bits_(seed) { read(); }

  std::uint64_t below(std::uint64_t n) { return bits_() % n; }

  const clock_reading& read() {
    now_.mono += std::chrono::nanoseconds{below(100'000'000'000)};
    now_.boot += std::chrono::nanoseconds{below(100'000'000'000)};
    now_.raw = raw_time::from_units(
      now_.raw.since_origin().units()
      + static_cast<std::int64_t>(below(std::uint64_t{1} << 38)));
    if (below(50) == 0)
      wall_ = std::chrono::nanoseconds{
        static_cast<std::int64_t>(below(4'000'000'000)) * 1'000'000'000};
    wall_ += std::chrono::nanoseconds{below(100'000'000'000)};
    now_.unix_time = wall_;
    now_.wall = ntp_timestamp::from_unix(wall_);
    return now_;
  }

  ntp_timestamp remote() {
    if (below(3) == 0)
      return ntp_timestamp::from_bits(bits_());
    return now_.wall
           + ntp_duration::from_units(
             static_cast<std::int64_t>(below(std::uint64_t{1} << 36)));
  }

  source_report report() {
    source_report r;
    r.id = source_id{below(8)};
    auto& a = r.association;
    a.reachability = static_cast<std::uint8_t>(bits_());
    a.poll = static_cast<std::int8_t>(below(18));
    a.stratum = static_cast<std::uint8_t>(below(20));
    a.leap = static_cast<leap_indicator>(below(4));
    a.root_delay = ntp_duration::from_units(
      static_cast<std::int64_t>(below(std::uint64_t{1} << 48)));
    a.root_dispersion = ntp_duration::from_units(
      static_cast<std::int64_t>(below(std::uint64_t{1} << 48)));
    if (below(4) == 0)
      return r;
    measurement m;
    m.t1 = {now_.wall, now_.raw, stamp_kind::kernel};
    m.t4 = {now_.wall,
            now_.raw
              + ntp_duration::from_units(
                static_cast<std::int64_t>(below(std::uint64_t{1} << 34))),
            stamp_kind::daemon};
    m.t2 = remote();
    m.t3 = below(2) == 0 ? m.t2 : remote();
    m.precision = static_cast<std::int8_t>(bits_());
    m.received_at = now_.mono;
    r.sample = m;
    return r;
  }

private:
  std::mt19937_64 bits_;
  clock_reading now_;
  std::chrono::nanoseconds wall_{1'800'000'000'000'000'000};
};

/// Does what the steering wants, or refuses, or does it badly.
void obey(steering& s, const steering_actions& actions, chaos& c, int depth) {
  for (const auto& action : actions) {
    if (const auto* f = std::get_if<set_frequency>(&action)) {
      REQUIRE(std::abs(f->value.ratio) <= 0.1);
      REQUIRE(std::abs(f->value.ratio - f->base.ratio) <= 1001e-6);
      if (c.below(5) != 0)
        s.on_frequency_set(f->value, c.read());
    } else if (const auto* step = std::get_if<step_clock>(&action)) {
      if (depth < 5 && c.below(3) != 0)
        obey(s, s.on_stepped(step->by, c.read()), c, depth + 1);
      else if (depth < 5)
        obey(s, s.on_clock_failure("no", c.read()), c, depth + 1);
    } else if (const auto* k = std::get_if<set_clock_status>(&action)) {
      REQUIRE(std::isfinite(k->max_error_s));
      REQUIRE(std::isfinite(k->estimated_error_s));
    }
  }
}

steering_actions happen(steering& s, chaos& c) {
  switch (c.below(40)) {
    case 0:
      return s.on_foreign_frequency({1e-5}, c.read());
    case 1:
      return s.on_network(c.below(2) == 0, c.read());
    case 2:
      return s.on_force_sync(c.read());
    case 3:
      return s.on_removed(source_id{c.below(8)}, c.read());
    case 4:
    case 5: {
      source_registration r;
      r.id = source_id{c.below(8)};
      return s.on_registered(r, c.read());
    }
    case 6:
      return s.on_deadline(c.read());
    case 7:
      s.set_leap(static_cast<leap_indicator>(c.below(4)), std::nullopt);
      return {};
    default: {
      const auto report = c.report();
      return s.on_report(report, c.read());
    }
  }
}

} // namespace

TEST_CASE("nothing that is reported makes figures that are no numbers") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    chaos c{seed};
    steering_config config;
    config.minimum_agreeing_sources = static_cast<std::uint32_t>(c.below(3));
    steering s{config, {}, {}, c.read()};
    for (std::uint64_t id = 0; id < 8; ++id) {
      source_registration r;
      r.id = source_id{id};
      s.on_registered(r, c.read());
    }
    for (int i = 0; i < 500; ++i) {
      obey(s, happen(s, c), c, 0);
      const auto now = s.snapshot(c.read());
      REQUIRE(std::isfinite(now.offset_s));
      REQUIRE(std::isfinite(now.frequency));
      REQUIRE(std::isfinite(now.max_error_s));
      REQUIRE(std::isfinite(now.estimated_error_s));
      REQUIRE(std::isfinite(now.served.variance_base));
      REQUIRE(std::isfinite(now.served.rate));
      REQUIRE(!now.state_reason.empty());
    }
    for (const auto& source : s.sources(c.read()))
      CHECK(!source.state_reason.empty());
  }
}

TEST_CASE("a deadline that has passed is not asked for again") {
  chaos c{77};
  steering s{{}, {}, {}, c.read()};
  source_registration r;
  r.id = source_id{1};
  s.on_registered(r, c.read());
  for (int i = 0; i < 2000; ++i) {
    auto report = c.report();
    report.id = r.id;
    report.association.stratum = 1;
    report.association.leap = leap_indicator::none;
    obey(s, s.on_report(report, c.read()), c, 0);
    const auto now = c.read();
    s.on_deadline(now);
    const auto next = s.next_deadline();
    REQUIRE((!next || *next > now.mono));
  }
}

} // namespace concert::ntp::testing
