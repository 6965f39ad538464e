#include "ntp_core/discipline/step_policy.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace concert::ntp::testing {

namespace {

correction_request want(double offset_s, bool confirmed = true,
                        std::chrono::nanoseconds now = 0s) {
  return {offset_s, confirmed, mono_time{now}, 1'800'000'000s};
}

} // namespace

TEST_CASE("the table of corrections") {
  struct row {
    bool started;
    bool confirmed;
    double offset_s;
    correction expected;
  };
  const row rows[] = {
    {false, false, 0.010, correction::slew},
    {false, false, -0.011, correction::step},
    {false, false, 5e6, correction::step},
    {false, false, -86400, correction::step},
    {false, false, -86401, correction::panic},
    {true, false, 0.5, correction::slew},
    {true, false, -0.51, correction::wait},
    {true, true, -0.51, correction::step},
    {true, true, 1000, correction::step},
    {true, false, 1001, correction::wait},
    {true, true, 1001, correction::panic},
    {true, true, -1001, correction::panic},
  };
  const steering_config config;
  for (const auto& r : rows) {
    CAPTURE(r.started);
    CAPTURE(r.confirmed);
    CAPTURE(r.offset_s);
    const step_policy p{r.started, 0};
    CHECK(p.decide(config, want(r.offset_s, r.confirmed)).what == r.expected);
  }
}

TEST_CASE("one step an hour, the first correction not counted") {
  const steering_config config;
  step_policy p{false, 0};
  p.on_stepped(3, mono_time{0s});
  CHECK(p.decide(config, want(0.6, true, 1min)).what == correction::step);
  p.on_stepped(0.6, mono_time{1min});
  CHECK(p.decide(config, want(0.6, true, 60min)).what == correction::slew);
  CHECK(p.decide(config, want(0.6, true, 61min)).what == correction::step);
  CHECK(p.steps() == 2);
  CHECK(p.accumulated_s() == doctest::Approx(0.6));
}

TEST_CASE("a forced step knows no limits, and is allowed once") {
  const steering_config config;
  step_policy p{true, 0};
  p.force(mono_time{});
  CHECK(p.decide(config, want(-5000, false)).what == correction::step);
  p.on_stepped(-5000, mono_time{0s});
  CHECK(p.decide(config, want(-5000)).what == correction::panic);
}

TEST_CASE("a forced step that does not come within minutes is not made") {
  const steering_config config;
  step_policy p{true, 0};
  p.force(mono_time{});
  CHECK(p.decide(config, want(-5000, true, 4min)).what == correction::step);
  CHECK(p.decide(config, want(-5000, true, 6min)).what == correction::panic);
}

TEST_CASE("thresholds have a direction") {
  steering_config config;
  config.single_step_panic_threshold = {10, 1};
  const step_policy p{true, 0};
  CHECK(p.decide(config, want(5)).what == correction::step);
  const auto back = p.decide(config, want(-5));
  CHECK(back.what == correction::panic);
  CHECK(back.cause == panic_cause::single_step);
}

TEST_CASE("the accumulated threshold counts what an earlier run stepped") {
  steering_config config;
  config.accumulated_step_panic_threshold_s = 2;
  const step_policy p{true, 1.5};
  CHECK(p.decide(config, want(0.6)).cause == panic_cause::accumulated);
}

TEST_CASE("no step leads to before the saved time") {
  steering_config config;
  config.not_before = 1'799'999'995s;
  const step_policy p{false, 0};
  CHECK(p.decide(config, want(-4)).what == correction::step);
  CHECK(p.decide(config, want(-6)).cause == panic_cause::past);
}

} // namespace concert::ntp::testing
