#include "ntp_core/discipline/source_filter.hpp"

#include "tests/ntp_core/discipline/exchanges.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace concert::ntp::testing {

namespace {

double ms(double v) {
  return v * 1e-3;
}
double us(double v) {
  return v * 1e-6;
}

/// A source that is polled every 64 s, its owner, and the truth.
struct follower {
  oscillator truth{0.01, 20e-6};
  route way{ms(10), ms(10), us(100)};
  dice random{1};
  source_filter filter;
  double t = 0;

  explicit follower(std::uint64_t seed = 1,
                    const std::optional<path_memory>& memory = {})
    : random(seed),
      filter({}, memory) {}

  path_sample next() {
    t += 64;
    return truth.exchange(way, t, random);
  }
  reception take(const path_sample& s) {
    const auto [path, how] = filter.add(s);
    if (how == reception::lengthened || how == reception::rerouted)
      filter.path_changed(path, how);
    return how;
  }
  reception poll() { return take(next()); }
  void poll(int times) {
    for (int i = 0; i < times; ++i)
      poll();
  }
  double error() const {
    return error_of(filter.filter().estimate().clock, truth, t);
  }
  double base() const { return filter.filter().base_delay_s(0); }
  double asymmetry() const { return filter.filter().asymmetry_s(0); }
};

/// An exchange with a request stamp that was taken too late by this much.
path_sample stamped_late(path_sample s, double by) {
  s.offset = s.offset - ntp_duration::from_seconds(by / 2);
  s.delay_s -= by;
  s.span_s -= by;
  return s;
}

} // namespace

TEST_CASE("a quiet path is learnt: its base, its queueing, and the clock") {
  follower f;
  f.poll(200);
  CHECK(f.base() == doctest::Approx(ms(20)).epsilon(0.002));
  CHECK(f.filter.filter().mean_excess_s(0)
        == doctest::Approx(us(200)).epsilon(0.4));
  CHECK(std::abs(f.error()) < us(40));
  CHECK(f.filter.samples() == 200);
  CHECK_FALSE(f.filter.is_starting());
}

TEST_CASE("one round trip that is too short changes no path") {
  for (const double by : {us(500), ms(3), ms(15)}) {
    follower f;
    f.poll(200);
    const double base = f.base();
    const double asymmetry = f.asymmetry();
    const double error = f.error();
    CAPTURE(by);
    f.take(stamped_late(f.next(), by));
    CHECK(f.base() == doctest::Approx(base).epsilon(0.001));
    CHECK(std::abs(f.asymmetry() - asymmetry) < us(10));
    // Shapes of noise that allow for it may take it for a queue's end.
    CHECK(std::abs(f.error() - error) < us(100));
    f.poll(20);
    CHECK(f.base() == doctest::Approx(base).epsilon(0.002));
    CHECK(std::abs(f.asymmetry() - asymmetry) < us(10));
    CHECK(std::abs(f.error()) < us(60));
  }
}

TEST_CASE("short stamps now and then do no lasting harm") {
  follower f{5};
  f.poll(100);
  double squares = 0;
  for (int i = 0; i < 1000; ++i) {
    auto s = f.next();
    f.take(i % 50 == 49 ? stamped_late(s, ms(1)) : s);
    squares += f.error() * f.error() / 1000;
  }
  CHECK(std::sqrt(squares) < us(50));
  CHECK(f.base() == doctest::Approx(ms(20)).epsilon(0.005));
}

TEST_CASE("two short round trips in a row are a shorter path") {
  follower f;
  f.poll(200);
  f.way.forward_s -= ms(5);
  CHECK(f.poll() == reception::held_back);
  CHECK(f.base() == doctest::Approx(ms(20)).epsilon(0.002));
  CHECK(f.poll() == reception::rerouted);
  CHECK(f.base() == doctest::Approx(ms(15)).epsilon(0.03));
  // Nobody knows which way it was, and the clock goes on.
  f.poll(100);
  CHECK(f.base() == doctest::Approx(ms(15)).epsilon(0.01));
  CHECK(std::abs(f.error()) < us(200));
  CHECK(f.asymmetry() == doctest::Approx(-ms(2.5)).epsilon(0.1));
}

