#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

source_config only_source(std::string_view keys) {
  const auto loaded = valid("[[source]]\nmode = \"server\"\n"
                            "address = \"a.example\"\n"
                            + std::string{keys});
  REQUIRE(loaded.config.sources.size() == 1);
  return loaded.config.sources[0];
}

std::string source_refusal(std::string_view keys) {
  return refusal_of("[[source]]\nmode = \"server\"\naddress = \"a.example\"\n"
                    + std::string{keys});
}

} // namespace

TEST_CASE("a source without further keys has the defaults") {
  source_config expected;
  expected.address = {"a.example", 123};
  CHECK(only_source("") == expected);
  CHECK(expected.iburst);
}

TEST_CASE("every key of a server source is read") {
  const auto source = only_source(R"(ntp-version = 3
poll-interval-limits = { min = 3, max = 9 }
initial-poll-interval = 4
iburst = false
prefer = true
noselect = true
interleaved = true
offset = -0.5
)");
  CHECK(source.ntp_version == 3);
  CHECK(source.min_poll == 3);
  CHECK(source.max_poll == 9);
  CHECK(source.initial_poll == 4);
  CHECK_FALSE(source.iburst);
  CHECK(source.prefer);
  CHECK(source.noselect);
  CHECK(source.interleaved);
  CHECK(source.offset_s == -0.5);
}

TEST_CASE("interleaved mode may be asked for once for all sources") {
  const auto loaded = valid(R"([source-defaults]
interleaved = true
[[source]]
mode = "server"
address = "a.example"
[[source]]
mode = "server"
address = "b.example"
interleaved = false
)");
  CHECK(loaded.config.sources.at(0).interleaved);
  CHECK_FALSE(loaded.config.sources.at(1).interleaved);
  CHECK_FALSE(only_source("").interleaved);
}

TEST_CASE("a pool has a size and addresses that it never uses") {
  const auto loaded = valid(R"([[source]]
mode = "pool"
address = "pool.example:1234"
count = 6
ignore = ["192.0.2.1", "2001:db8::1"]
)");
  const auto& pool = loaded.config.sources.at(0);
  CHECK(pool.mode == source_mode::pool);
  CHECK(pool.address == host_port{"pool.example", 1234});
  CHECK(pool.count == 6);
  REQUIRE(pool.ignore.size() == 2);
  CHECK(pool.ignore[1].to_string() == "2001:db8::1");
  CHECK(loaded.config.configured_sources() == 6);
}

TEST_CASE("keys of a pool are refused elsewhere") {
  CHECK(source_refusal("count = 3\n")
        == "ntp.toml:4:9: error: `count`: is for mode = \"pool\" or "
           "\"nts-pool\" only\n");
}

TEST_CASE("minpoll and maxpoll are short for poll-interval-limits") {
  CHECK(only_source("minpoll = 5\nmaxpoll = 8\n")
        == only_source("poll-interval-limits = { min = 5, max = 8 }\n"));
  CHECK(source_refusal("minpoll = 5\npoll-interval-limits = { min = 5 }\n")
        == "ntp.toml:4:11: error: `minpoll`: is also given by "
           "`poll-interval-limits`\n");
}

TEST_CASE("defaults hold for sources that say nothing themselves") {
  const auto loaded = valid(R"([source-defaults]
poll-interval-limits = { min = 4, max = 11 }
initial-poll-interval = 5

[[source]]
mode = "server"
address = "a.example"

[[source]]
mode = "server"
address = "b.example"
minpoll = 7
)");
  const auto& sources = loaded.config.sources;
  CHECK(sources.at(0).min_poll == 4);
  CHECK(sources.at(0).max_poll == 11);
  CHECK(sources.at(0).initial_poll == 5);
  CHECK(sources.at(1).min_poll == 7);
  CHECK(sources.at(1).max_poll == 11);
  CHECK(sources.at(1).initial_poll == 7);
  CHECK(loaded.warnings.empty());
}

TEST_CASE("poll limits are from 0 to 17, the minimum not above the maximum") {
  CHECK(only_source("minpoll = 0\nmaxpoll = 17\n").max_poll == 17);
  CHECK(source_refusal("minpoll = -1\n")
        == "ntp.toml:4:11: error: `minpoll`: must be from 0 to 17, found "
           "-1\n");
  CHECK(source_refusal("poll-interval-limits = { min = 9, max = 8 }\n")
        == "ntp.toml:4:24: error: the minimum poll interval 9 exceeds the "
           "maximum 8\n");
  CHECK(source_refusal("minpoll = 9\n[source-defaults]\nmaxpoll = 8\n")
        == "ntp.toml:4:11: error: the minimum poll interval 9 exceeds the "
           "maximum 8\n");
}

TEST_CASE("a limit that nobody set gives way to the other one") {
  CHECK(only_source("minpoll = 12\n").max_poll == 12);
  CHECK(only_source("maxpoll = 3\n").min_poll == 3);
  CHECK_FALSE(only_source("minpoll = 8\n").max_poll.has_value());
}

TEST_CASE("an initial poll interval outside the limits is moved, and said") {
  const std::string text = "[[source]]\nmode = \"server\"\n"
                           "address = \"a.example\"\nminpoll = 6\n"
                           "initial-poll-interval = 4\n";
  CHECK(valid(text).config.sources.at(0).initial_poll == 6);
  CHECK(warnings_of(text)
        == "ntp.toml:1:1: warning: `initial-poll-interval`: 4 lies outside "
           "the limits 6 to 17; 6 is used\n");
}

TEST_CASE("values of a source are checked") {
  CHECK(source_refusal("offset = nan\n")
        == "ntp.toml:4:10: error: `offset`: must be from -3600 to 3600, found "
           "nan\n");
  CHECK(source_refusal("ntp-version = 2\n")
        == "ntp.toml:4:15: error: `ntp-version`: must be from 3 to 4, found "
           "2\n");
  CHECK(refusal_of("[[source]]\nmode = \"pool\"\naddress = \"a.example\"\n"
                   "ignore = [\n  \"192.0.2.1\",\n  \"x\",\n]\n")
        == "ntp.toml:6:3: error: `ignore`: expected an IP address, found "
           "\"x\"\n");
  CHECK(refusal_of("[[source]]\nmode = \"server\"\naddress = 7\n")
        == "ntp.toml:3:11: error: `address`: expected a string, found an "
           "integer\n");
}

} // namespace concert::config
