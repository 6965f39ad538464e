#include "ntp_core/discipline/osb_discipline.hpp"

#include "tests/ntp_core/discipline/exchanges.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace concert::ntp::testing {

namespace {

double ms(double v) {
  return v * 1e-3;
}
double us(double v) {
  return v * 1e-6;
}

/// Sources that are polled in turn, and the discipline that hears them.
struct ensemble {
  oscillator truth{0.01, 20e-6};
  std::vector<route> ways;
  dice random;
  osb_discipline filters;
  std::vector<selected_source> selected;
  double t = 0;
  double pause = 64; ///< between two polls of one source

  explicit ensemble(std::size_t sources, std::uint64_t seed = 1)
    : ways(sources, route{ms(1), ms(1), us(50)}),
      random(seed) {
    for (std::size_t i = 0; i < sources; ++i)
      filters.add_source(id(i), {}, {});
  }

  static source_id id(std::size_t i) { return {i + 1}; }

  void select(std::initializer_list<std::size_t> which) {
    selected.clear();
    for (const auto i : which)
      selected.push_back({id(i), 1e-14});
  }
  void select_first(std::size_t count) {
    selected.clear();
    for (std::size_t i = 0; i < count; ++i)
      selected.push_back({id(i), 1e-14});
  }

  sample_verdict poll(std::size_t i, double ago_s = 0) {
    const auto verdict
      = filters.on_sample(id(i), truth.exchange(ways[i], t - ago_s, random));
    filters.set_selected(selected);
    return verdict;
  }
  /// All sources that are reached, `times` times.
  void poll_all(int times, std::size_t first = 0) {
    for (int n = 0; n < times; ++n)
      for (std::size_t i = 0; i < ways.size(); ++i) {
        t += pause / static_cast<double>(ways.size());
        if (i >= first)
          poll(i);
      }
  }
  double error() const {
    const auto c = filters.combined(raw_at(t));
    return c ? error_of(c->clock, truth, t) : INFINITY;
  }
  double deviation() const {
    const auto c = filters.combined(raw_at(t));
    return std::sqrt(c->clock.variance_s2 + c->bias_variance);
  }
};

void check_same(const clock_estimate& a, const clock_estimate& b,
                ntp_duration between) {
  const double deviation = std::sqrt(a.variance_s2);
  CHECK(std::abs((a.origin - b.origin - between).seconds() + a.offset_s
                 - b.offset_s)
        < 1e-4 * deviation + 1e-9);
  CHECK(std::abs(a.frequency - b.frequency)
        < 1e-4 * std::sqrt(a.frequency_variance));
  CHECK(a.variance_s2 == doctest::Approx(b.variance_s2).epsilon(1e-4));
  CHECK(a.frequency_variance
        == doctest::Approx(b.frequency_variance).epsilon(1e-4));
}

} // namespace

TEST_CASE("several sources together beat the best of them") {
  double alone = 0;
  double together = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ensemble one{1, seed};
    one.select_first(1);
    ensemble four{4, seed};
    four.select_first(4);
    one.poll_all(40);
    four.poll_all(40);
    for (int i = 0; i < 60; ++i) {
      one.poll_all(1);
      four.poll_all(1);
      alone += one.error() * one.error();
      together += four.error() * four.error();
    }
  }
  CHECK(together < 0.7 * alone);
}

TEST_CASE("samples that come a poll late do no harm beside fresh ones") {
  // Without their age, the frequency would put them off by 0.64 ms.
  double fresh = 0;
  double with_late = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ensemble a{3, seed};
    ensemble b{3, seed};
    a.select_first(3);
    b.select_first(3);
    for (int i = 0; i < 100; ++i) {
      a.poll_all(1);
      b.t += b.pause / 2;
      CHECK(b.poll(0, b.pause) == sample_verdict::used);
      b.t += b.pause / 2;
      for (const std::size_t s : {1, 2})
        CHECK(b.poll(s) == sample_verdict::used);
      if (i < 40)
        continue;
      fresh += a.error() * a.error();
      with_late += b.error() * b.error();
    }
  }
  CHECK(with_late < 1.5 * fresh);
}

TEST_CASE("nothing is followed before a selected source has spoken") {
  ensemble e{2};
  CHECK_FALSE(e.filters.combined(raw_at(0)));
  e.select({0});
  e.t = 1;
  e.poll(1);
  CHECK_FALSE(e.filters.combined(raw_at(1)));
  CHECK_FALSE(e.filters.source(ensemble::id(0), raw_at(1)));
  CHECK(e.filters.source(ensemble::id(1), raw_at(1)));
  e.poll(0);
  CHECK(e.filters.combined(raw_at(1)));
}

