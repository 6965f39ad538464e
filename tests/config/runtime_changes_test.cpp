#include "tests/config/config_directory.hpp"

#include <random>

namespace concert::config {

namespace {

constexpr std::string_view two_sources = R"([[source]]
mode = "server"
address = "a.example"
poll-interval-limits = { min = 5, max = 9 }
[[source]]
mode = "nts"
address = "b.example"
[synchronization]
max-error = 2
)";

/// A directory with a configuration and a place for run-time changes.
class changed_directory : public config_directory {
public:
  explicit changed_directory(std::string_view text) {
    write("ntp.toml",
          "state-file = \"" + path("state") + "\"\n" + std::string{text});
  }

  loaded_config accepted(const runtime_changes& changes = {}) const {
    auto result = load(main(), true, named_files::checked, changes);
    if (!result)
      FAIL("refused: " << lines(result.error()));
    return std::move(*result);
  }

  std::string refused(const runtime_changes& changes = {}) const {
    const auto result = load(main(), true, named_files::checked, changes);
    if (result)
      FAIL("accepted");
    return lines(result.error());
  }
};

runtime_changes setting(std::string key, std::string value) {
  runtime_changes changes;
  changes.set.emplace(std::move(key), std::move(value));
  return changes;
}

std::vector<std::string> names(const daemon_config& config) {
  std::vector<std::string> result;
  for (const auto& source : config.sources)
    result.push_back(source.address.to_string());
  return result;
}

} // namespace

TEST_CASE("changes at run time lie over what the files say") {
  const changed_directory dir{two_sources};
  runtime_changes changes;
  changes.set = {{"synchronization.max-error", "0.5"},
                 {"observability.log-level", "debug"},
                 {"keyset.stale-key-count", "3 # fewer"}};
  changes.added_sources
    = {"mode = \"pool\"\naddress = \"p.example\"\ncount = 2\n"};
  changes.modified_sources = {{"a.example", "prefer = true\nminpoll = 7\n"}};
  changes.removed_sources = {"b.example:4460"};
  const auto config = dir.accepted(changes).config;
  CHECK(config.steering.max_error_s == 0.5);
  CHECK(config.observability.level == log_level::debug);
  CHECK(config.keyset.stale_key_count == 3);
  REQUIRE(names(config)
          == std::vector<std::string>{"a.example:123", "p.example:123"});
  CHECK(config.sources[0].prefer);
  CHECK(config.sources[0].min_poll == 7);
  CHECK(config.sources[0].max_poll == 9);
  CHECK(config.sources[1].count == 2);
}

TEST_CASE("a change that is wrong is named, not placed in a file") {
  const changed_directory dir{two_sources};
  CHECK(dir.refused(setting("max-error", "-1"))
        == "set synchronization.max-error: error: `max-error`: must be from "
           "1e-06 to 1000000, found -1\n");
  CHECK(dir.refused(setting("synchronization.max-eror", "1"))
        == "set synchronization.max-eror: error: unknown key `max-eror` in "
           "[synchronization]; did you mean `max-error`?\n");
  runtime_changes changes;
  changes.added_sources = {"mode = \"server\"\nadress = \"c\"\n"};
  changes.modified_sources = {{"a.example", "prefer = 1\n"}};
  CHECK(dir.refused(changes)
        == "source add: error: [[source]]: `address` is missing\n"
           "source add: error: unknown key `adress` in [[source]]; did you "
           "mean `address`?\n"
           "source modify a.example: error: `prefer`: expected a boolean, "
           "found an integer\n");
}

