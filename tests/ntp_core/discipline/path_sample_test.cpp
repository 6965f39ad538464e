#include "ntp_core/discipline/path_sample.hpp"

#include <doctest/doctest.h>

namespace concert::ntp::testing {

namespace {

/// An exchange on a path of 3 ms up and 1 ms down; the server holds it for
/// 10 ms, and is `ahead` of the oscillator.
measurement exchange(ntp_duration ahead, stamp_kind kind) {
  const auto ms = [](double v) { return ntp_duration::from_seconds(v * 1e-3); };
  const auto sent = raw_time{} + ntp_duration::from_seconds(1000);
  const auto remote = [&](ntp_duration d) {
    return ntp_timestamp::from_bits(
      static_cast<std::uint64_t>((sent.since_origin() + ahead + d).units()));
  };
  measurement m;
  m.t1.raw = sent;
  m.t1.kind = kind;
  m.t2 = remote(ms(3));
  m.t3 = remote(ms(13));
  m.t4.raw = sent + ms(14);
  m.t4.kind = kind;
  m.precision = -25;
  return m;
}

} // namespace

TEST_CASE("offset and delay come from the raw stamps alone") {
  const double aheads[] = {0, 0.25, -1e6, 2.1e9};
  for (const double a : aheads) {
    const auto ahead = ntp_duration::from_seconds(a);
    const auto s
      = make_path_sample(exchange(ahead, stamp_kind::kernel), 0, -25);
    CHECK((s.offset - ahead).seconds() == doctest::Approx(1e-3).epsilon(1e-5));
    CHECK(s.delay_s == doctest::Approx(4e-3).epsilon(1e-5));
    CHECK(s.at.since_origin().seconds() == doctest::Approx(1000.007));
  }
}

TEST_CASE("the correction is added and no delay is below the precision") {
  auto m = exchange({}, stamp_kind::hardware);
  m.t3 = m.t2 + ntp_duration::from_seconds(0.02);
  const auto s = make_path_sample(m, 0.5, -10);
  CHECK(s.delay_s == doctest::Approx(1.0 / 1024));
  CHECK(s.offset.seconds() > 0.49);
}

TEST_CASE("worse stamps are noisier") {
  const auto noise = [](stamp_kind k) {
    return make_path_sample(exchange({}, k), 0, -25).noise_variance;
  };
  CHECK(noise(stamp_kind::hardware) < noise(stamp_kind::kernel));
  CHECK(noise(stamp_kind::kernel) < noise(stamp_kind::daemon));
}

} // namespace concert::ntp::testing