TEST_CASE("a longer path is noticed after five samples, and the clock kept") {
  for (const bool both : {false, true}) {
    follower f;
    f.poll(200);
    f.way.forward_s += ms(5);
    f.way.backward_s += both ? ms(5) : 0;
    int samples = 1;
    while (f.poll() != reception::lengthened && samples < 20)
      ++samples;
    CAPTURE(both);
    CHECK(samples == 5);
    double worst = 0;
    for (int i = 0; i < 100; ++i) {
      f.poll();
      worst = std::max(worst, std::abs(f.error()));
    }
    CHECK(worst < us(300));
    CHECK(f.base() == doctest::Approx(ms(both ? 30 : 25)).epsilon(0.01));
    CHECK(std::abs(f.asymmetry() - (both ? 0 : ms(2.5))) < us(300));
  }
}

TEST_CASE("a few long round trips are queueing") {
  follower f;
  f.poll(200);
  for (int episode = 0; episode < 20; ++episode) {
    f.way.forward_s += ms(5);
    f.poll(3);
    f.way.forward_s -= ms(5);
    f.poll(10);
    CHECK(f.base() == doctest::Approx(ms(20)).epsilon(0.01));
  }
  CHECK(std::abs(f.asymmetry()) < us(100));
  CHECK(std::abs(f.error()) < us(100));
}

TEST_CASE("asymmetry is never more than the base and the server's distance") {
  for (const double root : {0.0, ms(4)}) {
    follower f{3};
    f.way = {ms(1), ms(1), us(50)};
    f.poll(100);
    double beyond = -1;
    for (int i = 0; i < 400; ++i) {
      // A server that runs away, with jumps and detours on the way to it.
      f.way.server_error_s += i % 40 == 20 ? ms(30) : us(300);
      f.way.forward_s = ms(1) + (i / 25 % 2 == 1 ? ms(20) : 0);
      auto s = f.next();
      s.root_distance_s = root;
      f.take(s);
      beyond = std::max(beyond, std::abs(f.asymmetry()) - f.base() / 2 - root);
    }
    CAPTURE(root);
    CHECK(beyond < us(200));
  }
}

TEST_CASE("a thousand episodes of one-sided congestion leave no trend") {
  follower f{6};
  f.poll(100);
  double early = 0;
  double late = 0;
  for (int episode = 0; episode < 1000; ++episode) {
    const double more = ms(f.random.uniform(1, 5));
    f.way.forward_s += more;
    f.poll(8);
    f.way.forward_s -= more;
    f.poll(12);
    if (episode < 250)
      early = std::max(early, std::abs(f.error()));
    else if (episode >= 750)
      late = std::max(late, std::abs(f.error()));
  }
  MESSAGE("largest error in the first quarter " << early << " s, in the last "
                                                << late << " s");
  CHECK(late < std::max(1.5 * early, us(500)));
  CHECK(late < ms(2));
  CHECK(f.base() == doctest::Approx(ms(20)).epsilon(0.02));
}

TEST_CASE("a route that comes back has the asymmetry that it had") {
  follower f{7};
  f.poll(200);
  const route usual = f.way;
  const route other{ms(10), ms(4), us(100)};
  double found = 0;
  for (int turn = 0; turn < 6; ++turn) {
    f.way = other;
    f.poll(60);
    if (turn == 0)
      found = f.asymmetry();
    CAPTURE(turn);
    CHECK(f.asymmetry() == doctest::Approx(found).epsilon(0.05));
    CHECK(std::abs(f.error()) < us(250));
    f.way = usual;
    f.poll(60);
    CHECK(std::abs(f.asymmetry()) < us(250));
    CHECK(std::abs(f.error()) < us(250));
  }
  CHECK(found == doctest::Approx(ms(3)).epsilon(0.1));
}

