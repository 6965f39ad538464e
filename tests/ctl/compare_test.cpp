#include "ctl/commands.hpp"
#include "ctl/observation.hpp"
#include "ctl/shadow_document.hpp"
#include "ctl/view/views.hpp"
#include "tests/ctl/fake_daemon.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>

namespace concert::ctl {

namespace {

using manner = fake_daemon::manner;

ntp::watched_span an_hour(std::int64_t since, double rms_s) {
  ntp::watched_span s;
  s.since = std::chrono::seconds{since};
  s.watched_s = 3600;
  s.looks = 70;
  s.mean_s = rms_s / 2;
  s.rms_s = rms_s;
  s.largest_s = 3 * rms_s;
  s.uncertainty_s = 20e-6;
  s.max_error_s = 1e-3;
  s.frequency_changes = 60;
  s.lowest_frequency = 9.5e-6;
  s.highest_frequency = 10.5e-6;
  return s;
}

ntp::shadow_snapshot two_hours() {
  ntp::shadow_snapshot result;
  result.hours = {an_hour(1'700'002'800, 100e-6), an_hour(1'700'006'400, 1e-3)};
  result.hours[1].own_steps = 1;
  result.hours[1].own_stepped_s = 0.25;
  result.total = result.hours[1];
  return result;
}

std::string document_with_shadow() {
  auto status = samples::locked();
  status.shadow = two_hours();
  return to_json(status);
}

outcome compared(const std::string& document, output_form form) {
  const fake_daemon daemon{frame(document), manner::answers};
  options o;
  o.what = command::compare;
  o.form = form;
  o.socket = daemon.path();
  return run_compare(o);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("what is seen of a clock survives the document") {
  const auto part = part_of(document_with_shadow(), "shadow");
  REQUIRE(part.has_value());
  const auto read = read_shadow(*part);
  REQUIRE(read.has_value());
  REQUIRE(read->hours.size() == 2);
  CHECK(read->hours[1].since.count() == 1'700'006'400);
  CHECK(read->hours[0].rms_s == doctest::Approx(100e-6));
  CHECK(read->hours[0].looks == 70);
  CHECK(read->total.own_steps == 1);
  CHECK(shadow_json(*read) == shadow_json(two_hours()));
}

TEST_CASE("compare says how far apart the clocks were, and a line an hour") {
  const auto r = compared(document_with_shadow(), output_form::plain);
  CHECK(r.code == 0);
  CHECK(has(r.out, "within 1.00 ms of ours (RMS), at most 3.00 ms; we know it "
                   "to +/- 20.0 us, surely to 1.00 ms."));
  CHECK(has(r.out, "paths that differ there and back could explain it"));
  CHECK(has(r.out, "We would have stepped it 1 time, by 250 ms in all"));
  CHECK(has(r.out, "2023-11-14 23:00"));
  CHECK(has(r.out, "2023-11-15 00:00"));
  CHECK(!has(r.out, "agree"));
}

TEST_CASE("compare as JSON and CSV has the same hours in SI units") {
  const auto json = compared(document_with_shadow(), output_form::json);
  CHECK(json.out == shadow_json(two_hours()) + '\n');
  const auto csv = compared(document_with_shadow(), output_form::csv);
  CHECK(csv.out.starts_with("since,watched_seconds,looks,mean_offset,"));
  CHECK(has(csv.out, "\n1700002800,3600,70,5e-05,0.0001,0.00030000000000000003"
                     ",2e-05,0.001,0,0,60,"));
}

TEST_CASE("clocks that differ by no more than is unknown are said to agree") {
  ntp::shadow_snapshot shadow;
  shadow.hours = {an_hour(1'700'002'800, 10e-6)};
  shadow.total = shadow.hours[0];
  CHECK(has(compare_view(shadow), "the two agree"));
  CHECK(has(compare_view({}), "Nothing is known yet"));
}

TEST_CASE("clocks that differ by more than paths can hide are said to differ") {
  ntp::shadow_snapshot shadow;
  shadow.hours = {an_hour(1'700'002'800, 2e-3)};
  shadow.total = shadow.hours[0];
  CHECK(has(compare_view(shadow), "the two differ"));
}

TEST_CASE("a daemon that steers its clock itself has nothing to compare") {
  const auto r = compared(to_json(samples::locked()), output_form::plain);
  CHECK(r.code == 1);
  CHECK(has(r.err, "--shadow"));
}

TEST_CASE("a shadow of wrong types is read as far as it goes") {
  constexpr auto extremes
    = R"({"hours":[{"since":-9223372036854775808,"watched_seconds":1e308,)"
      R"("mean_offset":1e308,"own_steps":18446744073709551615}]})";
  for (const char* text :
       {"{}", "{\"total\":[]}", "{\"hours\":{}}", "{\"hours\":[1,null,[]]}",
        "{\"total\":{\"since\":1e300,\"looks\":-1,\"rms_offset\":\"x\"}}",
        extremes}) {
    const auto read = read_shadow(text);
    REQUIRE(read.has_value());
    CHECK(!compare_view(*read).empty());
  }
  CHECK(!read_shadow("null").has_value());
  CHECK(!read_shadow("").has_value());
}

} // namespace concert::ctl