TEST_CASE("what is no value, no key or no single key cannot be set") {
  const changed_directory dir{two_sources};
  for (const auto& change :
       std::initializer_list<std::pair<const char*, const char*>>{
         {"synchronization.max-error", "1\nuser = \"x\""},
         {"synchronization.max-error", ""},
         {"synchronization.max-error", "[1"},
         {"synchronization.max-error.x", "1"},
         {"synchronization", "{ max-error = 1 }"},
         {"synchronization.algorithm", "{}"},
         {"source", "[]"},
         {"source.prefer", "true"},
         {"server", "[]"},
         {"control.runtime-path", "\"/x\""},
         {"state-file.x", "1"},
         {"a..b", "1"},
         {"", "1"},
         {"a b", "1"},
         {"\n", "1"},
         {"observability.log-level.x.y.z", "1"}}) {
    CAPTURE(change.first);
    CAPTURE(change.second);
    CHECK_FALSE(dir.refused(setting(change.first, change.second)).empty());
  }
  CHECK(dir.refused(setting("source", "[]"))
        == "set source: error: `source`: sources are changed with `ntp-ctl "
           "source add`, `modify` and `remove`\n");
}

TEST_CASE("a source that is not one is refused with those there are") {
  const changed_directory dir{
    "[[source]]\nmode = \"server\"\naddress = \"a.example\"\n"
    "[[source]]\nmode = \"server\"\naddress = \"a.example:124\"\n"};
  runtime_changes changes;
  changes.removed_sources = {"c.example"};
  CHECK(dir.refused(changes)
        == "source remove c.example: error: no source `c.example`: there are "
           "a.example:123, a.example:124\n");
  changes.removed_sources = {"a.example"};
  CHECK(dir.refused(changes)
        == "source remove a.example: error: `a.example` is not one source: "
           "a.example:123, a.example:124\n");
  changes.removed_sources = {"a.example:124"};
  CHECK(dir.accepted(changes).config.sources.size() == 1);
  changes.removed_sources = {};
  changes.added_sources = {"mode = \"server\"\naddress = \"a.example\"\n"};
  CHECK(dir.refused(changes)
        == "source add: error: a.example:123 is a source already\n");
  changes.removed_sources = {"a.example:123"};
  CHECK(dir.accepted(changes).config.sources.size() == 2);
  changes = {};
  changes.modified_sources = {{"a.example:124", "address = \"b\"\n"}};
  CHECK_FALSE(dir.refused(changes).empty());
}

TEST_CASE("persistent changes are read last, and stale ones passed over") {
  const changed_directory dir{two_sources};
  dir.write("ntp.toml.d/a.toml", "[synchronization]\nmax-error = 3\n");
  dir.write("runtime.toml", "remove-sources = [\"gone.example\"]\n"
                            "[set]\nsynchronization.max-error = 4\n"
                            "\"user\" = \"ntp\"\n");
  const auto loaded = dir.accepted();
  CHECK(loaded.config.steering.max_error_s == 4);
  CHECK(loaded.config.user == "ntp");
  CHECK(loaded.persistent.set.size() == 2);
  CHECK(loaded.runtime_path == dir.path("runtime.toml"));
  CHECK(
    dir.lines(loaded.warnings)
      .find("runtime.toml:1:19: warning: no source `gone.example`: there are "
            "a.example:123, b.example:4460; the change has no effect\n")
    != std::string::npos);
  runtime_changes changes;
  changes.unset = {"max-error"};
  CHECK(dir.accepted(changes).config.steering.max_error_s == 3);
  dir.write("runtime.toml", "[sett]\n[set]\nmax-error = true\n");
  CHECK(dir.refused()
        == "runtime.toml:1:2: error: unknown key `sett`; did you mean `set`?\n"
           "runtime.toml:3:13: error: `max-error`: expected a number, found a "
           "boolean\n");
}

TEST_CASE("where persistent changes live depends on the configuration") {
  const auto config = valid("state-file = \"/s/state\"\n").config;
  CHECK(runtime_path("/x/ntp.toml", config) == "/s/runtime.toml");
  CHECK(runtime_path(default_path(), config)
        == "/var/lib/concert/runtime.toml");
  CHECK_FALSE(runtime_path("/x/ntp.toml", valid("").config));
  CHECK(runtime_path("/x/ntp.toml",
                     valid("[control]\nruntime-path = \"/r\"\n").config)
        == "/r");
}

