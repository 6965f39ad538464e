#include "actors/simulation/link_model.hpp"

#include "tests/actors/simulation/moments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace concert::actors::testing {

namespace {

using way = link_model::way;

constexpr double base_s = 10e-3;
constexpr double jitter_s = 1e-3;
constexpr int many = 100'000;

/// A link of which the forward direction is as asked for.
template <class Change>
link_model link_with(Change change, double duration_s = 1e6) {
  link_options o;
  o.forward.base_s = o.backward.base_s = base_s;
  o.forward.jitter_s = o.backward.jitter_s = jitter_s;
  change(o);
  return {o, duration_s, 42};
}

/// Delays beyond the base of packets one each `each_s`, in jitters.
std::vector<double> excesses(link_model& link, double each_s = 1,
                             int count = many, way which = way::forward) {
  std::vector<double> result;
  for (int i = 0; i < count; ++i)
    if (const auto delay_s = link.delay_s(which, i * each_s))
      result.push_back((*delay_s - base_s) / jitter_s);
  return result;
}

/// The delay at one moment on a link without queueing.
template <class Change>
double still(Change change, double t_s, way which = way::forward) {
  auto link = link_with([&](link_options& o) {
    o.forward.jitter_s = o.backward.jitter_s = 0;
    change(o);
  });
  return *link.delay_s(which, t_s);
}

} // namespace

TEST_CASE("each law of queueing has its mean and deviation") {
  struct row {
    queueing_shape shape;
    double mean;
    double variance;
  };
  for (const auto& r :
       {row{queueing_shape::exponential, 1, 1},
        row{queueing_shape::gaussian, 0, 1}, row{queueing_shape::heavy, 1, 7},
        row{queueing_shape::uniform, 0.5, 1.0 / 12},
        row{queueing_shape::bimodal, 2.5, 6.25},
        row{queueing_shape::exp_gauss, 1, 1.25},
        row{queueing_shape::gamma4, 2, 1},
        row{queueing_shape::triangular, 0, 1.0 / 6}}) {
    CAPTURE(static_cast<int>(r.shape));
    auto link = link_with([&](link_options& o) { o.forward.shape = r.shape; });
    const auto seen = excesses(link);
    CHECK(std::abs(mean(seen) - r.mean) < 0.03);
    CHECK(deviation(seen)
          == doctest::Approx(std::sqrt(r.variance)).epsilon(0.05));
  }
}

TEST_CASE("packets queue independently, and so do the two directions") {
  auto link = link_with([](link_options&) {});
  std::vector<double> there;
  std::vector<double> back;
  for (int i = 0; i < many; ++i) {
    there.push_back(*link.delay_s(way::forward, i));
    back.push_back(*link.delay_s(way::backward, i));
  }
  auto next = there;
  std::rotate(next.begin(), next.begin() + 1, next.end());
  CHECK(std::abs(correlation(there, next)) < 0.01);
  CHECK(std::abs(correlation(there, back)) < 0.01);
}

TEST_CASE("a remembered mean is lognormal, and each packet still exponential") {
  auto link = link_with([](link_options& o) {
    o.forward.memory = queueing_memory::mean;
    o.forward.memory_s = 300;
    o.forward.memory_sd = 0.5;
  });
  const auto seen = excesses(link, 64);
  const double lognormal_mean = std::exp(0.125);
  CHECK(mean(seen) == doctest::Approx(lognormal_mean).epsilon(0.03));
  // E[x²] = 2 exp(2 sd²)
  const double square = 2 * std::exp(0.5);
  CHECK(deviation(seen)
        == doctest::Approx(std::sqrt(square - lognormal_mean * lognormal_mean))
             .epsilon(0.05));
}

TEST_CASE("a remembered excess is exponential and alike from poll to poll") {
  auto link = link_with([](link_options& o) {
    o.forward.memory = queueing_memory::excess;
    o.forward.memory_s = 300;
  });
  const auto seen = excesses(link, 64);
  CHECK(mean(seen) == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(seen) == doctest::Approx(1).epsilon(0.04));
  const auto low
    = std::count_if(seen.begin(), seen.end(), [](double e) { return e < 0.1; });
  CHECK(static_cast<double>(low) / many
        == doctest::Approx(1 - std::exp(-0.1)).epsilon(0.06));
  auto next = seen;
  std::rotate(next.begin(), next.begin() + 1, next.end());
  // A little less than that of the normal process, exp(−64 / 300) = 0.81.
  CHECK(correlation(seen, next) > 0.7);
  CHECK(correlation(seen, next) < 0.81);
}

