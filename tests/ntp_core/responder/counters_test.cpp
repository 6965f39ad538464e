#include "ntp_core/responder/counters.hpp"

#include <doctest/doctest.h>

#include <set>

namespace concert::ntp {

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
  a += b;
  CHECK(a.at(response::answered, reason::ok) == 7);
  CHECK(a.at(response::ignored, reason::mode) == 5);
  CHECK(a.versions[3] == 4);
  CHECK(a.versions[4] == 3);
  CHECK(a.queue_overflows == 6);
  CHECK(a.total() == 12);
}

} // namespace concert::ntp
