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
)")
                               .config.observability;
  CHECK(observability.level == log_level::debug);
  CHECK(observability.log_path == "/var/log/concert");
  CHECK(observability.observation_path == "/run/x");
  CHECK(observability.observation_permissions == 0660);
  CHECK(observability.top_clients == 100);
}

TEST_CASE("warn and warning are the same level") {
  for (const auto* word : {"warn", "warning"})
    CHECK(valid("[observability]\nlog-level = \"" + std::string{word} + "\"\n")
            .config.observability.level
          == log_level::warning);
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
