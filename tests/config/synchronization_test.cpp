#include "tests/config/parsing.hpp"

#include <cmath>

namespace concert::config {

namespace {

ntp::steering_config steering(std::string_view keys) {
  return valid("[synchronization]\n" + std::string{keys}).config.steering;
}

std::string refusal(std::string_view keys) {
  return refusal_of("[synchronization]\n" + std::string{keys});
}

} // namespace

TEST_CASE("an empty file steers with the defaults") {
  const auto loaded = valid("");
  CHECK(loaded.config.steering == ntp::steering_config{});
  CHECK_FALSE(loaded.config.steering.minimum_agreeing_sources.has_value());
}

TEST_CASE("a threshold is a number, \"inf\", or one of these a direction") {
  const auto number = steering("single-step-panic-threshold = 1800\n");
  CHECK(number.single_step_panic_threshold == ntp::step_threshold{1800, 1800});
  const auto word = steering("single-step-panic-threshold = \"inf\"\n");
  CHECK(word.single_step_panic_threshold == ntp::step_threshold{});
  const auto map = steering(
    "startup-step-panic-threshold = { forward = \"inf\", backward = 1.5 }\n");
  CHECK(std::isinf(map.startup_step_panic_threshold.forward_s));
  CHECK(map.startup_step_panic_threshold.backward_s == 1.5);
  const auto half
    = steering("single-step-panic-threshold = { backward = 9 }\n");
  CHECK(std::isinf(half.single_step_panic_threshold.forward_s));
  CHECK(half.single_step_panic_threshold.backward_s == 9);
}

TEST_CASE("the sum of steps is unlimited at 0 and at \"inf\"") {
  const auto limit = [](std::string_view value) {
    return steering("accumulated-step-panic-threshold = " + std::string{value})
      .accumulated_step_panic_threshold_s;
  };
  CHECK_FALSE(limit("0").has_value());
  CHECK_FALSE(limit("\"inf\"").has_value());
  CHECK(limit("12.5") == 12.5);
}

TEST_CASE("thresholds are not negative, and not anything else") {
  CHECK(refusal("single-step-panic-threshold = -1\n")
        == "ntp.toml:2:31: error: `single-step-panic-threshold`: must not be "
           "negative, found -1\n");
  CHECK(refusal("startup-step-panic-threshold = { forward = -1 }\n")
        == "ntp.toml:2:44: error: `forward`: must not be negative, found "
           "-1\n");
  CHECK(refusal("single-step-panic-threshold = \"never\"\n")
        == "ntp.toml:2:31: error: `single-step-panic-threshold`: expected a "
           "number of seconds or \"inf\", found a string\n");
  CHECK(refusal("single-step-panic-threshold = { forwards = 1 }\n")
        == "ntp.toml:2:33: error: unknown key `forwards` in "
           "single-step-panic-threshold = { forward, backward }; did you mean "
           "`forward`?\n");
}

TEST_CASE("the other keys of synchronisation are read") {
  const auto result = steering("minimum-agreeing-sources = 2\n"
                               "warn-on-jump = false\nlocal-stratum = 10\n"
                               "reference-id = \"GPS\"\nmax-error = 0.25\n"
                               "on-panic = \"exit\"\n");
  CHECK(result.minimum_agreeing_sources == 2);
  CHECK_FALSE(result.warn_on_jump);
  CHECK(result.local_stratum == 10);
  CHECK(result.reference_id == 0x47505300);
  CHECK(result.max_error_s == 0.25);
  CHECK(result.exit_on_panic);
}

TEST_CASE("some keys may stand at the top level or in the section, not both") {
  const std::string keys = "state-file = \"/s\"\nleap-seconds-file = \"/l\"\n"
                           "max-error = 2\non-panic = \"exit\"\n"
                           "user = \"ntp\"\n";
  for (const auto& text : {keys, "[synchronization]\n" + keys}) {
    const auto config = valid(text).config;
    CHECK(config.state_file == "/s");
    CHECK(config.leap_seconds_file == "/l");
    CHECK(config.steering.max_error_s == 2);
    CHECK(config.steering.exit_on_panic);
    CHECK(config.user == "ntp");
  }
  CHECK(refusal_of("max-error = 2\n[synchronization]\nmax-error = 3\n")
        == "ntp.toml:3:13: error: `max-error`: is also given at "
           "ntp.toml:1\n");
}

TEST_CASE("values of synchronisation are checked") {
  CHECK(refusal("reference-id = \"LOCAL\"\n")
        == "ntp.toml:2:16: error: `reference-id`: must be at most 4 ASCII "
           "characters, found \"LOCAL\"\n");
  CHECK(refusal("local-stratum = 17\n")
        == "ntp.toml:2:17: error: `local-stratum`: must be from 1 to 16, "
           "found 17\n");
  CHECK(refusal("minimum-agreeing-sources = -1\n")
        == "ntp.toml:2:28: error: `minimum-agreeing-sources`: must be from 0 "
           "to 1000, found -1\n");
  CHECK(refusal("max-error = 0\n")
        == "ntp.toml:2:13: error: `max-error`: must be from 1e-06 to 1000000, "
           "found 0\n");
  CHECK(refusal("on-panic = \"stopp\"\n")
        == "ntp.toml:2:12: error: `on-panic`: unknown value \"stopp\": did "
           "you mean `stop`?\n");
  CHECK(refusal("user = \"\"\n")
        == "ntp.toml:2:8: error: `user`: must not be empty\n");
  CHECK(refusal("minimum-agreeing-sources = 2.0\n")
        == "ntp.toml:2:28: error: `minimum-agreeing-sources`: expected an "
           "integer, found a number with a fraction\n");
}

TEST_CASE("settings of ntpd-rs's algorithm are used, warned about or unknown") {
  const auto used = steering("[synchronization.algorithm]\n"
                             "initial-wander = 1e-7\n"
                             "slew-length = 1\n"
                             "poll-tolerance = 0.5\n"
                             "slew-maximum-frequency-offset = 200e-6\n");
  CHECK(used.initial_wander == 1e-7);
  CHECK(used.slew_polls == 1);
  CHECK(used.poll_tolerance == 0.5);
  CHECK(used.max_slew == 200e-6);
  const auto loaded = valid("[[source]]\nmode = \"server\"\n"
                            "address = \"a.example\"\n"
                            "[synchronization.algorithm]\n"
                            "step-threshold = 0.01\n"
                            "slew-maximum-frequency-offset = 0.01\n");
  CHECK(loaded.config.steering.step_s == ntp::steering_config{}.step_s);
  CHECK(loaded.config.steering.max_slew == 1000e-6);
  CHECK(lines_of(loaded.warnings)
        == "ntp.toml:5:18: warning: `step-threshold`: has no effect: "
           "Concert's clock algorithm has no such setting\n"
           "ntp.toml:6:33: warning: `slew-maximum-frequency-offset`: 0.01 is "
           "more than Concert ever slews; 0.001 is used\n");
  CHECK(refusal("[synchronization.algorithm]\nstep-treshold = 1\n")
        == "ntp.toml:3:1: error: unknown key `step-treshold` in "
           "[synchronization.algorithm]; did you mean `step-threshold`?\n");
}

} // namespace concert::config
