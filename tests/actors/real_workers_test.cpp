// Workers on real threads and sockets, on loopback.

#include "actors/real_runtime.hpp"
#include "actors/server.hpp"
#include "actors/server_worker.hpp"
#include "ntp_core/packet/packet.hpp"
#include "platform/clock.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <thread>

namespace concert::actors {

namespace {

using platform::unique_fd;

constexpr int clients = 64;

sockaddr_in on_loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000U + host);
  return address;
}

template <class Call>
bool with(Call call, int fd, const sockaddr_in& address) {
  return call(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address)
         == 0;
}

std::uint16_t free_port() {
  const unique_fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  REQUIRE(with(bind, fd.get(), on_loopback(1, 0)));
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.sin_port);
}

/// Workers and a server on a port of loopback.
class fixture {
public:
  fixture()
    : port_(free_port()),
      clock_(platform::open_read_only_clock()),
      rt_(io_, *clock_),
      system_(config_),
      self_(system_) {
    rt_.attach(system_);
    config::server_config c;
    c.listen = *ntp::endpoint::parse("127.0.0.1:" + std::to_string(port_));
    c.allowlist.prefixes = {ntp::ip_prefix{}};
    wiring_.servers.push_back(
      spawn_actor<server>(system_, rt_, server_options{{1}, c}));
  }

  fixture(const fixture&) = delete;
  fixture& operator=(const fixture&) = delete;

  ~fixture() {
    while (!wiring_.workers.empty())
      kill_worker();
    caf::anon_send_exit(wiring_.servers[0], caf::exit_reason::user_shutdown);
    self_->wait_for(wiring_.servers[0]);
  }

  void add_worker() {
    const auto index = static_cast<std::uint32_t>(wiring_.workers.size());
    wiring_.workers.push_back(
      spawn_actor<server_worker>(system_, rt_, worker_options{index}));
    caf::anon_send(wiring_.servers[0], wiring_);
    // Its answer comes after it has opened the port: wait for that.
    while (!report(index).listening)
      std::this_thread::yield();
  }

  /// The last one, without a chance to close its socket in order.
  void kill_worker() {
    const auto worker = wiring_.workers.back();
    wiring_.workers.pop_back();
    caf::anon_send_exit(worker, caf::exit_reason::kill);
    self_->wait_for(worker);
    caf::anon_send(wiring_.servers[0], wiring_);
  }

  port_report report(std::size_t worker) {
    port_report result;
    self_
      ->request(wiring_.workers[worker], caf::infinite,
                get_port_report{{1}, clients})
      .receive([&](const port_report& r) { result = r; },
               [](const caf::error&) { FAIL("no report"); });
    return result;
  }

  /// How many of the clients, each at its own address and a new port, get an
  /// answer.
  int ask_all() const {
    int answered = 0;
    for (std::uint32_t i = 0; i < clients; ++i) {
      const unique_fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
      REQUIRE(with(bind, fd.get(), on_loopback(0x10000 + i, 0)));
      REQUIRE(with(connect, fd.get(), on_loopback(1, port_)));
      ntp::packet_header request;
      request.transmit = ntp::ntp_timestamp::from_bits(i + 1);
      std::array<std::byte, ntp::header_size> bytes{};
      ntp::encode(request, bytes);
      send(fd.get(), bytes.data(), bytes.size(), 0);
      pollfd readable{fd.get(), POLLIN, 0};
      answered += poll(&readable, 1, 2000) == 1 ? 1 : 0;
    }
    return answered;
  }

private:
  std::uint16_t port_;
  asio::io_context io_;
  std::unique_ptr<platform::clock> clock_;
  real_runtime rt_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  caf::scoped_actor self_;
  wiring wiring_;
};

} // namespace

TEST_CASE("two workers share the clients, each of which stays with one") {
  fixture f;
  f.add_worker();
  f.add_worker();
  for (int round = 0; round < 3; ++round)
    CHECK(f.ask_all() == clients);
  const auto first = f.report(0).top_clients;
  const auto second = f.report(1).top_clients;
  CHECK(first.size() > clients / 8);
  CHECK(second.size() > clients / 8);
  CHECK(first.size() + second.size() == clients);
  for (const auto& list : {first, second})
    for (const auto& c : list)
      CHECK(c.requests == 3);
}

TEST_CASE(
  "when a worker dies the others serve its clients, and a new one takes "
  "its share again") {
  fixture f;
  f.add_worker();
  f.add_worker();
  CHECK(f.ask_all() == clients);
  f.kill_worker();
  CHECK(f.ask_all() == clients);
  CHECK(f.report(0).top_clients.size() == clients);
  f.add_worker();
  CHECK(f.ask_all() == clients);
  CHECK(f.report(1).top_clients.size() > clients / 8);
}

} // namespace concert::actors
