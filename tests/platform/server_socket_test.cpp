#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "tests/platform/support.hpp"
#include "tests/platform/tunnel.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>

namespace concert::platform {

namespace {

const ntp::endpoint loopback{ntp::ip_address::v4({127, 0, 0, 1}), 0};

bool wait_readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 2000) == 1;
}

void answer_all(server_socket& server) {
  const auto requests = server.receive();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    std::memcpy(server.reply_buffer(i).data(), requests[i].bytes.data(),
                requests[i].bytes.size());
    server.queue_reply(i, requests[i].bytes.size());
  }
  CHECK(server.flush().empty());
}

/// An interface that goes and comes back is another one.
int interface_is_followed() {
  using testing::tunnel;
  auto device = tunnel::open();
  if (!device)
    return testing::not_permitted;
  const server_socket_options options{.interface = tunnel::name};
  auto bound = server_socket::open({{}, 0}, options);
  if (!bound || bound->is_stale())
    return 1;
  const ntp::endpoint to{ntp::ip_address::v4({10, 0, 0, 1}),
                         bound->local().port};
  // What comes in by another interface is not for this socket.
  auto client = client_socket::open({loopback.address, to.port});
  const std::array<std::uint8_t, 48> payload{};
  if (!client || !client->send(std::array{std::byte{1}}))
    return 2;
  device->inject({ntp::ip_address::v4({10, 9, 9, 9}), 123}, to, payload);
  const auto requests = bound->receive();
  if (requests.size() != 1 || requests[0].client.port != 123)
    return 3;
  device.reset();
  if (!bound->is_stale() || server_socket::open({{}, 0}, options))
    return 4;
  device = tunnel::open();
  if (!device || !bound->is_stale())
    return 5;
  bound = server_socket::open(bound->local(), options);
  if (!bound || bound->is_stale())
    return 6;
  device->inject({ntp::ip_address::v4({10, 9, 9, 9}), 123}, to, payload);
  return bound->receive().size() == 1 ? 0 : 7;
}

int buffer_of(const server_socket& server, int option) {
  int size = 0;
  socklen_t length = sizeof size;
  getsockopt(server.fd(), SOL_SOCKET, option, &size, &length);
  return size;
}

} // namespace

TEST_CASE("a server on all addresses answers from the one that was asked") {
  for (const char* text : {"127.0.0.1", "127.0.0.5", "::1"}) {
    CAPTURE(text);
    const auto asked = *ntp::ip_address::parse(text);
    const auto any
      = asked.is_v4() ? ntp::ip_address{} : *ntp::ip_address::parse("::");
    auto server = server_socket::open({any, 0});
    if (!server) {
      MESSAGE("skipped: " << server.error().text);
      continue;
    }
    // A connected socket takes nothing from another address.
    auto client = client_socket::open({asked, server->local().port});
    REQUIRE(client);
    std::array<std::byte, 48> bytes{};
    CHECK(client->send(bytes));
    REQUIRE(wait_readable(server->fd()));
    answer_all(*server);
    REQUIRE(wait_readable(client->fd()));
    CHECK(client->receive(bytes)->size == 48);
  }
}

TEST_CASE("a batch is answered in any order and with gaps") {
  auto server = server_socket::open(loopback);
  REQUIRE(server);
  std::vector<client_socket> clients;
  for (std::uint8_t i = 0; i < 4; ++i) {
    clients.push_back(std::move(*client_socket::open(server->local())));
    CHECK(clients.back().send(std::array{std::byte{i}}));
  }
  const auto requests = server->receive();
  REQUIRE(requests.size() == 4);
  for (const std::size_t i : {3, 0, 2}) {
    server->reply_buffer(i)[0] = requests[i].bytes[0];
    server->queue_reply(i, 1);
  }
  CHECK(server->queued_replies().size() == 3);
  CHECK(server->queued_replies()[0].request == 3);
  server->queued_replies()[0].bytes[0] = std::byte{33};
  CHECK(server->flush().empty());
  CHECK(server->queued_replies().empty());

  std::array<std::byte, 8> bytes{};
  for (const auto& [client, wanted] : {std::pair{0, 0}, {2, 2}, {3, 33}}) {
    REQUIRE(wait_readable(clients[client].fd()));
    CHECK(clients[client].receive(bytes)->size == 1);
    CHECK(bytes[0] == std::byte(wanted));
  }
  CHECK(clients[1].receive(bytes).error().code == errc::would_block);
}

TEST_CASE("more than a batch comes in several, and each request is whole") {
  const auto keeper = stamping_keeper::open();
  auto server = server_socket::open(loopback);
  auto client = client_socket::open(server->local());
  std::size_t received = 0;
  constexpr auto batch = server_socket::batch_size;
  constexpr std::size_t rest = batch / 2;
  for (std::size_t i = 0; i < 2 * batch + rest; ++i)
    CHECK(client->send(std::array{std::byte(i), std::byte{0}}));
  for (const auto size : {batch, batch, rest, std::size_t{0}}) {
    const auto requests = server->receive();
    CHECK(requests.size() == size);
    for (const auto& r : requests) {
      CHECK(r.bytes.size() == 2);
      CHECK(r.bytes[0] == std::byte(received++));
      CHECK(r.client.address == loopback.address);
      CHECK(r.received);
      CHECK_FALSE(r.truncated);
    }
  }
}