TEST_CASE("what was added and then removed is gone, and can come back") {
  runtime_changes added;
  added.added_sources = {"mode = \"server\"\naddress = \"c\"\n"};
  runtime_changes removed;
  removed.removed_sources = {"c:123"};
  CHECK(joined(added, removed).empty());
  const auto both = joined(removed, added);
  CHECK(both.removed_sources == removed.removed_sources);
  CHECK(both.added_sources == added.added_sources);
  runtime_changes modified;
  modified.modified_sources = {{"c:123", "prefer = true\n"}};
  const auto merged = joined(added, modified);
  CHECK(merged.modified_sources.empty());
  CHECK(merged.added_sources
        == std::vector<std::string>{
          "address = \"c\"\nmode = \"server\"\nprefer = true\n"});
  CHECK(joined(modified, removed).modified_sources.empty());
  runtime_changes again;
  again.modified_sources = {{"c:123", "offset = 1\nprefer = false\n"}};
  CHECK(joined(modified, again).modified_sources.at("c:123")
        == "offset = 1\nprefer = false\n");
}

TEST_CASE("a key set below and unset above is as it was") {
  const auto lower = setting("max-error", "1");
  runtime_changes upper;
  upper.unset = {"synchronization.max-error"};
  CHECK(joined(lower, upper).set.empty());
  CHECK(joined(upper, lower).unset.empty());
  CHECK(joined(upper, lower).set.at("synchronization.max-error") == "1");
}

TEST_CASE("changes come back from their file as they were") {
  std::mt19937 random{6};
  const std::vector<std::string> values{
    "1",          "0.1",  "true",        "1e-300",
    "[1, \"x\"]", "{}",   "{ a = 1.0 }", "\"\\\"\\n#é\\u0001\"",
    "inf",        "0o660"};
  for (int round = 0; round < 200; ++round) {
    const auto one_of_them = [&] { return values[random() % values.size()]; };
    runtime_changes changes;
    for (auto n = random() % 4; n != 0; --n)
      changes.set["s.k" + std::to_string(random() % 9)] = one_of_them();
    for (auto n = random() % 3; n != 0; --n)
      changes.added_sources.push_back("a = " + one_of_them()
                                      + "\nb-c = " + one_of_them() + '\n');
    for (auto n = random() % 3; n != 0; --n)
      changes.modified_sources["h" + std::to_string(n) + ":1"]
        = "offset = " + one_of_them() + '\n';
    for (auto n = random() % 3; n != 0; --n)
      changes.removed_sources.push_back("r\"" + std::to_string(n));
    const auto text = to_toml(changes);
    CAPTURE(text);
    const auto read = parse_runtime_changes(text, "runtime.toml");
    REQUIRE(read);
    CHECK(*read == changes);
  }
}

TEST_CASE("changes joined are as good as one after the other") {
  const changed_directory dir{two_sources};
  std::mt19937 random{7};
  const auto some = [&](runtime_changes& changes, const daemon_config& now) {
    const auto is_there
      = [&](const char* name) { return find_source(now, name).has_value(); };
    for (const std::string name : {"a.example:123", "c.example:123"}) {
      const bool there = is_there(name.c_str());
      const auto action = random() % 4;
      if (action == 0 && there)
        changes.removed_sources.push_back(name);
      else if (action == 1 && !there)
        changes.added_sources.push_back("mode = \"server\"\naddress = \"" + name
                                        + "\"\n");
      else if (action == 2 && there)
        changes.modified_sources[name]
          = "offset = " + std::to_string(random() % 9) + '\n';
    }
    if (random() % 2 == 0)
      changes.set["max-error"] = std::to_string(1 + random() % 9);
  };
  for (int round = 0; round < 100; ++round) {
    runtime_changes all;
    auto now = dir.accepted().config;
    for (int step = 0; step < 5; ++step) {
      runtime_changes next;
      some(next, now);
      // The persistent file below, the changes above: two layers.
      dir.write("runtime.toml", to_toml(all));
      const auto layered = dir.accepted(next).config;
      all = joined(all, next);
      dir.write("runtime.toml", "");
      now = dir.accepted(all).config;
      CHECK(difference(layered, now).empty());
    }
  }
}

} // namespace concert::config
