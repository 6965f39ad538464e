#include "tools/ntp_once/options.hpp"

#include <doctest/doctest.h>

namespace concert::once {

namespace {

options good(std::vector<std::string> arguments) {
  auto parsed = parse_options(std::move(arguments));
  INFO((parsed ? "" : parsed.error().text));
  REQUIRE(parsed);
  return *parsed;
}

usage_answer bad(std::vector<std::string> arguments) {
  auto parsed = parse_options(std::move(arguments));
  REQUIRE_FALSE(parsed);
  return parsed.error();
}

} // namespace

TEST_CASE("servers are written as in ntp.toml") {
  const auto o = good({"a.example", "192.0.2.1:1123", "[2001:db8::1]:124"});
  REQUIRE(o.servers.size() == 3);
  CHECK(o.servers[0] == config::host_port{"a.example", 123});
  CHECK(o.servers[1] == config::host_port{"192.0.2.1", 1123});
  CHECK(o.servers[2] == config::host_port{"2001:db8::1", 124});
}

TEST_CASE("one shot takes four samples and waits two seconds for each") {
  CHECK(good({"a"}).samples == 4);
  CHECK(good({"a"}).time_limit_s() == 12);
  CHECK(good({"a", "-n", "1"}).time_limit_s() == 6);
  CHECK(good({"a", "-n", "1", "-t", "500ms"}).time_limit_s() == 0.5);
}

TEST_CASE("interleaved mode is for one shot and for following, if asked for") {
  CHECK(!good({"a"}).interleaved);
  CHECK(good({"a", "--interleaved"}).interleaved);
  CHECK(good({"a", "--follow", "--interleaved"}).interleaved);
}

TEST_CASE("the virtual clock takes the parameters of ntp.toml") {
  const auto o
    = good({"a", "--follow", "--clock", "virtual", "--virtual",
            "initial-offset=-0.25,frequency-error=4e-5,wander=1e-9,seed=7"});
  CHECK(o.clock == followed_clock::virtual_);
  CHECK(o.model.initial_offset_s == -0.25);
  CHECK(o.model.frequency_error == 4e-5);
  CHECK(o.model.wander == 1e-9);
  CHECK(o.model.seed == 7);
}

TEST_CASE("poll intervals are a range of exponents, or one") {
  const auto range = good({"a", "--follow", "--poll", "0:17"});
  CHECK(range.min_poll == 0);
  CHECK(range.max_poll == 17);
  const auto one = good({"a", "--follow", "--poll", "4"});
  CHECK(one.min_poll == 4);
  CHECK(one.max_poll == 4);
}

TEST_CASE("what cannot be understood is said with its place") {
  struct mistake {
    std::vector<std::string> arguments;
    const char* named;
  };
  const std::vector<std::string> model{"a", "--follow", "--clock", "virtual",
                                       "--virtual"};
  const auto with_model = [&](const char* text) {
    auto all = model;
    all.emplace_back(text);
    return all;
  };
  for (const auto& m : std::vector<mistake>{
         {{}, "SERVER"},
         {{"a:0x"}, "a:0x"},
         {{"a:70000"}, "a:70000"},
         {{"a", "-n", "0"}, "--samples"},
         {{"a", "-n", "9"}, "--samples"},
         {{"a", "-n", "four"}, "four"},
         {{"a", "-t", "soon"}, "soon"},
         {{"a", "-t", "0"}, "--timeout"},
         {{"a", "-f", "xml"}, "xml"},
         {{"a", "-4", "-6"}, "-4"},
         {{"a", "--agree", "0"}, "--agree"},
         {{"a", "--clock", "system"}, "--clock: is for --follow"},
         {{"a", "--log", "-"}, "--log: is for --follow"},
         {{"a", "--follow", "-n", "2"}, "--samples: is not for --follow"},
         {{"a", "--follow", "--clock", "atomic"}, "atomic"},
         {{"a", "--follow", "--poll", "6:4"}, "6:4"},
         {{"a", "--follow", "--poll", "0:18"}, "0:18"},
         {{"a", "--follow", "--poll", "4:"}, "4:"},
         {{"a", "--follow", "--virtual", "seed=1"},
          "--virtual: is for --clock virtual"},
         {with_model("speed=1"), "speed"},
         {with_model("seed=-1"), "-1"},
         {with_model("wander=nan"), "nan"},
         {with_model("frequency-error=1"), "from -0.1 to 0.1"},
         {with_model("initial-offset"), "initial-offset"},
       }) {
    const auto answer = bad(m.arguments);
    INFO(answer.text);
    CHECK(answer.code == 2);
    CHECK(answer.text.find(m.named) != std::string::npos);
  }
}

TEST_CASE("help and version are no mistakes") {
  CHECK(bad({"--help"}).code == 0);
  CHECK(bad({"--version"}).text.find("ntp-once ") == 0);
}

} // namespace concert::once
