#include "tools/ntp_sim/row.hpp"

#include "tools/ntp_sim/numbers.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

namespace concert::sim {

namespace {

scenario chain_of_two() {
  scenario s;
  s.name = "042-chain";
  s.title = "a \"quoted\" title";
  s.group = "g";
  s.duration_s = 100;
  s.chain = 2;
  s.reference.bound = 1e-6;
  s.limits.push_back({find_measure("rms-to-bound"), {}, 1.5});
  return s;
}

/// Two seeds; the last daemon is 2 us off.
scenario_result result() {
  scenario_result r;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    std::vector<tally> levels(2);
    for (std::size_t i = 0; i < 2; ++i) {
      levels[i].seconds = 1;
      levels[i].squares = (i + 1.0) * (i + 1.0) * 1e-12;
    }
    r.runs[seed] = levels;
  }
  return r;
}

} // namespace

TEST_CASE("a chain has a row for each daemon, and the last one is judged") {
  const auto s = chain_of_two();
  const auto rows = rows_of(s, result());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "042-chain");
  CHECK(rows[1].name == "042-chain/2");
  CHECK(rows[0].failures.empty());
  REQUIRE(rows[1].failures.size() == 1);
  CHECK(rows[1].failures[0] == "rms-to-bound is 2, above the limit 1.5");
}

TEST_CASE("a seed without a result fails its scenario") {
  const auto s = chain_of_two();
  scenario_result r;
  r.errors.emplace_back("seed 1: died");
  const auto rows = rows_of(s, r);
  CHECK(rows[1].failures == std::vector<std::string>{"seed 1: died"});
  CHECK(table_text({}, rows).find("FAILED 042-chain/2: seed 1: died")
        != std::string::npos);
}

TEST_CASE("the table names what failed") {
  const auto s = chain_of_two();
  const auto text
    = table_text({"ntp-sim 1", "osb", "defaults", 1, 2}, rows_of(s, result()));
  CHECK(text.find("ntp-sim 1, discipline osb, seeds 1 to 2")
        != std::string::npos);
  CHECK(text.find("2.00us") != std::string::npos);
  CHECK(text.find("FAILED 042-chain/2: rms-to-bound is 2")
        != std::string::npos);
}

TEST_CASE("JSON has all rows and figures") {
  const auto s = chain_of_two();
  const auto text = json_text({"v", "osb", "c", 1, 2}, rows_of(s, result()));
  rapidjson::Document d;
  d.Parse(text.c_str());
  REQUIRE_FALSE(d.HasParseError());
  REQUIRE(d["rows"].Size() == 2);
  const auto& last = d["rows"][1];
  CHECK(last["figures"]["rms"].GetDouble() == doctest::Approx(2e-6));
  CHECK(last["figures"]["seed_rms"].Size() == 2);
  CHECK(last["measures"]["rms-to-bound"].GetDouble() == doctest::Approx(2));
  CHECK(last["measures"]["rms-to-chrony"].IsNull());
  CHECK(last["limits"]["rms-to-bound"]["high"].GetDouble() == 1.5);
  CHECK(last["failures"].Size() == 1);
}

TEST_CASE("numbers have three digits and a unit") {
  CHECK(time_text(2.68e-6) == "2.68us");
  CHECK(time_text(-34.14e-9) == "-34.1ns");
  CHECK(time_text(999.6e-9) == "1.00us");
  CHECK(time_text(100.0) == "100s");
  CHECK(time_text({}) == "-");
  CHECK(frequency_text(6.5e-8) == "65.0e-9");
  CHECK(ratio_text(1.0799) == "1.08");
}

} // namespace concert::sim
