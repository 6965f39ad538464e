#include "exporter/http_server.hpp"

#include <asio/read.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace concert::exporter {

namespace {

using asio::ip::tcp;

constexpr std::size_t body_size = 300'000;

http_engine echo() {
  return http_engine{[](const http_request& r) -> http_response {
    auto body = r.path == "/big" ? std::string(body_size, 'x')
                                 : r.path + "|" + r.accept;
    return {200, "text/plain",
            std::make_shared<const std::string>(std::move(body))};
  }};
}

/// A server on loopback; its thread is the test's.
struct running {
  asio::io_context context{1};
  std::unique_ptr<http_server> server;

  explicit running(http_limits limits = {}) {
    auto listening
      = http_server::listen(context, "127.0.0.1:0", echo(), limits);
    REQUIRE(listening);
    server = std::move(*listening);
  }

  tcp::socket client(const std::string& says) {
    tcp::socket socket{context};
    socket.connect(server->place());
    asio::write(socket, asio::buffer(says));
    return socket;
  }

  /// Lets the server work until it has heard from all clients.
  void settle() {
    while (context.run_for(std::chrono::milliseconds{20}) > 0) {
    }
  }

  /// What came until the connection ended.
  std::string heard(tcp::socket& socket) {
    std::string text;
    std::error_code ended;
    bool done = false;
    asio::async_read(socket, asio::dynamic_buffer(text),
                     [&](std::error_code e, std::size_t) {
                       ended = e;
                       done = true;
                     });
    while (!done)
      context.run_one();
    return text;
  }
};

} // namespace

TEST_CASE(
  "GET is answered with a body, headers and the end of the connection") {
  const std::string text
    = echo().answer("GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\naccept: y\r\n\r\n");
  CHECK(text.starts_with("HTTP/1.1 200"));
  CHECK(text.ends_with("\r\n\r\n/a b|y"));
  CHECK(text.find("Connection: close") != std::string::npos);
  CHECK(text.find("Content-Security-Policy: default-src 'none'")
        != std::string::npos);
}

TEST_CASE("HEAD is answered with the same headers and no body") {
  const std::string text = echo().answer("HEAD /big HTTP/1.1\r\n\r\n");
  CHECK(text.find("Content-Length: 300000") != std::string::npos);
  CHECK(text.ends_with("\r\n\r\n"));
}

TEST_CASE("other methods are not allowed") {
  for (const char* line : {"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
                           "DELETE / HTTP/1.1\r\n\r\n", "\x16\x03\x01\r\n\r\n"})
    CHECK(echo().answer(line).starts_with("HTTP/1.1 405"));
}

TEST_CASE("garbage after GET is a bad request") {
  for (const char* line :
       {"GET \r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / / / HTTP/1.1\r\n\r\n"})
    CHECK(echo().answer(line).starts_with("HTTP/1.1 400"));
}

TEST_CASE("no header makes an answer longer, shorter or later") {
  const std::string plain = echo().answer("GET /big HTTP/1.1\r\n\r\n");
  for (const char* header :
       {"Range: bytes=0-,0-,0-,0-", "Accept-Encoding: gzip",
        "Expect: 100-continue", "Content-Length: 99999",
        "Transfer-Encoding: chunked", "Connection: keep-alive"})
    CHECK(
      echo().answer("GET /big HTTP/1.1\r\n" + std::string{header} + "\r\n\r\n")
      == plain);
}

TEST_CASE("a request over a socket is answered") {
  running r;
  auto socket = r.client("GET /x HTTP/1.1\r\n\r\n");
  CHECK(r.heard(socket).ends_with("/x|"));
  CHECK(r.server->connections() == 0);
}

TEST_CASE("a request that never ends is refused at its limit") {
  running r;
  auto socket = r.client("GET /" + std::string(4096, 'a'));
  CHECK(r.heard(socket).starts_with("HTTP/1.1 431"));
  CHECK(r.server->connections() == 0);
}

TEST_CASE("who says nothing, or not all, is given up after the time limit") {
  running r{{.request_time = std::chrono::milliseconds{50}}};
  auto silent = r.client("");
  auto slow = r.client("GET / HT");
  CHECK(r.heard(silent).empty());
  CHECK(r.heard(slow).empty());
  CHECK(r.server->connections() == 0);
}

TEST_CASE("who does not read its answer is given up after the time limit") {
  running r{{.answer_time = std::chrono::milliseconds{50}}};
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(r.context, tcp::v4());
    clients.back().set_option(tcp::socket::receive_buffer_size{2048});
    clients.back().connect(r.server->place());
    asio::write(clients.back(),
                asio::buffer(std::string{"GET /big HTTP/1.1\r\n\r\n"}));
  }
  r.context.run_for(std::chrono::milliseconds{500});
  CHECK(r.server->connections() == 0);
}

TEST_CASE("beyond the limit the oldest connection makes room") {
  running r{{.connections = 3}};
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 5; ++i) {
    silent.push_back(r.client(""));
    r.settle();
  }
  CHECK(r.server->connections() == 3);
  auto socket = r.client("GET /x HTTP/1.1\r\n\r\n");
  CHECK(r.heard(socket).ends_with("/x|"));
}

TEST_CASE("an address that cannot be listened at is told") {
  asio::io_context context;
  for (const char* where : {"", "localhost", "127.0.0.1", "127.0.0.1:x",
                            "::1:80", "127.0.0.1:99999", "192.0.2.1:1"}) {
    const auto listening = http_server::listen(context, where, echo());
    REQUIRE_FALSE(listening);
    CHECK_FALSE(listening.error().empty());
  }
}

} // namespace concert::exporter
