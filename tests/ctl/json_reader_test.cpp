#include "ctl/json_reader.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::ctl {

namespace {

double number(const std::string& text) {
  const auto d = parse_json("{\"n\":" + text + "}", 1000);
  return d ? json_number(*d, "n").value_or(NAN) : NAN;
}

} // namespace

TEST_CASE("a number is read as it is written, where the library errs too") {
  CHECK(number("0e55") == 0);
  CHECK(number("-0") == 0);
  CHECK(number("5e-324") == 5e-324);
  CHECK(number("0.0018446744073709551615709") == 0.0018446744073709551615709);
  CHECK(number("1" + std::string(300, '0')) == 1e300);
  CHECK(number("1.7976931348623157e308") == 1.7976931348623157e308);
  CHECK(number("1E+2") == 100);
  CHECK(number("-9223372036854775808") == -9223372036854775808.0);
}

TEST_CASE("a count is a whole number of 64 bits") {
  const auto d = parse_json(
    R"({"a":18446744073709551615,"b":18446744073709551616,"c":-1,"d":1.0})",
    1000);
  REQUIRE(d);
  CHECK(json_count(*d, "a") == 18446744073709551615U);
  for (const auto* key : {"b", "c", "d"})
    CHECK_FALSE(json_count(*d, key));
}

TEST_CASE("what is no number of ours or no UTF-8 is refused") {
  for (const auto* text :
       {"[1e309]", "[77002e-329]", "[01]", "[+1]", "[1.]", "[0x1]", "[inf]",
        "[nan]", R"(["\udc00"])", R"({"\udfff":1})", R"(["\ud800"])",
        "[\"\xed\xa0\x80\"]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text, 1000));
  }
  CHECK(parse_json(R"(["\ud83d\ude00", "\ud7ff"])", 1000));
}

} // namespace concert::ctl
