#include "tests/config/parsing.hpp"

#include <utility>

namespace concert::config {

namespace {

keyset_config keyset(std::string_view keys) {
  return valid("[keyset]\n" + std::string{keys}).config.keyset;
}

} // namespace

TEST_CASE("keys change once a day and open cookies for a week after") {
  const auto usual = valid("").config.keyset;
  CHECK(usual.stale_key_count == 7);
  CHECK(usual.key_rotation_interval == std::chrono::hours{24});
  CHECK_FALSE(usual.key_storage_path.has_value());
  CHECK_FALSE(usual.cluster_secret_file.has_value());
  CHECK(keyset("") == usual);
}

TEST_CASE("every key of the key set is read") {
  const auto set = keyset("stale-key-count = 1000\n"
                          "key-rotation-interval = 60\n"
                          "key-storage-path = \"/var/lib/keys\"\n");
  CHECK(set.stale_key_count == 1000);
  CHECK(set.key_rotation_interval == std::chrono::seconds{60});
  CHECK(set.key_storage_path == "/var/lib/keys");
  CHECK(keyset("stale-key-count = 0\n").stale_key_count == 0);
  CHECK(keyset("cluster-secret-file = \"/s\"\n").cluster_secret_file == "/s");
}

TEST_CASE("keys that follow from a secret are not stored") {
  CHECK(warnings_of("[keyset]\nkey-storage-path = \"/k\"\n"
                    "cluster-secret-file = \"/s\"\n")
          .starts_with("ntp.toml: warning: no [[source]]"));
  const auto lines = warnings_of("[keyset]\nkey-storage-path = \"/k\"\n"
                                 "cluster-secret-file = \"/s\"\n");
  CHECK(lines.find("ntp.toml:2:20: warning: `key-storage-path`: has no effect: "
                   "with `cluster-secret-file` there is nothing to store\n")
        != std::string::npos);
}

TEST_CASE("values of the key set are checked") {
  const std::pair<const char*, const char*> wrong[] = {
    {"stale-key-count = -1", "must be from 0 to 1000, found -1"},
    {"stale-key-count = 1001", "must be from 0 to 1000, found 1001"},
    {"key-rotation-interval = 59", "must be from 60 to 1000000000, found 59"},
    {"key-rotation-interval = 1e3", "expected an integer"},
    {"key-storage-path = \"\"", "must not be empty"},
    {"cluster-secret-file = 1", "expected a string"},
    {"cluster-secret = \"x\"", "did you mean `cluster-secret-file`?"},
  };
  for (const auto& [key, complaint] : wrong) {
    const auto text = refusal_of("[keyset]\n" + std::string{key} + '\n');
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
  }
}

} // namespace concert::config
