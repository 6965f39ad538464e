#include "tests/config/parsing.hpp"

namespace concert::config {

TEST_CASE("without a word about it there is an observation socket") {
  const auto observability = valid("").config.observability;
  CHECK(observability.observation_path == "/run/concert/observe");
  CHECK(observability.observation_permissions == 0666);
  CHECK(observability.level == log_level::info);
  CHECK_FALSE(observability.log_path.has_value());
  CHECK(observability.top_clients == 0);
}

TEST_CASE("every key of observability is read") {
  const auto observability = valid(R"([observability]
log-level = "debug"
log-path = "/var/log/concert"
observation-path = "/run/x"
observation-permissions = 0o660
top-clients = 100
measurement-log-path = "/var/log/m"
tracking-log-path = "/var/log/t"
)")
                               .config.observability;
  CHECK(observability.level == log_level::debug);
  CHECK(observability.log_path == "/var/log/concert");
  CHECK(observability.observation_path == "/run/x");
  CHECK(observability.observation_permissions == 0660);
  CHECK(observability.top_clients == 100);
  CHECK(observability.measurement_log_path == "/var/log/m");
  CHECK(observability.tracking_log_path == "/var/log/t");
}

TEST_CASE("warn and warning are the same level") {
  for (const auto* word : {"warn", "warning"})
    CHECK(valid("[observability]\nlog-level = \"" + std::string{word} + "\"\n")
            .config.observability.level
          == log_level::warning);
}

TEST_CASE("the control socket is beside the observation socket") {
  const auto path
    = [](std::string_view text) { return valid(text).config.control.path; };
  CHECK(path("") == "/run/concert/control");
  CHECK(path("[observability]\nobservation-path = \"/x/observe\"\n")
        == "/x/control");
  CHECK(path("[observability]\nobservation-path = \"/x/o\"\n")
        == "/x/o.control");
  CHECK(path("[control]\npath = \"/c\"\n") == "/c");
  CHECK(path("[control]\npath = \"\"\n") == std::nullopt);
}

TEST_CASE("every key of control is read") {
  const auto control = valid(R"([control]
group = "adm"
runtime-path = "/r"
inspector = false
fault-injection = true
)")
                         .config.control;
  CHECK(control.group == "adm");
  CHECK(control.runtime_path == "/r");
  CHECK_FALSE(control.inspector);
  CHECK(control.fault_injection);
}

TEST_CASE("values of observability are checked") {
  CHECK(refusal_of("[observability]\nlog-level = \"debgu\"\n"
                   "observation-permissions = 0o1777\n"
                   "observation-path = \"a\\u0000b\"\n"
                   "top-clients = 101\n")
        == "ntp.toml:2:13: error: `log-level`: unknown value \"debgu\": did "
           "you mean `debug`?\n"
           "ntp.toml:3:27: error: `observation-permissions`: must be from 0 "
           "to 511, found 1023\n"
           "ntp.toml:4:20: error: `observation-path`: must not contain a NUL "
           "character\n"
           "ntp.toml:5:15: error: `top-clients`: must be from 0 to 100, found "
           "101\n");
}

} // namespace concert::config
