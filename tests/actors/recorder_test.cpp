#include "actors/record_lines.hpp"
#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <fstream>

namespace concert::actors::testing {

namespace {

/// The lines of a file, each of which must be one JSON object.
std::vector<rapidjson::Document> lines_of(const std::filesystem::path& path) {
  std::vector<rapidjson::Document> lines;
  std::ifstream in{path};
  for (std::string line; std::getline(in, line);) {
    auto& document = lines.emplace_back();
    document.Parse(line);
    REQUIRE(document.IsObject());
  }
  return lines;
}

std::string with_logs(const scratch& folder) {
  const auto path = folder.path().string();
  return "measurement-log-path = \"" + path
         + "/measurements\"\ntracking-log-path = \"" + path + "/tracking\"\n"
         + machine::usual_config();
}

} // namespace

TEST_CASE("a measurement keeps all digits of its time") {
  measurement_taken m;
  constexpr std::chrono::nanoseconds when{1'772'323'200'123'456'789};
  m.now = ntp::ntp_timestamp::from_unix(when);
  m.source = "time.example.org:123";
  const auto line = measurement_line(m, when + std::chrono::hours{1});
  CHECK(line.find("\"time\":\"2026-03-01T00:00:00.123456789Z\"")
        != std::string::npos);
  CHECK(line.find("\"unix_ns\":1772323200123456789") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);
}

TEST_CASE("each measurement and each update of the clock makes a line") {
  const scratch folder;
  machine m;
  m.start(with_logs(folder));
  m.run_for(10min);
  const auto measurements = lines_of(folder.path() / "measurements");
  const auto tracking = lines_of(folder.path() / "tracking");
  int answers = 0;
  for (const auto* server : {machine::a, machine::b, machine::c})
    answers += static_cast<int>(m.server(server).asked());
  CHECK(measurements.size() == static_cast<std::size_t>(answers));
  CHECK(tracking.size() == measurements.size());
  std::int64_t before = 0;
  for (const auto& line : measurements) {
    CHECK(line["unix_ns"].GetInt64() > before - 1'000'000'000);
    before = line["unix_ns"].GetInt64();
    CHECK(line["delay"].GetDouble() > 0);
  }
  const auto& last = tracking.back();
  CHECK(std::string{last["state"].GetString()} == "synchronized");
  CHECK(std::abs(last["true_error"].GetDouble()) < 1e-3);
}

TEST_CASE("without a path nothing is recorded, and no folder is a warning") {
  const scratch folder;
  machine m;
  m.start("tracking-log-path = \""
          + (folder.path() / "gone" / "tracking").string() + "\"\n"
          + machine::usual_config());
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
  CHECK(m.logged("record-failed"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "gone"));
  std::filesystem::create_directory(folder.path() / "gone");
  m.run_for(10min);
  CHECK(m.logged("record-resumed"));
  CHECK_FALSE(lines_of(folder.path() / "gone" / "tracking").empty());
}

} // namespace concert::actors::testing