TEST_CASE("queueing follows the day") {
  const auto at = [](double t_s) {
    auto link = link_with([](link_options& o) { o.forward.daily_factor = 5; });
    double sum_s = 0;
    for (int i = 0; i < 1000; ++i)
      sum_s += *link.delay_s(way::forward, t_s) - base_s;
    return sum_s / 1000 / jitter_s;
  };
  CHECK(at(0) == doctest::Approx(1).epsilon(0.1));
  CHECK(at(21'600) == doctest::Approx(5).epsilon(0.1));
  CHECK(at(64'800) == doctest::Approx(0.2).epsilon(0.1));
}

TEST_CASE("a floor that moves as a sine keeps its share and its period") {
  auto link = link_with([](link_options& o) {
    o.forward.jitter_s = 0;
    o.forward.floor_sine = 0.1;
    o.forward.floor_period_s = 1000;
  });
  std::vector<double> seen;
  seen.reserve(2000);
  for (int t = 0; t < 2000; ++t)
    seen.push_back(*link.delay_s(way::forward, t) / base_s);
  CHECK(*std::max_element(seen.begin(), seen.end())
        == doctest::Approx(1.1).epsilon(1e-4));
  CHECK(*std::min_element(seen.begin(), seen.end())
        == doctest::Approx(0.9).epsilon(1e-4));
  for (std::size_t t = 0; t < 1000; ++t)
    CHECK(seen[t] == doctest::Approx(seen[t + 1000]));
}

TEST_CASE("a floor that walks goes everywhere between its mirrors") {
  auto link = link_with([](link_options& o) {
    o.forward.jitter_s = 0;
    o.forward.floor_walk = 0.3;
    o.forward.floor_period_s = 1000;
  });
  std::vector<double> seen;
  seen.reserve(many);
  for (int i = 0; i < many; ++i)
    seen.push_back(*link.delay_s(way::forward, i * 64.0) / base_s - 1);
  CHECK(*std::max_element(seen.begin(), seen.end()) <= 0.3);
  CHECK(*std::min_element(seen.begin(), seen.end()) >= -0.3);
  // Uniform in the long run.
  CHECK(std::abs(mean(seen)) < 0.02);
  CHECK(deviation(seen) == doctest::Approx(0.3 / std::sqrt(3)).epsilon(0.05));
  // From one poll to the next it takes the steps of a walk: sd 0.3 √(64/1000),
  // a little less near the mirrors.
  double square = 0;
  for (std::size_t i = 1; i < seen.size(); ++i)
    square += std::pow(seen[i] - seen[i - 1], 2);
  const double step = std::sqrt(square / many);
  CHECK(step < 0.3 * std::sqrt(0.064));
  CHECK(step > 0.8 * 0.3 * std::sqrt(0.064));
}

TEST_CASE("no packet arrives before it was sent") {
  auto link = link_with([](link_options& o) {
    o.forward.base_s = 0;
    o.forward.shape = queueing_shape::gaussian;
  });
  for (int i = 0; i < 1000; ++i)
    CHECK(*link.delay_s(way::forward, i) >= 1e-9);
}

TEST_CASE("packets are lost, shortened and delayed in their shares") {
  auto link = link_with([](link_options& o) {
    o.forward.jitter_s = 0;
    o.forward.loss = 0.3;
    o.forward.short_share = 0.01;
    o.forward.short_s = 2e-3;
    o.forward.late_share = 0.05;
    o.forward.late_s = 5e-3;
  });
  const auto seen = excesses(link);
  const auto got = static_cast<double>(seen.size());
  const auto share = [&](double jitters) {
    return static_cast<double>(std::count_if(
             seen.begin(), seen.end(),
             [&](double e) { return std::abs(e - jitters) < 1e-6; }))
           / got;
  };
  CHECK(got / many == doctest::Approx(0.7).epsilon(0.02));
  CHECK(share(-2) == doctest::Approx(0.01 * 0.95).epsilon(0.15));
  CHECK(share(5) == doctest::Approx(0.05 * 0.99).epsilon(0.1));
  auto other = excesses(link, 1, 1000, way::backward);
  CHECK(other.size() == 1000);
}

TEST_CASE("a route change moves the base of the direction that it is told") {
  const auto rise = [](link_options& o) {
    o.events.push_back({.at_s = 100, .forward_base_s = 5e-3});
  };
  CHECK(still(rise, 99.9) == doctest::Approx(10e-3));
  CHECK(still(rise, 100) == doctest::Approx(15e-3));
  CHECK(still(rise, 1e6) == doctest::Approx(15e-3));
  CHECK(still(rise, 100, way::backward) == doctest::Approx(10e-3));
}

TEST_CASE("an event ends, and comes again if it is told so") {
  const auto busy = [](link_options& o) {
    o.events.push_back(
      {.at_s = 100, .until_s = 150, .every_s = 1000, .backward_base_s = 3e-3});
  };
  const auto at = [&](double t_s) { return still(busy, t_s, way::backward); };
  CHECK(at(50) == doctest::Approx(10e-3));
  CHECK(at(149) == doctest::Approx(13e-3));
  CHECK(at(151) == doctest::Approx(10e-3));
  CHECK(at(2120) == doctest::Approx(13e-3));
  CHECK(at(2160) == doctest::Approx(10e-3));
}

TEST_CASE("an event can cut a link or multiply its queueing") {
  auto link = link_with([](link_options& o) {
    o.events.push_back({.at_s = 10, .until_s = 20, .cut = true});
    o.events.push_back({.at_s = 30, .backward_factor = 4});
  });
  CHECK(link.delay_s(way::forward, 9));
  CHECK_FALSE(link.delay_s(way::forward, 10));
  CHECK_FALSE(link.delay_s(way::backward, 19));
  CHECK(link.delay_s(way::backward, 20));
  double sum_s = 0;
  for (int i = 0; i < 1000; ++i)
    sum_s += *link.delay_s(way::backward, 30) - base_s;
  CHECK(sum_s / 1000 == doctest::Approx(4 * jitter_s).epsilon(0.1));
}

TEST_CASE("drawn congestion hits one direction at a time, for its share") {
  auto link = link_with(
    [](link_options& o) {
      o.forward.jitter_s = o.backward.jitter_s = 0;
      o.congestion = {
        .every_s = 86'400, .least_s = 3600, .most_s = 21'600, .excess_s = 2e-3};
    },
    1000 * 86'400.0);
  int there = 0;
  int back = 0;
  int both = 0;
  const int looks = 1'000'000;
  for (int i = 0; i < looks; ++i) {
    const bool forward = *link.delay_s(way::forward, i * 86.4) > base_s;
    const bool backward = *link.delay_s(way::backward, i * 86.4) > base_s;
    both += forward && backward ? 1 : 0;
    there += forward ? 1 : 0;
    back += backward ? 1 : 0;
  }
  CHECK(both == 0);
  // 3.5 h a day on average, in either direction.
  CHECK((there + back) / double(looks)
        == doctest::Approx(3.5 / 24).epsilon(0.1));
  CHECK(there == doctest::Approx(back).epsilon(0.2));
}

TEST_CASE("drawn routes replace the base of both directions") {
  auto link = link_with(
    [](link_options& o) {
      o.forward.jitter_s = o.backward.jitter_s = 0;
      o.routes = {.count = 20, .least_s = 20e-3, .most_s = 40e-3};
    },
    1e6);
  std::set<double> there;
  std::set<double> back;
  CHECK(*link.delay_s(way::forward, 0) == doctest::Approx(base_s));
  for (int i = 0; i <= 100'000; ++i) {
    const double t_s = i * 10;
    there.insert(*link.delay_s(way::forward, t_s));
    back.insert(*link.delay_s(way::backward, t_s));
  }
  CHECK(there.size() == 21);
  CHECK(back.size() == 21);
  CHECK(*std::next(there.begin()) >= 20e-3);
  CHECK(*there.rbegin() <= 40e-3);
  CHECK(*there.rbegin() != *back.rbegin());
}

TEST_CASE("replies come twice in their share") {
  auto link = link_with([](link_options& o) { o.duplication = 0.1; });
  int twice = 0;
  for (int i = 0; i < many; ++i)
    twice += link.duplicates() ? 1 : 0;
  CHECK(twice == doctest::Approx(0.1 * many).epsilon(0.05));
}

TEST_CASE("some polls have the daemon's late stamps, the others the link's") {
  auto link = link_with([](link_options& o) {
    o.stamps = "hardware";
    o.daemon_share = 0.2;
    o.daemon_late_s = 1e-3;
  });
  int daemons = 0;
  double late_s = 0;
  for (int i = 0; i < many; ++i) {
    const auto s = link.stamps();
    if (s.kind == ntp::stamp_kind::hardware) {
      CHECK(s.read_late_s == 0);
      continue;
    }
    CHECK(s.kind == ntp::stamp_kind::daemon);
    ++daemons;
    late_s += s.read_late_s;
  }
  CHECK(daemons == doctest::Approx(0.2 * many).epsilon(0.05));
  CHECK(late_s / daemons == doctest::Approx(1e-3).epsilon(0.05));
  CHECK_THROWS_AS(link_with([](link_options& o) { o.stamps = "sun"; }),
                  std::invalid_argument);
}

TEST_CASE("links of one seed are alike, of another not") {
  const auto delays = [](std::uint64_t seed) {
    link_options o;
    o.forward.jitter_s = jitter_s;
    link_model link{o, 1000, seed};
    std::vector<double> result;
    result.reserve(10);
    for (int t = 0; t < 10; ++t)
      result.push_back(*link.delay_s(way::forward, t));
    return result;
  };
  CHECK(delays(1) == delays(1));
  CHECK(delays(1) != delays(2));
}

} // namespace concert::actors::testing
