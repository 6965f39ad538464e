#include "actors/shadow.hpp"

#include "actors/start_conditions.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace concert::actors {

namespace {

/// A file with this text for the time of a test.
class written_file {
public:
  explicit written_file(const std::string& text)
    : path_(std::filesystem::temp_directory_path()
            / ("shadow-test-" + std::to_string(::getpid()) + ".conf")) {
    std::ofstream{path_} << text;
  }
  ~written_file() { std::filesystem::remove(path_); }
  written_file(const written_file&) = delete;
  written_file& operator=(const written_file&) = delete;
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// A configuration with everything that a shadow must not do.
config::daemon_config busy() {
  auto loaded
    = config::parse("state-file = \"/var/lib/concert/state\"\n"
                    "[[source]]\nmode = \"server\"\naddress = \"own\"\n"
                    "[[server]]\nlisten = \"0.0.0.0:123\"\n"
                    "[[nts-ke-server]]\nlisten = \"0.0.0.0:4460\"\n"
                    "certificate-chain-path = \"/a\"\n"
                    "private-key-path = \"/b\"\n"
                    "[keyset]\nkey-storage-path = \"/keys\"\n"
                    "[observability]\nobservation-path = \"/o\"\n",
                    "ntp.toml");
  REQUIRE(loaded.has_value());
  return loaded->config;
}

void check_is_shadow(const config::daemon_config& c) {
  REQUIRE(c.sources.size() == 2);
  CHECK(c.sources[0].address.host == "a.example");
  CHECK(c.sources[0].max_poll == 7);
  CHECK(c.sources[1].mode == config::source_mode::pool);
  CHECK(c.servers.empty());
  CHECK(c.nts_ke_servers.empty());
  CHECK(!c.keyset.key_storage_path);
  CHECK(!c.state_file);
  CHECK(c.clock.kind == config::clock_kind::read_only);
  CHECK(c.observability.observation_path == "/o");
}

constexpr auto theirs
  = "server a.example maxpoll 7\npool b.example\nallow\nmakestep 1 3\n";

} // namespace

TEST_CASE("a shadow asks the other daemon's sources, and does nothing else") {
  const written_file file{theirs};
  const auto found = find_shadowed(file.path());
  REQUIRE(found.has_value());
  auto config = busy();
  make_shadow(config, *found);
  check_is_shadow(config);
}

TEST_CASE("a shadow stays one when its own configuration is read again") {
  const written_file file{theirs};
  start_conditions start;
  start.read_only = true;
  start.shadowed = *find_shadowed(file.path());
  const auto options = options_of(busy(), start);
  check_is_shadow(*options.files.config);
  auto again = busy();
  options.files.adapt(again);
  check_is_shadow(again);
  CHECK(again.steering.read_only);
}

TEST_CASE("there is no shadow of nothing") {
  CHECK(!find_shadowed("/nowhere/chrony.conf").has_value());
  const written_file none{"makestep 1 3\n"};
  CHECK(!find_shadowed(none.path()).has_value());
  const written_file unknown{"server a.example\n"};
  CHECK(!find_shadowed(unknown.path()).has_value());
}

} // namespace concert::actors
