#include "tools/ntp_sim/options.hpp"

#include <doctest/doctest.h>

namespace concert::sim {

TEST_CASE("what is said to run is understood") {
  const auto o = parse_options(
    {"run", "a.toml", "b.toml", "--seeds", "24", "--first-seed", "101",
     "--jobs", "3", "--discipline", "kalman", "--json", "--only-aside"});
  REQUIRE(o);
  CHECK(o->what == command::run);
  CHECK(o->files.size() == 2);
  CHECK(o->seeds == 24);
  CHECK(o->first_seed == 101);
  CHECK(o->jobs == 3);
  CHECK(o->discipline == filter_kind::kalman);
  CHECK(o->json);
  CHECK(o->aside == aside_rows::only);
}

TEST_CASE("a command line that makes no sense is code 2, help is code 0") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{},
        {"run"},
        {"run", "a", "--seeds", "0"},
        {"run", "a", "--discipline", "magic"},
        {"run", "a", "--no-aside", "--only-aside"},
        {"walk"}}) {
    const auto o = parse_options(words);
    REQUIRE_FALSE(o);
    CHECK(o.error().code == 2);
    CHECK_FALSE(o.error().text.empty());
  }
  const auto help = parse_options({"--help"});
  REQUIRE_FALSE(help);
  CHECK(help.error().code == 0);
  CHECK(help.error().text.find("run") != std::string::npos);
}

} // namespace concert::sim
