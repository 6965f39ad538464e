#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace concert::ntp::testing {

namespace {

world_server server(std::int8_t poll, double error_s = 0) {
  world_server s;
  s.poll = poll;
  s.error_s = error_s;
  return s;
}

} // namespace

TEST_CASE("of two sources that disagree neither is followed") {
  world w{{0.02, 0, 1e-9}};
  w.add(server(2));
  w.add(server(2, ms(50)));
  w.run(300);
  CHECK(w.steps.empty());
  CHECK(w.frequencies.empty());
  CHECK(w.now().state == system_state::starting);
  CHECK(w.now().state_reason == "the 2 usable sources disagree");
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(w.source(i).state == source_state::candidate);
    CHECK(w.source(i).state_reason.find("disagree") != std::string::npos);
  }
}

TEST_CASE("a server that may be wrong by seconds is no witness for a liar") {
  world w{{ms(200), 5e-6, 1e-9}};
  auto honest = server(4);
  honest.forward_s = honest.backward_s = ms(5);
  w.add(honest);
  w.add(server(4, ms(300)));
  auto vague = server(4);
  vague.root_dispersion_s = 12;
  w.add(vague);
  w.run(600);
  CHECK(w.steps.empty());
  CHECK(w.now().state == system_state::starting);
  CHECK(w.source(2).state == source_state::unusable);
  CHECK(w.source(2).state_reason.find("may be wrong by 12.0 s")
        != std::string::npos);
}

TEST_CASE("one configured source alone is followed") {
  world w{{0.02, 0, 1e-9}};
  w.add(server(2));
  w.run(60);
  CHECK(w.now().state == system_state::synchronized);
  CHECK(w.now().required_sources == 1);
}

TEST_CASE("a known falseticker is not followed when it is the last one left") {
  steering_config config;
  config.minimum_agreeing_sources = 1;
  world w{{0, 0, 1e-9}, config};
  w.add(server(2));
  w.add(server(2));
  w.add(server(2, ms(300)));
  w.run(60);
  REQUIRE(w.source(2).state == source_state::falseticker);
  w.server(0).alive = false;
  w.server(1).alive = false;
  w.run(1200);
  CHECK(w.source(0).state == source_state::unreachable);
  CHECK(w.source(2).state == source_state::falseticker);
  CHECK(w.now().state == system_state::holdover);
  CHECK(std::abs(w.error()) < ms(1));
}

TEST_CASE("a falseticker returns after eight agreeing samples") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.add(server(4, i == 3 ? ms(300) : 0));
  w.run(300);
  REQUIRE(w.source(3).state == source_state::falseticker);
  w.server(3).error_s = 0;
  w.run(7 * 16);
  CHECK(w.source(3).state == source_state::falseticker);
  CHECK(w.source(3).state_reason.find("samples it needs to return")
        != std::string::npos);
  w.run(4 * 16);
  CHECK(w.source(3).state == source_state::selected);
}

TEST_CASE("a falseticker of long standing is offered for replacement") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.add(server(3, i == 3 ? ms(300) : 0));
  w.run(30);
  CHECK(w.replaced.empty());
  w.run(60);
  REQUIRE(w.replaced.size() >= 1);
  for (const auto id : w.replaced)
    CHECK(id == w.server(3).id);
  w.run(600);
  CHECK(w.replaced.size() <= 11);
}

TEST_CASE("a majority against the running clock must stand for ten minutes") {
  world w;
  for (int i = 0; i < 3; ++i)
    w.add(server(4));
  w.run(1000);
  for (std::size_t i = 0; i < 3; ++i)
    w.server(i).error_s = ms(300);
  w.run(9 * 60);
  CHECK(std::abs(w.error()) < ms(1));
  CHECK(w.source(0).state == source_state::candidate);
  CHECK(w.source(0).state_reason.find("contradict the running clock")
        != std::string::npos);
  CHECK(w.now().state == system_state::holdover);
  w.run(600);
  CHECK(w.error() == doctest::Approx(ms(300)).epsilon(0.01));
  CHECK(w.steps.empty());
}

TEST_CASE("all sources are used unless one is preferred") {
  world w;
  w.add(server(2));
  w.next_prefer = true;
  w.add(server(2));
  w.next_prefer = false;
  w.add(server(2));
  w.run(60);
  CHECK(w.source(0).state == source_state::candidate);
  CHECK(w.source(1).state == source_state::selected);
  CHECK(w.now().selected_sources == 1);
  CHECK(w.now().state == system_state::synchronized);
}

