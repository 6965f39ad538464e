#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

const std::string source
  = "[[source]]\nmode = \"server\"\naddress = \"a.example\"\n";

} // namespace

TEST_CASE("the clock is the system's unless another kind is named") {
  CHECK(valid("").config.clock.kind == clock_kind::system);
  const auto kind = [](std::string_view word) {
    return valid("[clock]\nkind = \"" + std::string{word} + "\"\n")
      .config.clock.kind;
  };
  CHECK(kind("system") == clock_kind::system);
  CHECK(kind("virtual") == clock_kind::virtual_);
  CHECK(kind("read-only") == clock_kind::read_only);
  CHECK(kind("auto") == clock_kind::automatic);
}

TEST_CASE("a virtual clock has an oscillator model and a place for its state") {
  const auto clock = valid(R"([clock]
kind = "virtual"
initial-offset = 0.25
frequency-error = 40e-6
wander = 1e-9
seed = 7
path = "/run/concert/clock"
)")
                       .config.clock;
  CHECK(clock.initial_offset_s == 0.25);
  CHECK(clock.frequency_error == 40e-6);
  CHECK(clock.wander == 1e-9);
  CHECK(clock.seed == 7);
  CHECK(clock.path == "/run/concert/clock");
}

TEST_CASE("keys of the virtual clock are said to be idle with another kind") {
  CHECK(warnings_of(source + "[clock]\nseed = 2\n")
        == "ntp.toml:5:8: warning: has an effect only with [clock] kind = "
           "\"virtual\"\n");
}

TEST_CASE("ntpd-rs's keys of the clock are accepted with a warning each") {
  CHECK(warnings_of(source
                    + "[clock]\nclock = \"/dev/ptp0\"\n"
                      "interface = \"eth0\"\n"
                      "timestamp-mode = \"hardware\"\n")
        == "ntp.toml:5:9: warning: `clock`: is not in effect yet: `kind` says "
           "which clock is steered\n"
           "ntp.toml:6:13: warning: `interface`: is not in effect yet: the "
           "routes choose the interface\n"
           "ntp.toml:7:18: warning: `timestamp-mode`: is not in effect yet: "
           "stamps come from the kernel\n");
}

TEST_CASE("values of the clock are checked") {
  CHECK(refusal_of("[clock]\nkind = \"fast\"\n")
        == "ntp.toml:2:8: error: `kind`: unknown value \"fast\": known here: "
           "system, virtual, read-only, auto\n");
  CHECK(refusal_of("[clock]\nfrequency-error = 1\nwander = -1\nseed = -1\n"
                   "initial-offset = inf\n")
        == "ntp.toml:2:19: error: `frequency-error`: must be from -0.1 to "
           "0.1, found 1\n"
           "ntp.toml:3:10: error: `wander`: must be from 0 to 0.001, found "
           "-1\n"
           "ntp.toml:4:8: error: `seed`: must be from 0 to "
           "9223372036854775807, found -1\n"
           "ntp.toml:5:18: error: `initial-offset`: must be from -1000000000 "
           "to 1000000000, found inf\n");
}

} // namespace concert::config
