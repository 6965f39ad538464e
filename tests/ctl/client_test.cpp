#include "ctl/client.hpp"

#include "ctl/observation.hpp"
#include "ctl/status.hpp"
#include "tests/ctl/fake_daemon.hpp"

#include <doctest/doctest.h>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace concert::ctl {

namespace {

using namespace std::chrono_literals;
using manner = fake_daemon::manner;

/// What a client says that has little patience.
error failure(const std::filesystem::path& path) {
  const auto answer = fetch_document(path, 200ms);
  REQUIRE_FALSE(answer.has_value());
  return answer.error();
}

} // namespace

TEST_CASE("a client gets the document that the daemon frames") {
  const std::string document(300'000, 'x');
  const fake_daemon daemon{frame(document), manner::answers};
  CHECK(fetch_document(daemon.path()).value() == document);
  CHECK(fetch_document(daemon.path()).value() == document);
}

TEST_CASE("a client needs no end of the stream") {
  const fake_daemon daemon{frame("{}"), manner::stalls};
  CHECK(fetch_document(daemon.path()).value() == "{}");
}

TEST_CASE("a missing socket and one that nobody serves are no daemon") {
  const scratch_folder folder;
  const auto path = folder.path() / "observe";
  CHECK(failure(path).code == errc::no_daemon);
  CHECK(failure(path).text
        == "no daemon listens at " + path.string()
             + "; is ntp-daemon running?");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address))
          == 0);
  ::close(fd);
  CHECK(failure(path).code == errc::no_daemon);
}

TEST_CASE("a daemon that hangs is reported, also when its queue is full") {
  const fake_daemon daemon{"", manner::hangs};
  CHECK(failure(daemon.path()).code == errc::timeout);
  CHECK(failure(daemon.path()).text
        == "the daemon at " + daemon.path().string()
             + " does not answer (stopped or hung?)");
  // The clients before have left, but the queue still holds their places.
  for (int i = 0; i < 3; ++i)
    CHECK(failure(daemon.path()).code == errc::timeout);
}

TEST_CASE("a daemon that stops half-way is reported") {
  const fake_daemon in_head{std::string(3, '\0'), manner::stalls};
  CHECK(failure(in_head.path()).code == errc::timeout);
  const std::string half = frame(std::string(1000, 'x')).substr(0, 500);
  const fake_daemon in_body{half, manner::stalls};
  CHECK(failure(in_body.path()).code == errc::timeout);
  const fake_daemon closing{half, manner::answers};
  CHECK(failure(closing.path()).code == errc::cut_off);
  const fake_daemon silent{"", manner::answers};
  CHECK(failure(silent.path()).code == errc::cut_off);
}

TEST_CASE("a length beyond the limit is refused before it is read") {
  const fake_daemon other{"HTTP/1.1 400 Bad Request", manner::stalls};
  CHECK(failure(other.path()).code == errc::too_large);
}

TEST_CASE("a path that no socket can have is named") {
  CHECK(failure("").code == errc::bad_path);
  CHECK(failure("/" + std::string(200, 'x')).code == errc::bad_path);
}

TEST_CASE("who does not want to wait any more need not") {
  const fake_daemon daemon{"", manner::stalls};
  const int cancel = ::eventfd(1, EFD_CLOEXEC);
  const auto answer = fetch_document(daemon.path(), 1h, cancel);
  ::close(cancel);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == errc::interrupted);
}

} // namespace concert::ctl
