#include "platform/private_file.hpp"

#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <string_view>

namespace concert::platform {

using testing::temporary_folder;

namespace {

std::span<const std::byte> octets(std::string_view text) {
  return std::as_bytes(std::span{text});
}

ntp::secret_bytes secret(std::string_view text) {
  const auto bytes = octets(text);
  return {bytes.begin(), bytes.end()};
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

} // namespace

TEST_CASE("a private file comes back as it was written, for its owner alone") {
  const temporary_folder folder;
  const auto path = folder / "keys";
  const auto old_mask = umask(0);
  const std::string big(10'000, 'k');
  REQUIRE(write_private_file(path, octets(big)));
  umask(old_mask);
  CHECK(mode_of(path) == 0600);
  CHECK(read_private_file(path, 10'000) == secret(big));

  REQUIRE(write_private_file(path, octets("short")));
  CHECK(read_private_file(path, 5) == secret("short"));
  REQUIRE(write_private_file(path, {}));
  CHECK(read_private_file(path, 0) == secret(""));
  CHECK_FALSE(std::filesystem::exists(folder / "keys.new"));
}

TEST_CASE("a file that others could read is replaced, not written to") {
  const temporary_folder folder;
  const auto path = folder / "keys";
  testing::overwrite(path, "old");
  REQUIRE(chmod(path.c_str(), 0644) == 0);
  // As is one that a crash has left, and that somebody may hold open.
  testing::overwrite(folder / "keys.new", "half");
  REQUIRE(chmod((folder / "keys.new").c_str(), 0666) == 0);
  std::filesystem::create_hard_link(folder / "keys.new", folder / "held");

  REQUIRE(write_private_file(path, octets("new")));
  CHECK(mode_of(path) == 0600);
  CHECK(testing::contents(path) == "new");
  CHECK(testing::contents(folder / "held") == "half");
}

TEST_CASE("a link in the place of the temporary file is not followed") {
  const temporary_folder folder;
  testing::overwrite(folder / "other", "of somebody else");
  std::filesystem::create_symlink(folder / "other", folder / "keys.new");
  REQUIRE(write_private_file(folder / "keys", octets("new")));
  CHECK(testing::contents(folder / "other") == "of somebody else");
  CHECK(testing::contents(folder / "keys") == "new");
}

TEST_CASE("of a private file no more is read than is allowed") {
  const temporary_folder folder;
  const auto path = folder / "keys";
  testing::overwrite(path, "123456");
  CHECK(read_private_file(path, 6));
  const auto refused = read_private_file(path, 5);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::corrupt);
  CHECK(refused.error().text
        == "cannot read " + path.string() + ": it has more than 5 octets");
  CHECK(read_private_file("/dev/zero", 100).error().code == errc::corrupt);
  CHECK_FALSE(read_private_file(folder / ".", 100));
}

TEST_CASE("a private file that is not there is told from one that is bad") {
  const temporary_folder folder;
  const auto absent = read_private_file(folder / "none", 100);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == errc::unavailable);
  CHECK(absent.error().text.find("none: No such file") != std::string::npos);
}

TEST_CASE("a full disk leaves the old private file whole") {
  const temporary_folder folder;
  const auto path = folder / "keys";
  REQUIRE(write_private_file(path, octets("old")));
  const int status = testing::in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};
    setrlimit(RLIMIT_FSIZE, &limit);
    return write_private_file(path, octets(std::string(200, 'n'))) ? 1 : 0;
  });
  CHECK(status == 0);
  CHECK(testing::contents(path) == "old");
  CHECK_FALSE(std::filesystem::exists(folder / "keys.new"));
}

TEST_CASE("a private file that cannot be written is an error with a sentence") {
  const temporary_folder folder;
  const auto refused = write_private_file(folder / "none/keys", octets("x"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text
        == "cannot write " + (folder / "none/keys").string()
             + ": No such file or directory");

  std::filesystem::create_directory(folder / "keys");
  CHECK_FALSE(write_private_file(folder / "keys", octets("x")));
  CHECK_FALSE(std::filesystem::exists(folder / "keys.new"));
}

TEST_CASE("a private file is removed, once or again") {
  const temporary_folder folder;
  const auto path = folder / "keys";
  REQUIRE(write_private_file(path, octets("x")));
  CHECK(remove_private_file(path));
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(remove_private_file(path));

  std::filesystem::create_directory(folder / "folder");
  const auto refused = remove_private_file(folder / "folder");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("cannot remove ") == 0);
  CHECK(refused.error().text.find("folder: ") != std::string::npos);
}

} // namespace concert::platform
