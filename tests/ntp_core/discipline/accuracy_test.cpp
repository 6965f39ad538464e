#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace concert::ntp::testing {

namespace {

/// What a run at 1 Hz saw.
struct tally {
  double sum2 = 0;
  double normalized2 = 0; ///< error by stability
  double estimated2 = 0;  ///< error by estimated error
  double largest = 0;
  long seconds = 0;
  long outside = 0; ///< beyond max_error

  void watch(world& w) {
    const double e = w.error();
    const auto now = w.now();
    const double square = e * e;
    sum2 += square;
    normalized2 += square / (now.stability_s * now.stability_s);
    estimated2 += square / (now.estimated_error_s * now.estimated_error_s);
    largest = std::max(largest, std::abs(e));
    outside += std::abs(e) > now.max_error_s ? 1 : 0;
    ++seconds;
  }
  double rms() const { return std::sqrt(sum2 / static_cast<double>(seconds)); }
  double consistency() const {
    return std::sqrt(normalized2 / static_cast<double>(seconds));
  }
  double estimated_consistency() const {
    return std::sqrt(estimated2 / static_cast<double>(seconds));
  }
};

tally measure(world& w, double settle, double seconds) {
  tally t;
  w.run(settle);
  w.each_second = [&t](world& v) { t.watch(v); };
  w.run(seconds);
  w.each_second = nullptr;
  return t;
}

} // namespace

TEST_CASE("the steady error is near that of an ideal delay-weighted filter") {
  struct row {
    std::string name;
    double base_s;
    double jitter_s;
    double wander;
    std::int8_t poll;
    /// Of the delay-weighted filter that knows base delay and wander
    /// (algorithm.md §2.2), in units of the jitter.
    double ideal;
  };
  const row rows[] = {
    {"lan-1e-9-p0", us(100), us(10), 1e-9, 0, 0.0371},
    {"lan-1e-9-p4", us(100), us(10), 1e-9, 4, 0.1376},
    {"lan-1e-9-p6", us(100), us(10), 1e-9, 6, 0.2795},
    {"lan-1e-8-p6", us(100), us(10), 1e-8, 6, 0.6629},
    {"wan-1e-9-p6", ms(10), ms(1), 1e-9, 6, 0.0605},
  };
  for (const auto& r : rows) {
    world w{{0.1, 100e-6, r.wander}, {}, {}, 11};
    world_server s;
    s.forward_s = s.backward_s = r.base_s;
    s.jitter_s = r.jitter_s;
    s.poll = r.poll;
    w.add(s);
    const double settle = 100 * std::exp2(r.poll) + 2000;
    const auto t = measure(w, settle, 10'000);
    const double ratio = t.rms() / (r.ideal * r.jitter_s);
    MESSAGE(r.name << ": RMS " << t.rms() << " s, largest " << t.largest
                   << " s, RMS / ideal " << ratio << ", RMS / stability "
                   << t.consistency());
    CHECK(ratio < 3);
    CHECK(t.consistency() > 0.3);
    CHECK(t.consistency() < 3);
  }
}

TEST_CASE("the true error lies within max_error in 99.9 % of a long run") {
  for (const std::int8_t poll : {std::int8_t{4}, std::int8_t{6}}) {
    world w{{0.1, 30e-6, 1e-8}, {}, {}, 5};
    for (int i = 0; i < 3; ++i) {
      world_server s;
      s.forward_s = ms(5) * (i + 1);
      s.backward_s = ms(4) * (i + 1);
      s.jitter_s = ms(1);
      s.root_delay_s = ms(1);
      s.root_dispersion_s = us(200);
      s.poll = poll;
      w.add(s);
    }
    const auto t = measure(w, 0, 40'000);
    MESSAGE("poll " << int{poll} << ": " << t.outside << " of " << t.seconds
                    << " s outside, RMS " << t.rms() << " s, RMS / estimated "
                    << t.estimated_consistency());
    CHECK(static_cast<double>(t.outside)
          <= 0.001 * static_cast<double>(t.seconds));
    CHECK(t.estimated_consistency() > 0.1);
    CHECK(t.estimated_consistency() < 3);
  }
}

TEST_CASE("noisy sources do not outweigh a quiet one by newer samples") {
  const auto rms_with = [](int quiet, int noisy) {
    world w{{0.1, 10e-6, 1e-9}, {}, {}, 3};
    for (int i = 0; i < quiet + noisy; ++i) {
      world_server s;
      s.jitter_s = i < quiet ? us(5) : us(300);
      s.poll = 4;
      w.add(s);
    }
    return measure(w, 3000, 10'000).rms();
  };
  // Unequal paths are possible, so that the quiet one cannot have all weight.
  const double noisy = rms_with(0, 2);
  const double together = rms_with(1, 2);
  MESSAGE("RMS " << noisy << " s without, " << together
                 << " s with a quiet one");
  CHECK(together < 0.6 * noisy);
}

TEST_CASE("a jump of the oscillator by 20 ppm is followed within a few polls") {
  world w{{0, 0, 1e-9}};
  for (int i = 0; i < 3; ++i) {
    world_server s;
    s.poll = 4;
    w.add(s);
  }
  w.run(3000);
  w.change_oscillator(20e-6);
  double worst = 0;
  w.each_second
    = [&](world& v) { worst = std::max(worst, std::abs(v.error())); };
  w.run(300);
  MESSAGE("largest error " << worst << " s");
  CHECK(worst < ms(1.5));
  CHECK(std::abs(w.error()) < us(50));
  CHECK(w.steps.empty());
}

TEST_CASE("a longer path is learnt, and the bound covers it") {
  world w{{0, 10e-6, 1e-9}};
  world_server s;
  s.forward_s = s.backward_s = ms(10);
  s.jitter_s = us(200);
  s.poll = 4;
  w.add(s);
  w.run(2000);
  w.server(0).forward_s += ms(5);
  const auto t = measure(w, 0, 5000);
  CHECK(t.outside == 0);
  CHECK(w.source(0).delay_s == doctest::Approx(ms(25)).epsilon(0.02));
}

TEST_CASE("coarse daemon stamps are taken for what they are") {
  world w{{0, 10e-6, 1e-9}};
  world_server s;
  s.stamps = stamp_kind::daemon;
  s.poll = 4;
  w.add(s);
  const auto t = measure(w, 2000, 3000);
  CHECK(t.rms() < us(15));
  CHECK(t.outside == 0);
}

TEST_CASE("a thousand sources do not make a report expensive") {
  world w;
  for (int i = 0; i < 1000; ++i) {
    world_server s;
    s.poll = 4;
    s.burst = 0;
    w.add(s);
  }
  const auto wall = [] { return std::chrono::steady_clock::now(); };
  w.run(16);
  const auto begin = wall();
  w.run(32);
  const double spent = std::chrono::duration<double>(wall() - begin).count();
  MESSAGE("cost of one report with 1000 sources, with the world around it: "
          << spent / 2000 << " s");
  CHECK(w.now().selected_sources == 8);
  CHECK(w.now().required_sources == 3);
  CHECK(std::abs(w.error()) < us(20));
  // The clock is not asked more often than it can matter.
  CHECK(w.frequencies.size() < 3 * 48);
}

} // namespace concert::ntp::testing
