#include "ntp_core/responder/counters.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

namespace concert::ntp {

using namespace std::chrono_literals;

TEST_CASE("every reason and response has a name of its own and a description") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < reason_count; ++i) {
    const auto r = static_cast<reason>(i);
    CHECK(names.insert(to_string(r)).second);
    CHECK(describe(r).back() == '.');
  }
  for (std::size_t i = 0; i < response_count; ++i)
    CHECK(names.insert(to_string(static_cast<response>(i))).second);
}

TEST_CASE("the counters of several workers add up") {
  server_counters a;
  a.at(response::answered, reason::ok) = 3;
  a.versions[4] = 3;
  server_counters b;
  b.at(response::answered, reason::ok) = 4;
  b.at(response::ignored, reason::mode) = 5;
  b.versions[3] = 4;
  b.queue_overflows = 6;
  a.latency.add(ntp_duration::from_seconds(1e-3));
  b.latency.add(ntp_duration::from_seconds(1e-3));
  a += b;
  CHECK(a.at(response::answered, reason::ok) == 7);
  CHECK(a.at(response::ignored, reason::mode) == 5);
  CHECK(a.versions[3] == 4);
  CHECK(a.versions[4] == 3);
  CHECK(a.queue_overflows == 6);
  CHECK(a.total() == 12);
  CHECK(a.latency.total() == 2);
}

TEST_CASE("a latency lies in the first bucket whose limit it does not exceed") {
  const auto bucket_of = [](std::chrono::nanoseconds latency) {
    latency_histogram h;
    h.add(ntp_duration::from_nanoseconds(latency));
    return static_cast<std::size_t>(
      std::find(h.buckets.begin(), h.buckets.end(), 1) - h.buckets.begin());
  };
  CHECK(bucket_of(-1h) == 0);
  CHECK(bucket_of(0ns) == 0);
  CHECK(bucket_of(1us) == 0);
  CHECK(bucket_of(1001ns) == 1);
  CHECK(bucket_of(2us) == 1);
  CHECK(bucket_of(2001ns) == 2);
  CHECK(bucket_of(4us) == 2);
  CHECK(bucket_of(1ms) == 10);
  CHECK(bucket_of(1048576us) == 20);
  CHECK(bucket_of(1048577us) == 21);
  CHECK(bucket_of(24h) == 21);
}

TEST_CASE("the limits of latencies double, and there is none for the last") {
  CHECK(latency_histogram::limit_s(0) == doctest::Approx(1e-6));
  CHECK(latency_histogram::limit_s(10) == doctest::Approx(1.024e-3));
  CHECK(std::isinf(latency_histogram::limit_s(latency_histogram::size - 1)));
}

TEST_CASE("a quantile of the latency is the limit of the bucket it lies in") {
  latency_histogram h;
  CHECK(h.quantile_s(0.5) == 0);
  for (int i = 0; i < 99; ++i)
    h.add(ntp_duration::from_seconds(7e-6));
  h.add(ntp_duration::from_seconds(100e-6));
  CHECK(h.quantile_s(0) == doctest::Approx(8e-6));
  CHECK(h.quantile_s(0.5) == doctest::Approx(8e-6));
  CHECK(h.quantile_s(0.99) == doctest::Approx(8e-6));
  CHECK(h.quantile_s(0.995) == doctest::Approx(128e-6));
  CHECK(h.quantile_s(1) == doctest::Approx(128e-6));
  h.add(ntp_duration::from_seconds(60));
  CHECK(std::isinf(h.quantile_s(1)));
}

} // namespace concert::ntp
