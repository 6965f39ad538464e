#include "ntp_core/discipline/checked_discipline.hpp"

#include "ntp_core/discipline/osb_discipline.hpp"
#include "tests/ntp_core/discipline/exchanges.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace concert::ntp::testing {

namespace {

/// A discipline that says what it is told to say.
class puppet final : public discipline {
public:
  double offset_s = 0;
  double deviation_s = 1e-6;
  int calls = 0;

  void add_source(source_id, const oscillator_prior&,
                  const std::optional<path_memory>&) override {
    ++calls;
  }
  void remove_source(source_id) override { ++calls; }
  sample_verdict on_sample(source_id, const path_sample&) override {
    ++calls;
    return sample_verdict::jump;
  }
  void set_selected(std::span<const selected_source>) override { ++calls; }
  void inflate(double, double) override { ++calls; }
  void shift_source(source_id, ntp_duration) override { ++calls; }
  void shift(ntp_duration by) override {
    ++calls;
    offset_s += by.seconds();
  }
  std::optional<source_estimate> source(source_id, raw_time) const override {
    source_estimate e;
    e.base_delay_s = 42;
    return e;
  }
  std::optional<path_memory> memory(source_id, raw_time) const override {
    return std::nullopt;
  }
  std::optional<combined_estimate> combined(raw_time when) const override {
    combined_estimate c;
    c.clock.at = when;
    c.clock.offset_s = offset_s;
    c.clock.variance_s2 = deviation_s * deviation_s;
    return c;
  }
};

constexpr source_id id{1};

/// Both disciplines on one source whose clock is right.
struct pair {
  puppet* main = nullptr;
  checked_discipline both;
  route way{1e-3, 1e-3, 20e-6};
  dice random{1};
  double t = 0;

  explicit pair(std::unique_ptr<puppet> p = std::make_unique<puppet>())
    : main(p.get()),
      both(std::move(p)) {
    both.add_source(id, {}, {});
  }

  void poll(int times) {
    const std::vector<selected_source> chosen{{id, 0}};
    for (int i = 0; i < times; ++i) {
      t += 64;
      both.on_sample(id, oscillator{}.exchange(way, t, random));
      both.set_selected(chosen);
    }
  }
  double disagreement() const {
    return both.combined(raw_at(t))->disagreement_s;
  }
};

} // namespace

TEST_CASE("two disciplines that agree say so") {
  pair p;
  p.poll(100);
  CHECK(p.disagreement() == 0);
}

TEST_CASE("a lie is reported after eight samples, with its size") {
  for (const double lie : {20e-3, -20e-3}) {
    pair p;
    p.poll(50);
    p.main->offset_s = lie;
    p.poll(7);
    CHECK(p.disagreement() == 0);
    p.poll(1);
    CHECK(p.disagreement() == doctest::Approx(20e-3).epsilon(0.01));
    p.poll(20);
    CHECK(p.disagreement() == doctest::Approx(20e-3).epsilon(0.01));
    // The time is still that of the first.
    CHECK(p.both.combined(raw_at(p.t))->clock.offset_s == lie);
  }
}

TEST_CASE("the disagreement is gone with the first sample that agrees") {
  pair p;
  p.poll(50);
  p.main->offset_s = 20e-3;
  p.poll(10);
  CHECK(p.disagreement() > 0);
  p.main->offset_s = 0;
  p.poll(1);
  CHECK(p.disagreement() == 0);
  // And it takes eight again.
  p.main->offset_s = 20e-3;
  p.poll(7);
  CHECK(p.disagreement() == 0);
}

TEST_CASE("a difference that is within the doubt of both is none") {
  pair p;
  p.poll(50);
  p.main->offset_s = 20e-3;
  p.main->deviation_s = 10e-3;
  p.poll(30);
  CHECK(p.disagreement() == 0);
}

TEST_CASE("samples of sources that are not followed do not compare twice") {
  pair p;
  p.poll(50);
  p.main->offset_s = 20e-3;
  const std::vector<selected_source> chosen{{id, 0}};
  p.poll(1);
  for (int i = 0; i < 20; ++i)
    p.both.set_selected(chosen);
  CHECK(p.disagreement() == 0);
}

TEST_CASE("all else is what the first discipline says") {
  pair p;
  p.poll(1);
  CHECK(p.main->calls == 3);
  CHECK(p.both.source(id, raw_at(p.t))->base_delay_s == 42);
  CHECK(p.both.on_sample(id, oscillator{}.exchange({}, 128, p.random))
        == sample_verdict::jump);
  p.both.inflate(1, 1);
  p.both.shift(ntp_duration::from_seconds(3));
  p.both.remove_source(id);
  CHECK(p.main->calls == 7);
  CHECK(p.both.combined(raw_at(64))->clock.offset_s == doctest::Approx(3));
  CHECK_FALSE(p.both.memory(id, raw_at(64)));
}

TEST_CASE("both disciplines move along with a known jump of the scale") {
  pair p;
  p.poll(50);
  p.main->offset_s = 0;
  p.both.shift(ntp_duration::from_seconds(2));
  for (int i = 0; i < 20; ++i) {
    p.t += 64;
    p.both.on_sample(id, oscillator{2, 0}.exchange(p.way, p.t, p.random));
    p.both.set_selected(std::vector<selected_source>{{id, 0}});
    CHECK(p.disagreement() == 0);
  }
}

TEST_CASE("the one-sided discipline and the simple one agree on a usual path") {
  checked_discipline both{std::make_unique<osb_discipline>()};
  const oscillator truth{0.1, 30e-6};
  dice random{2};
  std::vector<selected_source> chosen;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    both.add_source({i}, {}, {});
    chosen.push_back({{i}, 1e-14});
  }
  int apart = 0;
  for (int n = 0; n < 600; ++n) {
    const double t = 16 * n;
    const source_id which{static_cast<std::uint64_t>(n % 3 + 1)};
    both.on_sample(which, truth.exchange({5e-3, 5e-3, 200e-6}, t, random));
    both.set_selected(chosen);
    apart += both.combined(raw_at(t))->disagreement_s > 0 ? 1 : 0;
  }
  CHECK(apart == 0);
}

} // namespace concert::ntp::testing
