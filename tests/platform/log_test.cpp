#include "platform/log.hpp"

#include "tests/platform/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <thread>
#include <vector>

namespace concert::platform {

using namespace std::chrono_literals;
using testing::temporary_folder;

namespace {

/// What `body`, run in a child, writes to stderr.
template <class Body>
std::string stderr_of(Body body) {
  int pair[2];
  REQUIRE(pipe2(pair, O_CLOEXEC) == 0);
  testing::in_child([&] {
    dup2(pair[1], STDERR_FILENO);
    body();
    return 0;
  });
  close(pair[1]);
  std::array<char, 4096> buffer;
  const auto size = read(pair[0], buffer.data(), buffer.size());
  close(pair[0]);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, size))};
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST_CASE("a line on stderr begins with the level that syslog knows") {
  const auto text = stderr_of([] {
    unsetenv("JOURNAL_STREAM");
    log::set_level(log::level::trace);
    log::error("clock-lost", "reason={}", "gone");
    log::warning("a", "b={}", 1);
    log::info("a", "b={}", 2);
    log::debug("a", "b={}", 3);
  });
  CHECK(text == "<3>clock-lost reason=gone\n<4>a b=1\n<6>a b=2\n<7>a b=3\n");
}

TEST_CASE("the level filters") {
  const auto text = stderr_of([] {
    unsetenv("JOURNAL_STREAM");
    log::info("seen", "n={}", 1);
    log::debug("unseen", "n={}", 2);
    log::set_level(log::level::error);
    log::warning("unseen", "n={}", 3);
  });
  CHECK(text == "<6>seen n=1\n");
}

TEST_CASE("another program's journal stream is not ours") {
  const auto text = stderr_of([] {
    setenv("JOURNAL_STREAM", "1:2", 1);
    log::info("event", "n={}", 1);
  });
  CHECK(text == "<6>event n=1\n");
}

TEST_CASE("control characters from the network stay on their line") {
  const auto text = stderr_of([] {
    unsetenv("JOURNAL_STREAM");
    log::info("event", "name={}", "a\nb\x1b[2Jc\x7f\xc2\x9b\xc3\xa4");
  });
  CHECK(text == "<6>event name=a\\x0ab\\x1b[2Jc\\x7f\\u009b\xc3\xa4\n");
}

TEST_CASE("a log file is appended to, and opened anew after rotation") {
  const temporary_folder folder;
  const auto path = folder / "log";
  testing::overwrite(path, "old\n");
  const int status = testing::in_child([&] {
    if (log::to_file(folder / "none/log") || !log::to_file(path))
      return 1;
    log::info("one", "n={}", 1);
    std::filesystem::rename(path, folder / "log.1");
    log::info("two", "n={}", 2);
    if (!log::reopen())
      return 2;
    log::error("three", "n={}", 3);
    return 0;
  });
  CHECK(status == 0);
  const auto old = testing::contents(folder / "log.1");
  CHECK(old.starts_with("old\n"));
  CHECK(old.find("Z info one n=1\n") != old.npos);
  CHECK(old.ends_with("Z info two n=2\n"));
  CHECK(testing::contents(path).ends_with("Z error three n=3\n"));
  CHECK(lines_in(testing::contents(path)) == 1);
}

TEST_CASE("a log file that cannot be opened anew is written on") {
  const temporary_folder folder;
  const auto path = folder / "sub/log";
  std::filesystem::create_directory(folder / "sub");
  const int status = testing::in_child([&] {
    if (!log::to_file(path))
      return 1;
    std::filesystem::rename(folder / "sub", folder / "moved");
    if (const auto r = log::reopen();
        r || r.error().text.find("sub/log") == std::string::npos)
      return 2;
    log::info("one", "n={}", 1);
    return 0;
  });
  CHECK(status == 0);
  CHECK(testing::contents(folder / "moved/log").ends_with("Z info one n=1\n"));
}

TEST_CASE("a log file can be left again") {
  const temporary_folder folder;
  const auto path = folder / "log";
  const auto text = stderr_of([&] {
    unsetenv("JOURNAL_STREAM");
    CHECK(log::to_file(path));
    log::info("one", "n={}", 1);
    log::to_standard_error();
    log::info("two", "n={}", 2);
  });
  CHECK(text == "<6>two n=2\n");
  CHECK(testing::contents(path).ends_with("Z info one n=1\n"));
}

TEST_CASE("lines of several threads do not mix") {
  const temporary_folder folder;
  const auto path = folder / "log";
  testing::in_child([&] {
    if (!log::to_file(path))
      return 1;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([] {
        for (int i = 0; i < 100; ++i)
          log::info("event", "text={}", std::string(100, 'x'));
      });
    for (auto& t : threads)
      t.join();
    return 0;
  });
  const auto text = testing::contents(path);
  CHECK(lines_in(text) == 400);
  CHECK(text.size() % 400 == 0);
}

TEST_CASE("the journal gets each key as a field") {
  const temporary_folder folder;
  const auto path = folder / "received";
  // A journal of our own in a mount namespace that ends with the child.
  const int status = testing::in_child([&] {
    if (unshare(CLONE_NEWNS) != 0
        || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
        || mount("none", "/run", "tmpfs", 0, nullptr) != 0)
      return 77;
    std::filesystem::create_directories("/run/systemd/journal");
    const int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/run/systemd/journal/socket");
    struct stat error_stream {};
    if (bind(journal, reinterpret_cast<const sockaddr*>(&address),
             sizeof address)
          != 0
        || fstat(STDERR_FILENO, &error_stream) != 0)
      return 1;
    setenv(
      "JOURNAL_STREAM",
      fmt::format("{}:{}", error_stream.st_dev, error_stream.st_ino).c_str(),
      1);
    log::warning("source-lost", "name={} reason=\"no answer\" a-b=", "x.org");
    std::array<char, 4096> buffer;
    const auto size = recv(journal, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size <= 0)
      return 2;
    testing::overwrite(path, {buffer.data(), static_cast<std::size_t>(size)});
    return 0;
  });
  if (status == 77) {
    MESSAGE("skipped: no mount namespace for us");
    return;
  }
  REQUIRE(status == 0);
  const auto text = testing::contents(path);
  for (const char* field :
       {"PRIORITY=4\n", "EVENT=source-lost\n", "CONCERT_NAME=x.org\n",
        "CONCERT_REASON=no answer\n", "CONCERT_A_B=\n",
        "MESSAGE=source-lost name=x.org reason=\"no answer\" a-b=\n"}) {
    CAPTURE(field);
    CHECK(text.find(field) != text.npos);
  }
}

TEST_CASE("a limiter lets one line an interval through and counts the rest") {
  log::limiter limiter{10s};
  CHECK(limiter.pass(0s) == 0U);
  CHECK_FALSE(limiter.pass(1s));
  CHECK_FALSE(limiter.pass(9999ms));
  CHECK(limiter.pass(10s) == 2U);
  CHECK_FALSE(limiter.pass(19s));
  CHECK(limiter.pass(1000s) == 1U);
  CHECK(limiter.pass(2000s) == 0U);
}

} // namespace concert::platform