TEST_CASE("samples of unknown sources are ignored") {
  ensemble e{1};
  e.select({0});
  e.poll_all(20);
  const auto before = e.filters.combined(raw_at(e.t));
  e.filters.on_sample({99}, e.truth.exchange({}, e.t, e.random));
  e.filters.set_selected(e.selected);
  CHECK(e.filters.combined(raw_at(e.t))->clock == before->clock);
  CHECK_FALSE(e.filters.source({99}, raw_at(e.t)));
}

TEST_CASE("where the origin of time lies makes no difference") {
  for (const std::size_t sources : {1, 3}) {
    ensemble e{sources};
    e.select_first(sources);
    osb_discipline other;
    for (std::size_t i = 0; i < sources; ++i)
      other.add_source(ensemble::id(i), {}, {});
    // Not whole seconds, and on both sides of zero.
    const auto later = ntp_duration::from_units(0x123456789abcdef);
    const auto higher = ntp_duration::from_units(-0x23456789abcdef1);
    for (int n = 0; n < 120; ++n) {
      e.t += 16;
      const auto which = static_cast<std::size_t>(n) % sources;
      auto s = e.truth.exchange(e.ways[which], e.t, e.random);
      e.filters.on_sample(ensemble::id(which), s);
      e.filters.set_selected(e.selected);
      s.at = s.at + later;
      s.offset += higher;
      other.on_sample(ensemble::id(which), s);
      other.set_selected(e.selected);
    }
    CAPTURE(sources);
    const auto a = e.filters.combined(raw_at(e.t));
    const auto b = other.combined(raw_at(e.t) + later);
    REQUIRE(b);
    check_same(a->clock, b->clock, -higher);
  }
}

TEST_CASE("what was done to the wall clock makes no difference") {
  // The same exchanges, with the wall clock steered in different ways.
  dice random{3};
  osb_discipline calm;
  osb_discipline steered;
  const std::vector<selected_source> chosen{{{1}, 0}};
  calm.add_source({1}, {}, {});
  steered.add_source({1}, {}, {});
  const auto start = ntp_timestamp::from_bits(0xeb00000000000000);
  for (int n = 0; n < 100; ++n) {
    const double t = 16 * n;
    const double forward = ms(1) + us(50) * random.exponential();
    const double backward = ms(1) + us(50) * random.exponential();
    const double steering = 0.3 * std::sin(n);
    const auto stamp = [&](double at, double wall_error) {
      return local_stamp{start + ntp_duration::from_seconds(at + wall_error),
                         raw_at(at), stamp_kind::kernel};
    };
    measurement m;
    m.t2 = start + ntp_duration::from_seconds(t + forward);
    m.t3 = m.t2;
    m.precision = -25;
    m.t1 = stamp(t, 0);
    m.t4 = stamp(t + forward + backward, 0);
    calm.on_sample({1}, make_path_sample(m, 0, -25));
    calm.set_selected(chosen);
    m.t1 = stamp(t, steering);
    m.t4 = stamp(t + forward + backward, steering + us(5));
    steered.on_sample({1}, make_path_sample(m, 0, -25));
    steered.set_selected(chosen);
  }
  const auto when = raw_at(1600);
  CHECK(calm.combined(when)->clock == steered.combined(when)->clock);
}

TEST_CASE("the order of registration makes no difference") {
  ensemble e{4};
  e.select_first(4);
  osb_discipline other;
  for (const std::size_t i : {2, 0, 3, 1})
    other.add_source(ensemble::id(i), {}, {});
  auto selected = e.selected;
  std::reverse(selected.begin(), selected.end());
  for (int n = 0; n < 160; ++n) {
    e.t += 16;
    const auto which = static_cast<std::size_t>(n) % 4;
    const auto s = e.truth.exchange(e.ways[which], e.t, e.random);
    e.filters.on_sample(ensemble::id(which), s);
    e.filters.set_selected(e.selected);
    other.on_sample(ensemble::id(which), s);
    other.set_selected(selected);
  }
  check_same(e.filters.combined(raw_at(e.t))->clock,
             other.combined(raw_at(e.t))->clock, {});
}

