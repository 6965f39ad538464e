#include "ntp_core/discipline/leap_schedule.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace concert::ntp::testing {

namespace {

constexpr auto insert = leap_indicator::insert_second;
constexpr auto none = leap_indicator::none;

constexpr std::chrono::nanoseconds midnight(int y, unsigned m, unsigned d) {
  return std::chrono::sys_days{std::chrono::year{y} / static_cast<int>(m)
                               / static_cast<int>(d)}
    .time_since_epoch();
}

} // namespace

TEST_CASE("servers may announce on the last day of June and December only") {
  struct row {
    std::chrono::nanoseconds end_of_day;
    bool allowed;
  };
  const row rows[] = {
    {midnight(2026, 7, 1), true},   {midnight(2027, 1, 1), true},
    {midnight(2026, 6, 30), false}, {midnight(2026, 4, 1), false},
    {midnight(2026, 10, 1), false},
  };
  for (const auto& r : rows) {
    leap_schedule s;
    s.update(insert, std::nullopt, r.end_of_day - 1h);
    CHECK((s.today() == insert) == r.allowed);
  }
}

TEST_CASE("the file may announce on any day, and beats a vote") {
  leap_schedule s;
  s.update(none, insert, midnight(2026, 4, 1) - 1h);
  CHECK(s.today() == insert);
  leap_schedule t;
  t.update(insert, none, midnight(2026, 7, 1) - 1h);
  CHECK(t.today() == none);
}

TEST_CASE("a leap second passes once, by one second") {
  const auto end = midnight(2026, 7, 1);
  leap_schedule s;
  s.update(insert, std::nullopt, end - 1h);
  CHECK(!s.passed(end - 1ms));
  CHECK(s.near(end - 1s));
  CHECK(s.passed(end));
  CHECK(s.utc_shift().seconds() == -1);
  CHECK(!s.passed(end + 1ms));
  CHECK(s.near(end - 500ms));
  CHECK(!s.near(end + 10s));
  CHECK(s.near(end - 10s, end + 10s));
  CHECK(!s.near(end - 1h, end - 10s));
  CHECK(!s.near(end + 10s, end + 1h));
  CHECK(s.explains(-1.00002, end + 1s));
  CHECK(!s.explains(1, end + 1s));
  CHECK(!s.explains(-1, end + 2h));
  // Some servers go on announcing it for a while.
  s.update(insert, std::nullopt, end - 500ms);
  CHECK(s.today() == none);
  s.update(insert, std::nullopt, end + 1h);
  CHECK(s.today() == none);
}

TEST_CASE("a second that is left out passes one second early") {
  const auto end = midnight(2026, 7, 1);
  leap_schedule s;
  s.update(leap_indicator::delete_second, std::nullopt, end - 1h);
  CHECK(!s.passed(end - 1001ms));
  CHECK(s.passed(end - 1s));
  CHECK(s.utc_shift().seconds() == 1);
}

TEST_CASE("an announcement may be taken back, and made again") {
  const auto end = midnight(2026, 7, 1);
  leap_schedule s;
  s.update(insert, std::nullopt, end - 10h);
  s.update(none, std::nullopt, end - 9h);
  CHECK(s.today() == none);
  CHECK(!s.near(end - 1s));
  s.update(insert, std::nullopt, end - 8h);
  CHECK(s.today() == insert);
  // But not while it happens.
  s.update(none, std::nullopt, end - 1s);
  CHECK(s.passed(end));
}

} // namespace concert::ntp::testing