TEST_CASE("an oversized datagram is cut and marked") {
  auto server = server_socket::open(loopback);
  auto client = client_socket::open(server->local());
  constexpr auto largest = server_socket::packet_size;
  const std::vector<std::byte> bytes(largest + 1);
  CHECK(client->send(bytes));
  CHECK(client->send(std::span{bytes}.first(largest)));
  const auto requests = server->receive();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].truncated);
  CHECK(requests[0].bytes.size() == largest);
  CHECK_FALSE(requests[1].truncated);
}

TEST_CASE("a reply beyond the buffer or without a request is not sent") {
  auto server = server_socket::open(loopback);
  auto client = client_socket::open(server->local());
  CHECK(client->send(std::array{std::byte{1}}));
  REQUIRE(server->receive().size() == 1);
  server->queue_reply(1, 48);
  server->queue_reply(0, server_socket::packet_size + 1);
  CHECK(server->queued_replies().empty());
}

TEST_CASE("a reply that the kernel refuses is named, the others go out") {
  auto server = server_socket::open(loopback);
  auto other = server_socket::open(loopback);
  // A datagram from port 0 has nobody to answer to; only a raw socket makes it.
  auto client = client_socket::open(server->local());
  const unique_fd raw{socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP)};
  if (!raw) {
    MESSAGE("skipped: raw sockets need root");
    return;
  }
  const std::uint16_t port = server->local().port;
  const std::array<std::uint8_t, 9> datagram{
    0,
    0,
    static_cast<std::uint8_t>(port >> 8),
    static_cast<std::uint8_t>(port),
    0,
    9,
    0,
    0,
    42};
  const socket_address to{loopback};
  CHECK(
    sendto(raw.get(), datagram.data(), datagram.size(), 0, to.get(), to.size)
    == 9);
  CHECK(client->send(std::array{std::byte{7}}));
  const auto requests = server->receive();
  REQUIRE(requests.size() == 2);
  server->queue_reply(1, 1);
  server->queue_reply(0, 1);
  const auto refused = server->flush();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0] == 0);
  std::array<std::byte, 8> bytes{};
  REQUIRE(wait_readable(client->fd()));
  CHECK(client->receive(bytes));
}

TEST_CASE("workers share an address; strangers get a sentence") {
  auto first = server_socket::open(loopback);
  REQUIRE(first);
  CHECK(server_socket::open(first->local()));

  const unique_fd stranger{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const socket_address any{loopback};
  REQUIRE(bind(stranger.get(), any.get(), any.size) == 0);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  getsockname(stranger.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  const auto taken = to_endpoint(*reinterpret_cast<const sockaddr*>(&bound));
  const auto refused = server_socket::open(taken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::in_use);
  CHECK(refused.error().text
        == "cannot listen on " + taken.to_string()
             + ": Address already in use (is another time server running?)");
  const auto foreign
    = server_socket::open({*ntp::ip_address::parse("192.0.2.1"), 0});
  CHECK(foreign.error().code == errc::unavailable);
}

TEST_CASE("a socket of an interface hears that one only, until it goes") {
  const int status = testing::in_child([] {
    return testing::leave_network() ? interface_is_followed()
                                    : testing::not_permitted;
  });
  if (status == testing::not_permitted)
    MESSAGE("skipped: no network namespace or tunnel for us");
  else
    CHECK(status == 0);
}

TEST_CASE("an interface that does not exist is named") {
  for (const char* name : {"nowhere0", "lo-and-behold-a-long-name"}) {
    const server_socket_options options{.interface = name};
    const auto wanted
      = std::string{"cannot listen on 127.0.0.1:0 of interface "} + name
        + ": No such device";
    const auto refused = server_socket::open(loopback, options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::unavailable);
    CHECK(refused.error().text == wanted);
    const auto checked = server_socket::check_free(loopback, options);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().text == wanted);
  }
}

TEST_CASE("an address is taken on all interfaces or on one") {
  const auto server = server_socket::open(loopback, {.interface = "lo"});
  REQUIRE(server);
  CHECK_FALSE(server->is_stale());
  const auto taken = server->local();
  CHECK(server_socket::check_free(taken, {.interface = "lo"}).error().code
        == errc::in_use);
  CHECK(server_socket::check_free(taken).error().code == errc::in_use);
}

TEST_CASE("buffers are as large as asked for, or the kernel's own") {
  const auto plain = server_socket::open(
    loopback, {.interface = {}, .receive_buffer = 0, .send_buffer = 0});
  const auto chosen = server_socket::open(
    loopback, {.interface = {}, .receive_buffer = 16384, .send_buffer = 32768});
  // The kernel doubles what it is asked for.
  CHECK(buffer_of(*chosen, SO_RCVBUF) == 2 * 16384);
  CHECK(buffer_of(*chosen, SO_SNDBUF) == 2 * 32768);
  const unique_fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  int own = 0;
  socklen_t length = sizeof own;
  getsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &own, &length);
  CHECK(buffer_of(*plain, SO_RCVBUF) == own);
  CHECK(buffer_of(*server_socket::open(loopback), SO_RCVBUF) >= own);
}

TEST_CASE("datagrams that the kernel dropped are counted") {
  auto server = server_socket::open(loopback);
  auto client = client_socket::open(server->local());
  const std::vector<std::byte> bytes(1024);
  constexpr std::size_t sent = 4000;
  for (std::size_t i = 0; i < sent; ++i)
    CHECK(client->send(bytes));
  std::size_t received = 0;
  for (auto r = server->receive(); !r.empty(); r = server->receive())
    received += r.size();
  REQUIRE(received < sent);
  // The kernel tells with the next datagram that it queues.
  CHECK(client->send(bytes));
  CHECK(server->receive().size() == 1);
  CHECK(server->overflows() == sent - received);
}

} // namespace concert::platform
