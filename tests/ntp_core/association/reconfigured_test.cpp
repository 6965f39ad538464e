#include "tests/ntp_core/association/driver.hpp"

namespace concert::ntp {

using test::driver;
using namespace std::chrono_literals;

namespace {

association_config without_burst() {
  association_config c;
  c.iburst = false;
  return c;
}

/// An association that polls each 64 s and has been answered three times.
struct settled : driver {
  settled() : driver(without_burst()) {
    for (int i = 0; i < 3; ++i)
      exchange();
  }
};

bool is_interval(std::chrono::nanoseconds t, int poll) {
  const double s = seconds_of(t);
  return s >= std::ldexp(1, poll) - 0.05 && s <= std::ldexp(1.02, poll);
}

} // namespace

TEST_CASE("other poll limits hold from the next poll on, and nothing is lost") {
  settled d;
  auto c = without_burst();
  c.min_poll = c.max_poll = 4;
  d.machine.on_config(c, d.now);
  CHECK(d.snapshot().poll == 4);
  CHECK(d.snapshot().reachability == 7);
  CHECK(is_interval(d.poll(), 4));
  d.answer();
  CHECK(d.snapshot().reachability == 15);
  c.min_poll = 7;
  c.max_poll = 10;
  d.machine.on_config(c, d.now);
  CHECK(d.snapshot().poll == 7);
  CHECK(is_interval(d.poll(), 7));
}

TEST_CASE("what RATE asked for outlives a change of the limits") {
  settled d;
  d.exchange([](packet_header& h) {
    h.leap = leap_indicator::unsynchronized;
    h.stratum = 0;
    h.reference_id = 0x52415445;
  });
  CHECK(d.snapshot().poll == 7);
  auto c = without_burst();
  c.min_poll = 4;
  d.machine.on_config(c, d.now);
  CHECK(d.snapshot().poll == 7);
}

TEST_CASE("a source taken offline asks nobody, and knows what it knew") {
  settled d;
  auto c = without_burst();
  c.online = false;
  d.machine.on_config(c, d.now);
  CHECK_FALSE(d.machine.next_deadline());
  CHECK(d.snapshot().reachability == 7);
  CHECK(d.machine.request_burst(d.now) == 0);
  d.now += 1h;
  c.online = true;
  d.machine.on_config(c, d.now);
  CHECK(d.poll() == 0s);
  d.answer();
  CHECK(d.snapshot().reachability == 15);
}

TEST_CASE("interleaved mode can be turned on and off between two polls") {
  settled d;
  auto c = without_burst();
  for (const bool on : {true, false, true}) {
    c.interleaved = on;
    d.machine.on_config(c, d.now);
    d.exchange();
    d.poll();
    CHECK(d.request.origin.is_unknown() != on);
    // Within an exchange: it is dropped, and counts for nothing.
    c.interleaved = !on;
    d.machine.on_config(c, d.now);
    const auto reach = d.snapshot().reachability;
    d.answer();
    CHECK(d.snapshot().reachability == reach);
  }
}

TEST_CASE("a burst that a person wants is paid with tokens, 2 s apart") {
  settled d;
  d.now += 10s;
  const double tokens = d.snapshot().burst_tokens;
  CHECK(d.machine.request_burst(d.now) == 4);
  CHECK(d.poll() == 0s);
  d.answer();
  CHECK(d.machine.request_burst(d.now) == 0); // one is under way
  for (int i = 1; i < 4; ++i) {
    CHECK(d.poll() == 2s - 20ms);
    d.answer();
  }
  CHECK(d.snapshot().burst_tokens == doctest::Approx(tokens - 4).epsilon(0.05));
  CHECK(is_interval(d.poll(), 6));
}

TEST_CASE("without tokens a person's burst sends nothing") {
  auto c = without_burst();
  c.burst_tokens = 0;
  driver d{c};
  d.exchange();
  const auto next = d.machine.next_deadline();
  CHECK(d.machine.request_burst(d.now) == 0);
  CHECK(d.machine.next_deadline() == next);
}

TEST_CASE("a burst spends no more than there is") {
  auto c = without_burst();
  c.burst_tokens = 3.5; // the first poll costs one
  driver d{c};
  d.exchange();
  d.now += 5s;
  CHECK(d.machine.request_burst(d.now) == 2);
  d.poll();
  d.answer();
  CHECK(d.poll() == 2s - 20ms);
  d.answer();
  CHECK(is_interval(d.poll(), 6));
}

} // namespace concert::ntp
