#include "platform/kernel_time.hpp"
#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <poll.h>

#include <set>

namespace concert::platform {

namespace {

const ntp::endpoint loopback_v4{ntp::ip_address::v4({127, 0, 0, 1}), 0};
const ntp::endpoint loopback_v6{*ntp::ip_address::parse("::1"), 0};

bool wait_readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 2000) == 1;
}

struct poll_stamps {
  std::chrono::nanoseconds t1{};
  std::optional<kernel_stamp> sent;
  std::optional<std::chrono::nanoseconds> server_received;
  std::optional<kernel_stamp> received;
  std::chrono::nanoseconds now{};
};

/// One poll from a fresh socket, echoed by `server`.
poll_stamps poll_once(server_socket& server) {
  poll_stamps out;
  auto client = client_socket::open(server.local());
  REQUIRE(client);
  std::array<std::byte, 48> bytes{};
  out.t1 = kernel_time(CLOCK_REALTIME);
  REQUIRE(client->send(bytes));
  REQUIRE(wait_readable(server.fd()));
  const auto requests = server.receive();
  REQUIRE(requests.size() == 1);
  out.server_received = requests[0].received;
  server.queue_reply(0, 48);
  CHECK(server.flush().empty());
  REQUIRE(wait_readable(client->fd()));
  const auto arrival = client->receive(bytes);
  REQUIRE(arrival);
  CHECK(arrival->size == 48);
  out.received = arrival->stamp;
  out.sent = client->take_transmit_stamp();
  out.now = kernel_time(CLOCK_REALTIME);
  return out;
}

} // namespace

TEST_CASE("200 polls from a cold start have all their stamps from the kernel") {
  const auto keeper = stamping_keeper::open();
  REQUIRE(keeper);
  auto server = server_socket::open(loopback_v4);
  REQUIRE(server);
  int complete = 0;
  int ordered = 0;
  for (int i = 0; i < 200; ++i) {
    const auto s = poll_once(*server);
    if (!s.sent || !s.received || !s.server_received)
      continue;
    ++complete;
    CHECK(s.sent->kind == ntp::stamp_kind::kernel);
    CHECK(s.received->kind == ntp::stamp_kind::kernel);
    ordered += s.t1 <= s.sent->realtime
               && s.sent->realtime <= *s.server_received
               && *s.server_received <= s.received->realtime
               && s.received->realtime <= s.now;
  }
  CHECK(complete == 200);
  CHECK(ordered == 200);
}

TEST_CASE("polls over IPv6 are stamped as well") {
  const auto keeper = stamping_keeper::open();
  auto server = server_socket::open(loopback_v6);
  if (!server) {
    MESSAGE("skipped: no IPv6 here: " << server.error().text);
    return;
  }
  const auto s = poll_once(*server);
  CHECK(s.sent);
  CHECK(s.received);
  CHECK(s.server_received);
}

TEST_CASE("the transmit stamp is that of the last datagram, once") {
  const auto keeper = stamping_keeper::open();
  auto server = server_socket::open(loopback_v4);
  auto client = client_socket::open(server->local());
  const std::array<std::byte, 48> bytes{};
  CHECK(client->send(bytes));
  CHECK(client->send(bytes));
  const auto between = kernel_time(CLOCK_REALTIME);
  CHECK(client->send(bytes));
  const auto stamp = client->take_transmit_stamp();
  REQUIRE(stamp);
  CHECK(stamp->realtime >= between);
  CHECK_FALSE(client->take_transmit_stamp());
}

TEST_CASE("an empty socket would block") {
  auto server = server_socket::open(loopback_v4);
  auto client = client_socket::open(server->local());
  std::array<std::byte, 48> bytes{};
  const auto arrival = client->receive(bytes);
  REQUIRE_FALSE(arrival);
  CHECK(arrival.error().code == errc::would_block);
}

TEST_CASE("a closed port is unreachable, and the socket lives on") {
  ntp::endpoint gone;
  {
    auto server = server_socket::open(loopback_v4);
    gone = server->local();
  }
  auto client = client_socket::open(gone);
  std::array<std::byte, 48> bytes{};
  CHECK(client->send(bytes));
  CHECK(wait_readable(client->fd()));
  SUBCASE("told by receive") {
    CHECK(client->receive(bytes).error().code == errc::unreachable);
  }
  SUBCASE("told by send") {
    CHECK(client->send(bytes).error().code == errc::unreachable);
    // The numbers of stamps start anew after a failure.
    auto server = server_socket::open(gone);
    REQUIRE(server);
    CHECK(client->send(bytes));
    CHECK(client->take_transmit_stamp());
  }
}

TEST_CASE("a datagram beyond the buffer is marked as truncated") {
  auto server = server_socket::open(loopback_v4);
  auto client = client_socket::open(server->local());
  std::array<std::byte, 48> bytes{};
  CHECK(client->send(bytes));
  REQUIRE(server->receive().size() == 1);
  server->queue_reply(0, 100);
  server->flush();
  REQUIRE(wait_readable(client->fd()));
  const auto arrival = client->receive(bytes);
  REQUIRE(arrival);
  CHECK(arrival->truncated);
  CHECK(arrival->size == 48);
}

TEST_CASE("each client socket has a port of its own choice") {
  auto server = server_socket::open(loopback_v4);
  std::set<std::uint16_t> ports;
  int below_ephemeral = 0;
  for (int i = 0; i < 100; ++i) {
    auto client = client_socket::open(server->local());
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    getsockname(client->fd(), reinterpret_cast<sockaddr*>(&bound), &size);
    const auto port
      = to_endpoint(*reinterpret_cast<const sockaddr*>(&bound)).port;
    CHECK(port >= 1024);
    below_ephemeral += port < 32768;
    ports.insert(port);
  }
  CHECK(ports.size() > 90);
  // The kernel alone would never choose these.
  CHECK(below_ephemeral > 20);
}

} // namespace concert::platform
