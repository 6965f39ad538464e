#include "config/nearest_name.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::config {

namespace {

constexpr std::string_view names[]
  = {"address", "iburst", "minpoll", "maxpoll", "local-stratum"};

} // namespace

TEST_CASE("a mistyped name is recognised") {
  CHECK(nearest_name("adress", names) == "address");
  CHECK(nearest_name("addresss", names) == "address");
  CHECK(nearest_name("ibrust", names) == "iburst");
  CHECK(nearest_name("Local_Stratum", names) == "local-stratum");
  CHECK(nearest_name("max-poll", names) == "maxpoll");
}

TEST_CASE("a name that resembles none gets no guess") {
  CHECK_FALSE(nearest_name("burst-count", names).has_value());
  CHECK_FALSE(nearest_name("", names).has_value());
  CHECK_FALSE(nearest_name(std::string(1'000'000, 'a'), names).has_value());
}

TEST_CASE("the nearest of several similar names wins") {
  CHECK(nearest_name("minpol", names) == "minpoll");
  CHECK(nearest_name("maxpol", names) == "maxpoll");
}

} // namespace concert::config