TEST_CASE("a path that gets shorter both ways keeps the clock") {
  double squares = 0;
  constexpr int runs = 5;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    follower f{seed};
    f.poll(200);
    f.way.forward_s -= ms(5);
    f.way.backward_s -= ms(5);
    f.poll(3);
    for (int i = 0; i < 100; ++i) {
      f.poll();
      squares += f.error() * f.error() / 100 / runs;
    }
    CHECK(f.base() == doctest::Approx(ms(10)).epsilon(0.01));
  }
  CHECK(std::sqrt(squares) < us(60));
}

TEST_CASE("stamps of another kind make a path of their own") {
  follower f;
  f.poll(100);
  const double base = f.base();
  // Later stamps: a longer path, and an asymmetric one.
  for (int i = 0; i < 40; ++i) {
    auto s = f.next();
    s.delay_s += us(400);
    s.offset += ntp_duration::from_seconds(us(150));
    s.sent = stamp_kind::daemon;
    const auto taken = f.filter.add(s);
    CHECK(taken.path == 1);
    CHECK(taken.how == reception::used);
  }
  CHECK(f.filter.path_count() == 2);
  CHECK(f.filter.present() == 1);
  CHECK(f.base() == doctest::Approx(base).epsilon(0.001));
  CHECK(f.filter.filter().base_delay_s(1)
        == doctest::Approx(base + us(400)).epsilon(0.005));
  // And back: nothing has been forgotten.
  CHECK(f.poll() == reception::used);
  CHECK(f.filter.present() == 0);
  CHECK(std::abs(f.error()) < us(120));
}

TEST_CASE("a source knows a few kinds of stamps, and bears more") {
  follower f;
  for (int i = 0; i < 90; ++i) {
    auto s = f.next();
    s.sent = static_cast<stamp_kind>(i % 3);
    s.received = static_cast<stamp_kind>(i / 3 % 3);
    f.take(s);
  }
  CHECK(f.filter.path_count() <= 3);
  CHECK(std::abs(f.error()) < us(200));
}

TEST_CASE("while little is known the first samples are taken again and again") {
  follower f;
  f.poll(1);
  CHECK(f.filter.is_starting());
  CHECK(std::abs(f.error()) < ms(1));
  f.poll(3);
  CHECK(f.filter.first_samples().size() == 4);
  f.poll(20);
  CHECK_FALSE(f.filter.is_starting());
  CHECK(f.filter.first_samples().empty());
}

TEST_CASE("a remembered path goes on where it was") {
  follower before;
  before.way.forward_s += ms(2);
  before.poll(200);
  path_memory m;
  m.clock = before.filter.filter().estimate().clock;
  m.base_delay_s = before.base();
  m.mean_excess_s = before.filter.filter().mean_excess_s(0);
  m.asymmetry_s = before.asymmetry();

  follower f{2, m};
  f.way = before.way;
  f.t = before.t + 100;
  CHECK(f.filter.is_remembered());
  for (int i = 0; i < 20; ++i) {
    CHECK(f.poll() == reception::used);
    CHECK_FALSE(f.filter.is_starting());
    CHECK(f.base() == doctest::Approx(ms(22)).epsilon(0.005));
    // What nobody can know, half of the asymmetry, stays as it was.
    CHECK(std::abs(f.error() - before.error()) < us(100));
  }
}

TEST_CASE("a memory that the first sample contradicts is forgotten") {
  follower before;
  before.poll(200);
  path_memory m;
  m.clock = before.filter.filter().estimate().clock;
  m.base_delay_s = before.base();
  m.mean_excess_s = before.filter.filter().mean_excess_s(0);

  follower f{2, m};
  f.truth.offset_s += 1;
  f.t = before.t + 100;
  f.poll();
  CHECK_FALSE(f.filter.is_remembered());
  CHECK(std::abs(f.error()) < ms(1));
}

TEST_CASE("a clock or server that jumps is followed by the second sample") {
  follower f;
  f.poll(100);
  f.way.server_error_s = 0.3;
  f.truth.offset_s = 0.01;
  f.poll(2);
  CHECK(std::abs(f.error() - 0.3) < ms(1));
}

} // namespace concert::ntp::testing
