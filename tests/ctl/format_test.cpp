#include "ctl/format.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace concert::ctl {

TEST_CASE("a length of time has three digits and the unit that fits") {
  CHECK(span(1.234e-3) == "1.23 ms");
  CHECK(span(85e-6) == "85.0 us");
  CHECK(span(-0.3) == "300 ms");
  CHECK(span(12.0) == "12.0 s");
  CHECK(span(7e-9) == "7 ns");
  CHECK(span(0.0) == "0 ns");
  CHECK(span(9.996e-3) == "10.0 ms");
  CHECK(span(99.96e-3) == "100 ms");
  CHECK(span(999.7e-6) == "1.00 ms");
  CHECK(span(std::nullopt) == "-");
  CHECK(span(std::nan("")) == "-");
  CHECK(span(std::numeric_limits<double>::infinity()) == "-");
}

TEST_CASE("an age is coarse") {
  CHECK(age(0.9) == "0 s");
  CHECK(age(119.0) == "119 s");
  CHECK(age(120.0) == "2 min");
  CHECK(age(7200.0) == "2 h");
  CHECK(age(200000.0) == "2 d");
  CHECK(age(-1.0) == "0 s");
  CHECK(age(std::nullopt) == "-");
}

TEST_CASE("a clock with a positive offset is slow, and its remote ahead") {
  CHECK(slow_or_fast(0.00123) == "1.23 ms slow");
  CHECK(slow_or_fast(-0.00123) == "1.23 ms fast");
  CHECK(slow_or_fast(0.0) == "0 ns");
  CHECK(ahead_or_behind(0.3) == "300 ms ahead");
  CHECK(ahead_or_behind(-0.3) == "300 ms behind");
}

TEST_CASE("an oscillator that must be made faster is slow") {
  CHECK(oscillator(40.0127e-6) == "40.013 ppm slow");
  CHECK(oscillator(-1e-6) == "1.000 ppm fast");
}

TEST_CASE("a reference is letters at stratum 1 and an address beyond") {
  CHECK(reference(0x47505300, 1) == "GPS");
  CHECK(reference(0xc0000201, 2) == "192.0.2.1");
  CHECK(reference(0x584e4f4e, 16) == "XNON");
  CHECK(reference(0x1b000000, 0) == "-");
}

TEST_CASE("an NTP time is read in the era around 2038") {
  CHECK(utc(ntp::ntp_timestamp{}) == "-");
  CHECK(utc(ntp::ntp_timestamp::from_unix(std::chrono::seconds{0}))
        == "1970-01-01 00:00:00 UTC");
  CHECK(utc(ntp::ntp_timestamp::from_unix(std::chrono::seconds{2'085'978'497}))
        == "2036-02-07 06:28:17 UTC");
}

TEST_CASE("lengths of time are read with a unit or as bare seconds") {
  CHECK(parse_span("100ms").value() == doctest::Approx(0.1));
  CHECK(parse_span("50us").value() == doctest::Approx(50e-6));
  CHECK(parse_span("20ns").value() == doctest::Approx(20e-9));
  CHECK(parse_span("1.5s").value() == 1.5);
  CHECK(parse_span("0.25").value() == 0.25);
  CHECK(parse_span("3min").value() == 180);
  CHECK(parse_span("2h").value() == 7200);
  for (const char* bad : {"", "ms", "-1s", "1 s", "1x", "nan", "inf", "1e400",
                          "1e308h", "1ms2", "+1"})
    CHECK_FALSE(parse_span(bad).has_value());
}

} // namespace concert::ctl
