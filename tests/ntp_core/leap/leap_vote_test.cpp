#include "ntp_core/leap/leap_vote.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace concert::ntp {

namespace {

using votes = std::vector<leap_indicator>;
constexpr auto none = leap_indicator::none;
constexpr auto insert = leap_indicator::insert_second;
constexpr auto drop = leap_indicator::delete_second;
constexpr auto unsynchronized = leap_indicator::unsynchronized;

std::chrono::seconds noon(int y, unsigned m, unsigned d) {
  const std::chrono::sys_days day{std::chrono::year{y} / std::chrono::month{m}
                                  / std::chrono::day{d}};
  return day.time_since_epoch() + std::chrono::hours{12};
}

} // namespace

TEST_CASE("more than half of the sources announce a leap second") {
  CHECK(leap_majority(votes{insert}) == insert);
  CHECK(leap_majority(votes{insert, insert, none}) == insert);
  CHECK(leap_majority(votes{drop, drop, none}) == drop);
  CHECK(leap_majority(votes{none, none, insert}) == none);
}

TEST_CASE("half of the sources are no majority") {
  CHECK(!leap_majority(votes{insert, none}));
  CHECK(!leap_majority(votes{insert, drop, none}));
  CHECK(!leap_majority(votes{}));
}

TEST_CASE("sources that are not synchronised have no vote") {
  CHECK(leap_majority(votes{insert, unsynchronized, unsynchronized}) == insert);
  CHECK(!leap_majority(votes{unsynchronized}));
}

TEST_CASE("leap seconds come at the end of June and December only") {
  CHECK(is_leap_day(noon(2026, 6, 30)));
  CHECK(is_leap_day(noon(2026, 12, 31)));
  CHECK(!is_leap_day(noon(2026, 6, 29)));
  CHECK(!is_leap_day(noon(2026, 7, 1)));
  CHECK(!is_leap_day(noon(2026, 3, 31)));
  CHECK(is_leap_day(noon(1969, 12, 31)));
}

} // namespace concert::ntp