TEST_CASE("a sample touches no source but its own") {
  ensemble e{12};
  e.select_first(3);
  e.poll_all(30);
  const auto when = raw_at(e.t);
  std::vector<source_estimate> before;
  for (std::size_t i = 0; i < e.ways.size(); ++i)
    before.push_back(*e.filters.source(ensemble::id(i), when));
  // Unselected, then selected: all others stay as they are to the last bit.
  for (const std::size_t mine : {7, 1}) {
    e.poll(mine);
    for (std::size_t i = 3; i < e.ways.size(); ++i) {
      const auto now = *e.filters.source(ensemble::id(i), when);
      if (i == mine)
        continue;
      CHECK((now.clock == before[i].clock || i == 7));
      CHECK((now.samples == before[i].samples || i == 7));
    }
  }
  // And an unselected one does not move what is followed.
  const auto combined = e.filters.combined(when);
  e.poll(9);
  CHECK(e.filters.combined(when)->clock == combined->clock);
}

TEST_CASE("more selected sources than fit together do no harm") {
  ensemble e{16, 4};
  e.select_first(16);
  e.poll_all(25);
  CHECK(std::abs(e.error()) < us(30));
  CHECK(std::abs(e.error()) < 5 * e.deviation());
  // The first ones fall silent for good, and others follow.
  e.selected.erase(e.selected.begin(), e.selected.begin() + 8);
  e.poll_all(25, 8);
  CHECK(std::abs(e.error()) < us(50));
}

TEST_CASE("a source that joins later does not move the clock") {
  for (const double ppm : {0.0, 100.0}) {
    ensemble e{3, 3};
    e.ways.assign(3, {us(100), us(100), us(10)});
    e.truth.frequency = ppm * 1e-6;
    e.select({0, 1});
    e.poll_all(40);
    e.select({0, 1, 2});
    double worst = 0;
    for (int i = 0; i < 30; ++i) {
      e.poll_all(1);
      worst = std::max(worst, std::abs(e.error()));
    }
    CAPTURE(ppm);
    CHECK(worst < us(10));
    const auto joined = e.filters.source(ensemble::id(2), raw_at(e.t));
    CHECK(std::abs(joined->asymmetry_s) < us(20));
  }
}

TEST_CASE("a source that leaves and comes back does not move the clock") {
  ensemble e{4, 5};
  e.select_first(4);
  e.poll_all(40);
  double worst = 0;
  for (int turn = 0; turn < 3; ++turn) {
    for (const bool with : {false, true}) {
      if (with)
        e.select({0, 1, 2, 3});
      else
        e.select({1, 2, 3});
      for (int i = 0; i < 15; ++i) {
        e.poll_all(1);
        worst = std::max(worst, std::abs(e.error()));
      }
    }
  }
  CHECK(worst < us(60));
  // The same with one that is removed and configured anew.
  e.filters.remove_source(ensemble::id(0));
  CHECK_FALSE(e.filters.source(ensemble::id(0), raw_at(e.t)));
  e.filters.add_source(ensemble::id(0), {}, {});
  e.poll_all(20);
  CHECK(std::abs(e.error()) < us(60));
}

TEST_CASE("all sources may leave, and others take over") {
  ensemble e{4, 6};
  e.select({0, 1});
  e.poll_all(20);
  e.filters.remove_source(ensemble::id(0));
  e.filters.remove_source(ensemble::id(1));
  CHECK_FALSE(e.filters.combined(raw_at(e.t)));
  e.select({2, 3});
  e.poll_all(20);
  CHECK(std::abs(e.error()) < us(60));
}

TEST_CASE("a falseticker that is found out is forgotten") {
  ensemble e{4, 7};
  e.ways[3].server_error_s = ms(0.8);
  e.select_first(4);
  e.poll_all(20);
  e.select_first(3);
  e.poll_all(40);
  CHECK(std::abs(e.error()) < us(60));
}

TEST_CASE("a slow source does not hold up a fast one at the start") {
  ensemble e{2, 8};
  e.ways[0] = {us(100), us(100), us(10)};
  e.ways[1] = {ms(10), ms(10), ms(1)};
  e.select({0, 1});
  double worst = 0;
  for (int i = 0; i < 200; ++i) {
    e.t += 4;
    e.poll(0);
    if (i % 16 == 1)
      e.poll(1);
    if (i > 20)
      worst = std::max(worst, std::abs(e.error()));
  }
  CHECK(worst < us(10));
}

TEST_CASE("a sample that nobody judged before the scale jumped is not taken "
          "after it") {
  ensemble e{3, 9};
  e.select_first(3);
  e.poll_all(40);
  e.t += 20;
  e.filters.on_sample(ensemble::id(0),
                      e.truth.exchange(e.ways[0], e.t, e.random));
  e.truth.offset_s += 1;
  e.filters.shift(ntp_duration::from_seconds(1));
  const auto before = e.filters.combined(raw_at(e.t));
  e.filters.set_selected(e.selected);
  CHECK(e.filters.combined(raw_at(e.t))->clock == before->clock);
}

