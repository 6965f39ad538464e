#include "actors/simulation/server_model.hpp"

#include "actors/simulation/simulated_clock.hpp"
#include "tests/actors/simulation/moments.hpp"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>

namespace concert::actors::testing {

namespace {

double error_at(const server_model_options& o, double t_s) {
  return server_model{o, 1}.at(t_s).served.error_s;
}

/// The header of a server's reply to a request at `t_s`, if there is one.
std::optional<ntp::packet_header> ask(modelled_server& server, double t_s) {
  ntp::packet_header request;
  request.transmit = ntp::ntp_timestamp::from_bits(77);
  std::array<std::byte, ntp::header_size> bytes{};
  ntp::encode(request, bytes);
  const auto reply = server.answer(
    bytes, *ntp::endpoint::parse("10.0.0.2:4711"), ntp::nanoseconds_of(t_s));
  if (!reply)
    return {};
  return *ntp::parse_header(*reply);
}

} // namespace

TEST_CASE("a server's error grows by its drift, and by more during an event") {
  server_model_options o;
  o.error_s = 1e-3;
  o.drift = 1e-6;
  o.events.push_back({.at_s = 100, .until_s = 200, .drift = 1e-5});
  CHECK(error_at(o, 50) == doctest::Approx(1.05e-3));
  CHECK(error_at(o, 150) == doctest::Approx(1.15e-3 + 5e-4));
  CHECK(error_at(o, 1000) == doctest::Approx(2e-3 + 1e-3));
}

TEST_CASE("a server steps for a while, or for good") {
  server_model_options o;
  o.events.push_back({.at_s = 100, .until_s = 200, .step_s = 0.5});
  o.events.push_back({.at_s = 300, .step_s = -0.1});
  CHECK(error_at(o, 99) == 0);
  CHECK(error_at(o, 100) == doctest::Approx(0.5));
  CHECK(error_at(o, 200) == 0);
  CHECK(error_at(o, 1e6) == doctest::Approx(-0.1));
}

TEST_CASE("a server's error wanders with its deviation and time") {
  server_model_options o;
  o.wander_s = 2e-4;
  o.wander_time_s = 3600;
  server_model model{o, 9};
  std::vector<double> seen;
  std::vector<double> later;
  for (int i = 1; i <= 20'000; ++i) {
    seen.push_back(model.at(i * 20'000.0).served.error_s);
    later.push_back(model.at(i * 20'000.0 + 1800).served.error_s);
  }
  CHECK(deviation(seen) == doctest::Approx(2e-4).epsilon(0.03));
  CHECK(std::abs(correlation(seen, later) - std::exp(-0.5)) < 0.02);
}

TEST_CASE("a server that plays a daemon back shows what that one served") {
  server_model_options o;
  o.error_s = 5;
  o.playback = std::make_shared<served_record>(
    served_record{{}, {1e-3, 0.01, 0.02, 2}, {3e-3, 0.03, 0.04, 2}});
  modelled_server server{o, 1};
  const auto early = ask(server, 0.5);
  REQUIRE(early);
  CHECK(early->leap == ntp::leap_indicator::unsynchronized);
  const auto reply = ask(server, 1.25);
  REQUIRE(reply);
  CHECK(reply->leap == ntp::leap_indicator::none);
  CHECK(reply->stratum == 2);
  CHECK(reply->root_delay.duration().seconds()
        == doctest::Approx(0.01).epsilon(0.01));
  const auto truth = ntp::ntp_timestamp::from_unix(
    simulated_clock::epoch + std::chrono::milliseconds{1250});
  CHECK((reply->receive - truth).seconds() == doctest::Approx(1.5e-3));
  CHECK((reply->transmit - truth).seconds() == doctest::Approx(1.5e-3));
  CHECK(server_model{o, 1}.at(1e6).served.error_s == doctest::Approx(3e-3));
}

TEST_CASE("a server is silent or unsynchronized while an event says so") {
  server_model_options o;
  o.stratum = 3;
  o.events.push_back({.at_s = 10, .until_s = 20, .silent = true});
  o.events.push_back({.at_s = 30, .until_s = 40, .unsynchronized = true});
  modelled_server server{o, 1};
  CHECK(ask(server, 5)->stratum == 3);
  CHECK_FALSE(ask(server, 15));
  CHECK(ask(server, 25));
  CHECK(ask(server, 35)->leap == ntp::leap_indicator::unsynchronized);
  CHECK(ask(server, 45)->leap == ntp::leap_indicator::none);
}

TEST_CASE("every n-th request is answered with RATE") {
  server_model_options o;
  o.rate_every = 8;
  modelled_server server{o, 1};
  for (int i = 1; i <= 24; ++i) {
    CAPTURE(i);
    const auto reply = ask(server, i * 100);
    REQUIRE(reply);
    const bool kissed
      = reply->stratum == 0 && reply->reference_id == ntp::code_of("RATE");
    CHECK(kissed == (i % 8 == 0));
  }
}

TEST_CASE("a server announces the leap that it is told") {
  server_model_options o;
  o.leap = "insert";
  modelled_server server{o, 1};
  CHECK(ask(server, 1)->leap == ntp::leap_indicator::insert_second);
  o.leap = "frog";
  CHECK_THROWS_AS((modelled_server{o, 1}), std::invalid_argument);
}

} // namespace concert::actors::testing