TEST_CASE("a noselect source is shown and never used") {
  world w{{0, 0, 1e-9}};
  w.next_noselect = true;
  w.add(server(2, ms(40)));
  w.run(60);
  CHECK(w.source(0).state == source_state::candidate);
  REQUIRE(w.source(0).offset_s);
  CHECK(*w.source(0).offset_s == doctest::Approx(ms(40)).epsilon(0.01));
  CHECK(w.now().state == system_state::starting);
}

TEST_CASE("a source that may not be used says why") {
  world w;
  auto s = server(2);
  s.stratum = 3;
  s.reference_id = 0x0a000001;
  w.core().set_own_reference_ids({0x0a000001});
  SUBCASE("it takes its time from us") {
  }
  SUBCASE("it is not synchronized") {
    s.leap = leap_indicator::unsynchronized;
  }
  SUBCASE("its stratum is too high") {
    s.stratum = 16;
  }
  w.add(s);
  w.run(30);
  CHECK(w.source(0).state == source_state::unusable);
  CHECK(!w.source(0).state_reason.empty());
  CHECK(w.now().state == system_state::starting);
}

TEST_CASE("a stratum 1 server may have any reference ID") {
  world w;
  auto s = server(2);
  s.reference_id = 0x0a000001;
  w.core().set_own_reference_ids({0x0a000001});
  w.add(s);
  w.run(30);
  CHECK(w.source(0).state == source_state::selected);
}

TEST_CASE("what is configured but impossible is said in a sentence") {
  steering_config config;
  config.minimum_agreeing_sources = 4;
  world w{{}, config};
  w.add(server(2));
  w.run(30);
  CHECK(w.now().state == system_state::starting);
  CHECK(w.now().state_reason
        == "4 sources must agree, but only 1 are configured");
}

TEST_CASE("what is served names the nearest source and adds its distance") {
  world w;
  for (int i = 0; i < 3; ++i) {
    auto s = server(2);
    s.stratum = static_cast<std::uint8_t>(i + 1);
    s.forward_s = s.backward_s = us(100) * (3 - i);
    s.root_delay_s = i * us(10);
    s.root_dispersion_s = i * us(10);
    w.add(s);
  }
  w.run(100);
  const auto served = w.now().served;
  CHECK(served.valid);
  CHECK(served.leap == leap_indicator::none);
  CHECK(served.stratum == 4);
  CHECK(served.reference_id == 0xc0000203);
  CHECK(served.root_delay.seconds() > us(219));
  CHECK(served.root_delay.seconds() < us(260));
  CHECK(served.root_dispersion_s(served.wall_base) > us(20));
  CHECK(served.root_dispersion_s(served.wall_base) < us(100));
}

TEST_CASE("without sources a local stratum is served") {
  steering_config config;
  config.local_stratum = 10;
  world w{{}, config};
  w.run(10);
  const auto served = w.now().served;
  CHECK(served.valid);
  CHECK(served.stratum == 10);
  CHECK(served.leap == leap_indicator::none);
  CHECK(served.reference_id == config.reference_id);
}

TEST_CASE("without local stratum and sources nobody is told a time to trust") {
  world w;
  w.run(10);
  CHECK(w.now().served.leap == leap_indicator::unsynchronized);
  CHECK(w.now().served.stratum == 16);
}

TEST_CASE("a removed source is forgotten") {
  world w;
  for (int i = 0; i < 3; ++i)
    w.add(server(2));
  w.run(60);
  w.core().on_removed(w.server(2).id, w.read());
  CHECK(w.core().sources(w.read()).size() == 2);
  CHECK(w.now().selected_sources == 2);
}

TEST_CASE("an offset correction is added to what a source says") {
  world w{{0, 0, 1e-9}};
  auto s = server(2, ms(5));
  w.add(s);
  source_registration r;
  r.id = source_id{1};
  r.offset_correction_s = ms(-5);
  w.core().on_registered(r, w.read());
  w.run(60);
  CHECK(std::abs(w.error()) < us(50));
}