TEST_CASE("a known jump of the scale moves all beliefs, at the start as well") {
  for (const std::size_t sources : {1, 3})
    for (const int samples : {2, 4, 6, 12, 40}) {
      ensemble e{sources, 9};
      e.select_first(sources);
      e.poll_all(samples);
      const double error = e.error();
      const double deviation = e.deviation();
      e.truth.offset_s += 1;
      e.filters.shift(ntp_duration::from_seconds(1));
      CAPTURE(sources);
      CAPTURE(samples);
      CHECK(std::abs(e.error() - error) < 1e-8);
      CHECK(e.deviation() == doctest::Approx(deviation));
      for (int i = 0; i < 3; ++i) {
        e.poll_all(1);
        CHECK(std::abs(e.error()) < us(200));
        CHECK(e.deviation() < 2 * deviation + us(10));
      }
    }
}

TEST_CASE("doubt from outside lets the next sample count for more") {
  ensemble e{3, 10};
  e.select_first(3);
  e.poll_all(40);
  const double deviation = e.deviation();
  e.filters.inflate(1e-4, 1e-12);
  CHECK(e.deviation() > 0.009);
  e.truth.offset_s += ms(20);
  e.poll_all(2);
  CHECK(std::abs(e.error()) < us(300));
  e.poll_all(20);
  CHECK(e.deviation() < 2 * deviation);
}

TEST_CASE("doubt that comes at the start is not forgotten") {
  for (const std::size_t sources : {1, 3})
    for (const int samples : {2, 4, 7, 12}) {
      ensemble e{sources, 12};
      e.select_first(sources);
      e.poll_all(samples);
      // A suspend, by a clock that counts seconds.
      e.truth.offset_s += 100.3;
      e.filters.shift(ntp_duration::from_seconds(100));
      e.filters.inflate(1, 1e-12);
      e.poll_all(2);
      CAPTURE(sources);
      CAPTURE(samples);
      CHECK(std::abs(e.error()) < ms(1));
    }
}

TEST_CASE("doubt at the start may come between stamps of two kinds") {
  ensemble e{1, 13};
  e.select({0});
  for (int i = 0; i < 12; ++i) {
    e.t += 64;
    auto s = e.truth.exchange(e.ways[0], e.t, e.random);
    s.sent = i % 2 == 0 ? stamp_kind::kernel : stamp_kind::daemon;
    e.filters.on_sample(ensemble::id(0), s);
    e.filters.set_selected(e.selected);
    if (i == 2)
      e.filters.inflate(1, 1e-12);
  }
  CHECK(std::abs(e.error()) < us(200));
}

TEST_CASE("paths that are shorter promise less bias") {
  ensemble e{1};
  e.select({0});
  e.poll_all(30);
  const auto near = e.filters.combined(raw_at(e.t))->bias_variance;
  ensemble f{1};
  f.ways[0] = {ms(20), ms(20), us(50)};
  f.select({0});
  f.poll_all(30);
  const auto far = f.filters.combined(raw_at(f.t))->bias_variance;
  CHECK(far > 100 * near);
  CHECK(near > 0);
  // The server's own error comes on top.
  f.selected[0].server_variance = 1;
  f.filters.set_selected(f.selected);
  CHECK(f.filters.combined(raw_at(f.t))->bias_variance
        == doctest::Approx(1 + far).epsilon(0.01));
}

TEST_CASE("a source is worth remembering when it is known, and goes on then") {
  ensemble e{2, 11};
  e.select({0, 1});
  e.poll_all(3);
  CHECK_FALSE(e.filters.memory(ensemble::id(0), raw_at(e.t)));
  e.poll_all(60);
  const auto memory = e.filters.memory(ensemble::id(0), raw_at(e.t));
  REQUIRE(memory);
  CHECK(memory->base_delay_s == doctest::Approx(ms(2)).epsilon(0.01));
  CHECK(std::abs(error_of(memory->clock, e.truth, e.t)) < us(60));

  osb_discipline later;
  later.add_source(ensemble::id(0), {}, memory);
  e.t += 300;
  later.on_sample(ensemble::id(0), e.truth.exchange(e.ways[0], e.t, e.random));
  later.set_selected(std::vector<selected_source>{{ensemble::id(0), 1e-14}});
  const auto c = later.combined(raw_at(e.t));
  REQUIRE(c);
  CHECK(std::abs(error_of(c->clock, e.truth, e.t)) < us(60));
  CHECK(std::sqrt(c->clock.variance_s2) < us(100));
}

} // namespace concert::ntp::testing
