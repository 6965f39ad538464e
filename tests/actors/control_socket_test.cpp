// The control socket itself, by clients of the same thread.

#include "actors/control_socket.hpp"

#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace concert::actors {

namespace {

using namespace std::chrono_literals;

/// What has come; "closed" if it was closed.
std::string hear(int fd) {
  std::vector<char> text(1 << 20);
  const auto size = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno == ECONNRESET))
    return "closed";
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

class fixture {
public:
  fixture() {
    config::control_config config;
    config.path = scratch_.path() / "control";
    path_ = config.path->string();
    auto opened = open_control_socket(io_, config, [this](control_received r) {
      received_.push_back(std::move(r));
    });
    REQUIRE(opened);
    port_ = std::move(*opened);
  }

  platform::unique_fd connect() {
    platform::unique_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                      sizeof address)
            == 0);
    run();
    return fd;
  }

  std::vector<platform::unique_fd> take_all_places() {
    std::vector<platform::unique_fd> all(32);
    for (auto& fd : all)
      fd = connect();
    return all;
  }

  void say(int fd, const std::string& text) {
    ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    run();
  }

  void run(std::chrono::milliseconds span = 30ms) { io_.run_for(span); }
  std::vector<control_received>& received() { return received_; }
  void close() { port_.reset(); }

private:
  testing::scratch scratch_;
  asio::io_context io_;
  std::string path_;
  std::vector<control_received> received_;
  std::unique_ptr<control_port> port_;
};

const std::string hello = "{\"v\":1,\"id\":7,\"request\":\"hello\"}\n";
const std::string trace = "{\"v\":1,\"id\":8,\"request\":\"trace\"}\n";

} // namespace

TEST_CASE("a request comes with who asks, and is answered by its number") {
  fixture f;
  const auto fd = f.connect();
  f.say(fd.get(), hello.substr(0, 9));
  CHECK(f.received().empty());
  f.say(fd.get(), hello.substr(9) + hello);
  REQUIRE(f.received().size() == 1);
  const auto& peer = f.received()[0].peer;
  CHECK(peer.uid == ::getuid());
  CHECK(peer.pid == ::getpid());
  CHECK(peer.has_rights);
  CHECK(f.received()[0].sink({R"({"a":1})", {}, false}));
  CHECK_FALSE(f.received()[0].sink({R"({"a":2})", {}, false}));
  f.run();
  CHECK(hear(fd.get()) == "{\"v\":1,\"id\":7,\"result\":{\"a\":1}}\n");
  CHECK(f.received().size() == 2);
}

TEST_CASE("a request that nobody answers any more is refused") {
  fixture f;
  const auto fd = f.connect();
  f.say(fd.get(), hello);
  f.received().clear();
  f.run();
  CHECK(hear(fd.get()).find("\"why\":\"failed\"") != std::string::npos);
}

TEST_CASE("garbage is refused, and too much of it closes the connection") {
  fixture f;
  const auto fd = f.connect();
  f.say(fd.get(), "what time is it?\n");
  CHECK(hear(fd.get()).find("\"why\":\"malformed\"") != std::string::npos);
  std::string heard;
  for (int i = 0; i < 100 && heard != "closed"; ++i) {
    f.say(fd.get(), std::string(4096, 'x'));
    heard = hear(fd.get());
  }
  CHECK(heard == "closed");
  CHECK(f.received().empty());
}

TEST_CASE(
  "who asks too often is told to wait, and is read no more for a while") {
  fixture f;
  const auto fd = f.connect();
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "{}\n";
  f.say(fd.get(), text);
  std::string heard;
  for (int i = 0; i < 100 && heard.find("busy") == std::string::npos; ++i) {
    f.run();
    heard += hear(fd.get());
  }
  CHECK(heard.find("\"why\":\"busy\"") != std::string::npos);
  f.run(100ms);
  CHECK(hear(fd.get()).empty());
}

TEST_CASE(
  "when all places are taken the connection that was quiet longest goes") {
  fixture f;
  const auto all = f.take_all_places();
  f.say(all[0].get(), hello);
  REQUIRE(f.received().size() == 1);
  f.received().front().sink({"{}", {}, false});
  f.received().clear();
  f.run();
  CHECK_FALSE(hear(all[0].get()).empty());
  const auto late = f.connect();
  CHECK(hear(all[0].get()).empty());
  CHECK(hear(all[1].get()) == "closed");
  f.say(late.get(), hello);
  CHECK(f.received().size() == 1);
}

TEST_CASE("who asked nothing that makes sense loses its place first") {
  fixture f;
  const auto all = f.take_all_places();
  f.say(all[5].get(), "what time is it?\n");
  CHECK_FALSE(hear(all[5].get()).empty());
  const auto late = f.connect();
  CHECK(hear(all[5].get()) == "closed");
  CHECK(hear(all[0].get()).empty());
}

TEST_CASE("a trace goes on until the other side closes or stops reading") {
  fixture f;
  auto fd = f.connect();
  f.say(fd.get(), trace);
  REQUIRE(f.received().size() == 1);
  const auto& sink = f.received()[0].sink;
  CHECK(sink({"{}", {}, true}));
  f.run();
  CHECK(hear(fd.get()) == "{\"v\":1,\"id\":8,\"result\":{},\"more\":true}\n");
  fd = {};
  f.run();
  CHECK_FALSE(sink({"{}", {}, true}));

  const auto slow = f.connect();
  f.say(slow.get(), trace);
  REQUIRE(f.received().size() == 2);
  const std::string result = '"' + std::string(100000, 'x') + '"';
  int taken = 0;
  while (taken < 100 && f.received()[1].sink({result, {}, true})) {
    ++taken;
    f.run(5ms);
  }
  CHECK(taken < 20);
  f.run();
  CHECK_FALSE(f.received()[1].sink({"{}", {}, true}));
}

TEST_CASE("requests that come around the end of a trace are all handed on") {
  fixture f;
  const auto fd = f.connect();
  f.say(fd.get(), trace + hello);
  REQUIRE(f.received().size() == 1);
  CHECK(f.received()[0].sink({"{}", {}, false}));
  f.run();
  REQUIRE(f.received().size() == 2);
  f.say(fd.get(), hello);
  CHECK(f.received().size() == 2);
  CHECK(f.received()[1].sink({"{}", {}, false}));
  f.run();
  CHECK(f.received().size() == 3);
}

TEST_CASE("answers that come after the socket was closed go nowhere") {
  fixture f;
  const auto fd = f.connect();
  f.say(fd.get(), hello);
  f.close();
  CHECK_FALSE(f.received()[0].sink({"{}", {}, false}));
  f.run();
  CHECK(hear(fd.get()) == "closed");
}

} // namespace concert::actors
