#include "platform/privileges.hpp"

#include "platform/sanitizers.hpp"
#include "platform/socket.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

namespace concert::platform {

namespace {

std::string status_line(const std::filesystem::path& task, const char* key) {
  std::ifstream in{task / "status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key))
      return line.substr(line.find('\t') + 1);
  return {};
}

/// Whether each thread of this process has just these capabilities; the
/// inheritable and ambient sets are empty.
bool all_threads_have(std::uint64_t wanted) {
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx",
                static_cast<unsigned long long>(wanted));
  const std::string none(16, '0');
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task"))
    if (status_line(task.path(), "CapEff") != hex
        || status_line(task.path(), "CapPrm") != hex
        || status_line(task.path(), "CapBnd") != none
        || status_line(task.path(), "CapInh") != none
        || status_line(task.path(), "CapAmb") != none
        || status_line(task.path(), "NoNewPrivs") != "1")
      return false;
  return true;
}

constexpr std::uint64_t bit(unsigned capability) {
  return std::uint64_t{1} << capability;
}

/// Capabilities belong to a thread, and the thread sanitizer starts one before
/// anybody can drop them.
bool can_drop() {
  if (geteuid() == 0 && !thread_sanitizer)
    return true;
  MESSAGE("skipped: needs root and a process with one thread");
  return false;
}

/// Drops privileges, starts threads, and tells what they have.
int drop_and_check(const std::string& user, bool adjust_clock) {
  if (!drop_privileges(user, adjust_clock))
    return 1;
  std::thread other{[] { pause(); }};
  other.detach();
  const auto wanted
    = bit(CAP_NET_BIND_SERVICE) | (adjust_clock ? bit(CAP_SYS_TIME) : 0);
  if (!all_threads_have(wanted))
    return 2;
  if ((geteuid() == 0) != user.empty() || setuid(0) == 0)
    return user.empty() ? 0 : 3;
  return 0;
}

/// From one end of a TCP connection on loopback to the other.
bool exchange_an_octet() {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  auto* const address = reinterpret_cast<sockaddr*>(&place);
  const unique_fd listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (bind(listener.get(), address, size) != 0 || listen(listener.get(), 1) != 0
      || getsockname(listener.get(), address, &size) != 0)
    return false;
  const unique_fd client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  if (connect(client.get(), address, size) != 0
      || setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)
           != 0)
    return false;
  const unique_fd server{
    accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  char octet = 'a';
  return server && getpeername(server.get(), address, &size) == 0
         && send(client.get(), &octet, 1, MSG_NOSIGNAL) == 1
         && shutdown(client.get(), SHUT_WR) == 0
         && recv(server.get(), &octet, 1, 0) == 1;
}

} // namespace

TEST_CASE("every thread keeps only what it needs after the user switch") {
  if (!can_drop())
    return;
  for (const char* user : {"nobody", ""})
    for (const bool adjust : {true, false}) {
      CAPTURE(user);
      CAPTURE(adjust);
      CHECK(testing::in_child([&] { return drop_and_check(user, adjust); })
            == 0);
    }
}

TEST_CASE("nothing can be kept that was not there") {
  if (!can_drop())
    return;
  CHECK(testing::in_child([] {
          if (!keep_only("nobody", {}) || !all_threads_have(0))
            return 1;
          return drop_privileges("", true) && all_threads_have(0) ? 0 : 2;
        })
        == 0);
}

TEST_CASE("a user that does not exist is named") {
  if (!can_drop())
    return;
  CHECK(testing::in_child([] {
          const auto refused = drop_privileges("no-such-user", true);
          return !refused && refused.error().code == errc::invalid
                     && refused.error().text.find("no-such-user")
                          != std::string::npos
                   ? 0
                   : 1;
        })
        == 0);
}

// Sanitizer builds load no filter.
TEST_CASE("the filter kills who executes, and refuses the rest"
          * doctest::skip(address_sanitizer || thread_sanitizer)) {
  CHECK(testing::in_child([] {
          if (!load_syscall_filter())
            return 1;
          if (mount("none", "/", "tmpfs", MS_REMOUNT, nullptr) == 0
              || errno != EPERM)
            return 2;
          return 0;
        })
        == 0);
  CHECK(testing::in_child([] {
          prctl(PR_SET_DUMPABLE, 0);
          if (!load_syscall_filter())
            return 1;
          execl("/bin/true", "true", nullptr);
          return 0;
        })
        == 128 + SIGSYS);
  // Threads that run already are filtered as well.
  CHECK(testing::in_child([] {
          std::thread other{[] {
            while (mount("none", "/", "tmpfs", MS_REMOUNT | MS_BIND, "x") == 0
                   || errno != EPERM)
              std::this_thread::yield();
          }};
          const bool loaded
            = drop_privileges("", false) && load_syscall_filter();
          other.join();
          return loaded ? 0 : 1;
        })
        == 0);
}

TEST_CASE("connections, key files and threads work behind the filter"
          * doctest::skip(address_sanitizer || thread_sanitizer)) {
  const testing::temporary_folder folder;
  const auto made = folder / "new";
  const auto kept = folder / "keys";
  CHECK(testing::in_child([&] {
          if (!load_syscall_filter())
            return 1;
          if (!exchange_an_octet())
            return 2;
          const unique_fd file{open(made.c_str(), O_CREAT | O_WRONLY, 0600)};
          if (!file || write(file.get(), "k", 1) != 1 || fsync(file.get()) != 0
              || rename(made.c_str(), kept.c_str()) != 0
              || unlink(kept.c_str()) != 0)
            return 3;
          int done = 1;
          std::thread{[&] { done = 0; }}.join();
          return done;
        })
        == 0);
}

TEST_CASE("the limit of files goes up to what is allowed") {
  CHECK(testing::in_child([] {
          rlimit limit{};
          getrlimit(RLIMIT_NOFILE, &limit);
          limit.rlim_cur = 64;
          setrlimit(RLIMIT_NOFILE, &limit);
          raise_file_limit();
          getrlimit(RLIMIT_NOFILE, &limit);
          return limit.rlim_cur == limit.rlim_max ? 0 : 1;
        })
        == 0);
}

} // namespace concert::platform
