#include "tools/ntp_once/statistics_log.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <vector>

namespace concert::once {

namespace {

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream{line};
  std::vector<std::string> list;
  for (std::string word; stream >> word;)
    list.push_back(word);
  return list;
}

update some_update() {
  using namespace std::chrono_literals;
  update u;
  u.now = ntp::ntp_timestamp::from_unix(1'795'000'000s + 123'456'789ns);
  u.source = "a.example:123";
  const auto after
    = [&](double s) { return u.now + ntp::ntp_duration::from_seconds(s); };
  u.sample.t1.wall = u.now;
  u.sample.t2 = after(0.251);
  u.sample.t3 = after(0.251);
  u.sample.t4.wall = after(0.002);
  u.sample.t4.raw = ntp::raw_time{} + ntp::ntp_duration::from_seconds(0.002);
  return u;
}

} // namespace

TEST_CASE("a line of statistics has a value for each name of the header") {
  auto u = some_update();
  CHECK(words(statistics_line(u)).size() == words(statistics_header()).size());
  u.system.last_update = ntp::mono_time{};
  u.system.state = ntp::system_state::synchronized;
  u.system.offset_s = -1e-6;
  u.system.frequency = -40e-6;
  u.true_error_s = 2e-6;
  const auto values = words(statistics_line(u));
  REQUIRE(values.size() == words(statistics_header()).size());
  CHECK(values[0] == "2026-11-18T11:06:40.123456Z");
  CHECK(values[1] == "a.example:123");
  CHECK(values[2] == "+0.250000000");
  CHECK(values[3] == "0.002000000");
  CHECK(values[4] == "-0.000001000");
  CHECK(values[5] == "-40.000000");
  CHECK(values[11] == "synchronized");
  CHECK(values[12] == "+0.000002000");
}

TEST_CASE("what is not known yet is a dash") {
  const auto values = words(statistics_line(some_update()));
  for (const auto column : {4U, 6U, 7U, 8U, 12U})
    CHECK(values[column] == "-");
}

TEST_CASE("a log that cannot be opened or written is an error that names it") {
  for (const std::string path : {"/nonexistent/log", "/dev/full"}) {
    const auto log = statistics_log::open(path);
    REQUIRE_FALSE(log);
    CHECK(log.error().text.find(path) != std::string::npos);
  }
}

} // namespace concert::once
