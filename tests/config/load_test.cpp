#include "config/document.hpp"
#include "tests/config/config_directory.hpp"
#include "tests/config/parsing.hpp"

#include <filesystem>
#include <limits>

namespace concert::config {

namespace {

namespace fs = std::filesystem;

std::string source(std::string_view name) {
  return "[[source]]\nmode = \"server\"\naddress = \"" + std::string{name}
         + "\"\n";
}

} // namespace

TEST_CASE("drop-ins add sources and override single values, in name order") {
  const config_directory dir;
  dir.write("ntp.toml", source("a")
                          + "[synchronization]\nmax-error = 1\n"
                            "local-stratum = 9\n");
  dir.write("ntp.toml.d/20.toml", "[synchronization]\nmax-error = 3\n");
  dir.write("ntp.toml.d/10.toml",
            source("b") + source("c") + "[synchronization]\nmax-error = 2\n");
  const auto loaded = load(dir.main(), true);
  REQUIRE(loaded.has_value());
  const auto& config = loaded->config;
  REQUIRE(config.sources.size() == 3);
  CHECK(config.sources[0].address.host == "a");
  CHECK(config.sources[2].address.host == "c");
  CHECK(config.steering.max_error_s == 3);
  CHECK(config.steering.local_stratum == 9);
}

TEST_CASE("an inline table of a drop-in replaces the whole one before it") {
  const config_directory dir;
  dir.write("ntp.toml", "[synchronization]\n"
                        "single-step-panic-threshold = { forward = 5 }\n");
  dir.write("ntp.toml.d/1.toml",
            "[synchronization]\n"
            "single-step-panic-threshold = { backward = 6 }\n");
  const auto loaded = load(dir.main(), true);
  REQUIRE(loaded.has_value());
  const ntp::step_threshold expected{std::numeric_limits<double>::infinity(),
                                     6};
  CHECK(loaded->config.steering.single_step_panic_threshold == expected);
}

TEST_CASE("errors of all files come together, each with its file") {
  const config_directory dir;
  dir.write("ntp.toml", "[clock]\nkind = 1\n[[server]]\nlisten = \"::1\"\n");
  dir.write("ntp.toml.d/a.toml", "[[server]]\nlisten = \"[::1]:123\"\n");
  dir.write("ntp.toml.d/b.toml", "[clock]\nkin = \"auto\"\n");
  const auto loaded = load(dir.main(), true);
  REQUIRE_FALSE(loaded);
  CHECK(dir.lines(loaded.error())
        == "ntp.toml:2:8: error: `kind`: expected a string, found an "
           "integer\n"
           "ntp.toml.d/a.toml:2:10: error: `listen`: [::1]:123 is already "
           "used at ntp.toml:4\n"
           "ntp.toml.d/b.toml:2:1: error: unknown key `kin` in [clock]; did "
           "you mean `kind`?\n");
}

TEST_CASE("an overridden value is judged at the place that overrides it") {
  const config_directory dir;
  dir.write("ntp.toml", "user = \"ntp\"\n");
  dir.write("ntp.toml.d/a.toml", "\n\nuser = 3\n");
  const auto loaded = load(dir.main(), true);
  REQUIRE_FALSE(loaded);
  CHECK(dir.lines(loaded.error())
        == "ntp.toml.d/a.toml:3:8: error: `user`: expected a string, found an "
           "integer\n");
}

TEST_CASE("a reader that wants little takes what is right of a wrong file") {
  const config_directory dir;
  CHECK_FALSE(load_leniently(dir.main()));
  dir.write("ntp.toml", "[observability\n[sorce]\nx = \n"
                        "[observability]\nobservation-path = \"/run/o\"\n"
                        "log-level = \"loud\"\n");
  dir.write("ntp.toml.d/a.toml", "= 1\n[control]\npath = \"/run/c\"\n");
  REQUIRE_FALSE(load(dir.main(), true));
  const auto part = load_leniently(dir.main());
  REQUIRE(part);
  CHECK(part->observability.observation_path == "/run/o");
  CHECK(part->control.path == "/run/c");
  std::string wrong;
  for (int i = 0; i < 100; ++i)
    wrong += "= 1\n";
  dir.write("ntp.toml", wrong);
  CHECK_FALSE(load_leniently(dir.main()));
}

TEST_CASE("other files in the drop-in directory are left alone") {
  const config_directory dir;
  dir.write("ntp.toml", source("a"));
  dir.write("ntp.toml.d/README", "not TOML");
  dir.write("ntp.toml.d/.old.toml", "not TOML");
  dir.write("ntp.toml.d/x.toml.bak", "not TOML");
  const auto loaded = load(dir.main(), true);
  REQUIRE(loaded.has_value());
  CHECK(loaded->warnings.empty());
}

TEST_CASE("a missing file is an error only if it must exist") {
  const config_directory dir;
  const auto required = load(dir.main(), true);
  REQUIRE_FALSE(required);
  CHECK(dir.lines(required.error())
        == "ntp.toml: error: cannot be read: No such file or directory\n");
  dir.write("ntp.toml.d/a.toml", source("a"));
  const auto optional = load(dir.main(), false);
  REQUIRE(optional.has_value());
  CHECK(optional->config.sources.size() == 1);
}

TEST_CASE("a directory, and a file above 8 MiB, are refused") {
  const config_directory dir;
  fs::create_directory(dir.main());
  const auto folder = load(dir.main(), true);
  REQUIRE_FALSE(folder);
  CHECK(dir.lines(folder.error()) == "ntp.toml: error: is a directory\n");
  fs::remove(dir.main());
  dir.write("ntp.toml", std::string(largest_file, '\n'));
  CHECK(load(dir.main(), true).has_value());
  dir.write("ntp.toml", std::string(largest_file + 1, '\n'));
  const auto large = load(dir.main(), true);
  REQUIRE_FALSE(large);
  CHECK(dir.lines(large.error()) == "ntp.toml: error: is larger than 8 MiB\n");
}

TEST_CASE("a file that everybody may write to is warned about") {
  const config_directory dir;
  dir.write("ntp.toml", source("a"));
  fs::permissions(dir.main(), fs::perms::others_write, fs::perm_options::add);
  const auto loaded = load(dir.main(), true);
  REQUIRE(loaded.has_value());
  CHECK(dir.lines(loaded->warnings)
        == "ntp.toml: warning: everybody may write to this file\n");
}

} // namespace concert::config