TEST_CASE("polls get rarer while the clock is quiet") {
  world w{{0.01, 10e-6, 1e-10}};
  auto s = server(6);
  s.jitter_s = ms(1);
  s.forward_s = s.backward_s = ms(10);
  w.add(s);
  w.follow_desired_poll = true;
  w.run(40'000);
  CHECK(w.source(0).desired_poll > 6);
  const double behind = std::abs(w.error());
  CHECK(behind < ms(1));
  w.step_by_others(0.01);
  w.run(2);
  w.core().on_deadline(w.read());
  CHECK(w.source(0).desired_poll == 6);
}

// -- leap seconds -------------------------------------------------------------

namespace {

/// Unix time of the end of June 2026.
constexpr std::chrono::seconds leap_time{1'782'864'000};

/// Ten minutes before it, with an announced leap second.
world before_leap(leap_indicator leap) {
  world w{
    {0.001, 5e-6, 1e-9}, {}, {}, 7, leap_time - std::chrono::seconds{600}};
  for (int i = 0; i < 3; ++i) {
    auto s = server(4);
    s.leap = leap;
    w.add(s);
  }
  w.leap_at(leap == leap_indicator::insert_second ? 600 : 599,
            leap == leap_indicator::insert_second ? -1 : 1);
  return w;
}

void servers_forget(world& w) {
  for (std::size_t i = 0; i < 3; ++i)
    w.server(i).leap = leap_indicator::none;
}

} // namespace

TEST_CASE("an announced leap second passes without step or reset") {
  auto kind = leap_indicator::insert_second;
  SUBCASE("inserted") {
  }
  SUBCASE("deleted") {
    kind = leap_indicator::delete_second;
  }
  auto w = before_leap(kind);
  w.run(590);
  CHECK(w.statuses.back().leap == kind);
  CHECK(w.now().served.leap == kind);
  double worst = 0;
  w.each_second = [&](world& v) {
    if (std::abs(v.time() - 600) > 2)
      worst = std::max(worst, std::abs(v.error()));
  };
  w.run(15);
  servers_forget(w);
  w.run(1000);
  CHECK(worst < us(50));
  CHECK(w.steps.empty());
  CHECK(w.has_event("leap-second"));
  CHECK(!w.has_event("clock-stepped-by-others"));
  CHECK(w.now().served.leap == leap_indicator::none);
  CHECK(w.now().state == system_state::synchronized);
}

TEST_CASE("samples from before a leap second that come after it are dropped") {
  auto w = before_leap(leap_indicator::insert_second);
  for (std::size_t i = 0; i < 3; ++i) {
    w.server(i).interleaved = true;
    w.server(i).poll = 6;
  }
  w.run(605);
  servers_forget(w);
  double worst = 0;
  w.each_second = [&](world& v) {
    for (std::size_t i = 0; i < 3; ++i)
      worst = std::max(worst, std::abs(v.source(i).offset_s.value()));
  };
  w.run(1000);
  CHECK(worst < us(100));
  CHECK(w.now().state == system_state::synchronized);
}

TEST_CASE("the kernel keeps the TAI offset that it made itself") {
  auto kind = leap_indicator::insert_second;
  std::chrono::seconds after{38};
  bool reads_file = true;
  SUBCASE("inserted, and the file is read each second") {
  }
  SUBCASE("inserted, and the file is not read again") {
    reads_file = false;
  }
  SUBCASE("deleted, and the file is read each second") {
    kind = leap_indicator::delete_second;
    after = std::chrono::seconds{36};
  }
  auto w = before_leap(kind);
  const std::chrono::seconds before{37};
  w.core().set_leap(kind, before);
  w.run(590);
  CHECK(w.statuses.back().tai_offset == before);
  w.statuses.clear();
  w.each_second = [&](world& v) {
    const bool new_one = v.read().unix_time >= leap_time;
    if (reads_file)
      v.core().set_leap(new_one ? leap_indicator::none : kind,
                        new_one ? after : before);
  };
  w.run(100);
  REQUIRE(!w.statuses.empty());
  for (const auto& s : w.statuses)
    CHECK(s.tai_offset == after);
}

TEST_CASE("a kernel that ignores the leap second is stepped by the rules") {
  auto w = before_leap(leap_indicator::insert_second);
  w.kernel_leaps = false;
  w.run(605);
  servers_forget(w);
  w.run(200);
  REQUIRE(w.steps.size() == 1);
  CHECK(w.steps[0] == doctest::Approx(-1).epsilon(0.001));
  CHECK(std::abs(w.error()) < us(100));
}

TEST_CASE("one server cannot announce a leap second") {
  auto w = before_leap(leap_indicator::insert_second);
  w.leap_at(1e9, 0);
  w.server(1).leap = leap_indicator::none;
  w.server(2).leap = leap_indicator::none;
  w.run(590);
  CHECK(w.now().served.leap == leap_indicator::none);
  w.run(100);
  CHECK(!w.has_event("leap-second"));
}

TEST_CASE("the leap-seconds file beats all servers") {
  auto w = before_leap(leap_indicator::insert_second);
  w.leap_at(1e9, 0);
  w.core().set_leap(leap_indicator::none, std::chrono::seconds{37});
  w.run(1000);
  CHECK(!w.has_event("leap-second"));
  CHECK(std::abs(w.error()) < us(50));
}

} // namespace concert::ntp::testing
