#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "tests/platform/support.hpp"
#include "tests/platform/tunnel.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace concert::platform {

namespace {

using testing::tunnel;

/// Sockets of several workers for one address.
class group {
public:
  group(const ntp::endpoint& listen, std::size_t members,
        const server_socket_options& options = {}) {
    sockets_.push_back(std::move(*server_socket::open(listen, options)));
    while (sockets_.size() < members)
      sockets_.push_back(
        std::move(*server_socket::open(sockets_[0].local(), options)));
  }
  ntp::endpoint local() const { return sockets_[0].local(); }
  bool dispatch(dispatch_rule rule) {
    return sockets_.back().dispatch(sockets_.size(), rule).has_value();
  }
  void close(std::size_t i) {
    sockets_.erase(sockets_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  /// What each member finds waiting.
  std::vector<std::vector<ntp::endpoint>> receive_all() {
    std::vector<std::vector<ntp::endpoint>> out(sockets_.size());
    for (std::size_t i = 0; i < sockets_.size(); ++i)
      for (auto r = sockets_[i].receive(); !r.empty();
           r = sockets_[i].receive())
        for (const auto& request : r)
          out[i].push_back(request.client);
    return out;
  }

private:
  std::vector<server_socket> sockets_;
};

/// Sends from `ports` random ports of `client`.
void send_from(const ntp::ip_address& client, const ntp::endpoint& to,
               int ports) {
  for (int i = 0; i < ports; ++i) {
    const socket_address from{{client, 0}};
    const socket_address target{to};
    const unique_fd fd{socket(from.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    REQUIRE(bind(fd.get(), from.get(), from.size) == 0);
    CHECK(sendto(fd.get(), "x", 1, 0, target.get(), target.size) == 1);
  }
}

ntp::ip_address loopback(int i) {
  return ntp::ip_address::v4({127, 0, static_cast<std::uint8_t>(i / 256),
                              static_cast<std::uint8_t>(i % 256)});
}

/// The member that each client came to; the number of members if to several.
std::map<ntp::ip_address, std::size_t>
homes(const std::vector<std::vector<ntp::endpoint>>& received) {
  std::map<ntp::ip_address, std::size_t> out;
  for (std::size_t i = 0; i < received.size(); ++i)
    for (const auto& client : received[i])
      if (const auto [at, is_new] = out.try_emplace(client.address, i);
          !is_new && at->second != i)
        at->second = received.size();
  return out;
}

std::vector<std::size_t>
clients_of(const std::map<ntp::ip_address, std::size_t>& homes,
           std::size_t members) {
  std::vector<std::size_t> out(members + 1);
  for (const auto& [client, member] : homes)
    ++out[member];
  return out;
}

bool is_even(const std::vector<std::size_t>& counts, std::size_t least) {
  return counts.back() == 0
         && std::all_of(counts.begin(), counts.end() - 1,
                        [&](std::size_t n) { return n >= least; });
}

/// Runs `body` in a network of its own.
void check_apart(int (*body)()) {
  const int status = testing::in_child(
    [&] { return testing::leave_network() ? body() : testing::not_permitted; });
  if (status == testing::not_permitted)
    MESSAGE("skipped: no network namespace or tunnel for us");
  else
    CHECK(status == 0);
}

constexpr std::array<std::uint8_t, 48> payload{};

/// 2001:db8:a:b::host, where `network` counts a and b.
ntp::ip_address v6_client(unsigned network, std::uint8_t host) {
  auto octets = ntp::ip_address::parse("2001:db8::")->octets();
  octets[5] = static_cast<std::uint8_t>(network >> 8);
  octets[7] = static_cast<std::uint8_t>(network);
  octets[15] = host;
  octets[8] = host;
  return ntp::ip_address::v6(octets);
}

int v6_clients_are_divided() {
  const auto device = tunnel::open();
  if (!device || !server_socket::open({*ntp::ip_address::parse("::"), 0}))
    return testing::not_permitted;
  group members{{*ntp::ip_address::parse("::"), 0}, 4};
  if (!members.dispatch(dispatch_rule::client_address))
    return 1;
  const ntp::endpoint to{*ntp::ip_address::parse("2001:db8::1"),
                         members.local().port};
  for (unsigned network = 1; network <= 400; ++network)
    for (const std::uint8_t host : {1, 2, 200})
      device->inject({v6_client(network, host), 123}, to, payload);
  const auto received = members.receive_all();
  auto all = homes(received);
  if (all.size() != 1200)
    return 2;
  for (unsigned network = 1; network <= 400; ++network)
    for (const std::uint8_t host : {2, 200})
      if (all[v6_client(network, host)] != all[v6_client(network, 1)])
        return 3;
  return is_even(clients_of(all, 4), 3 * 60) ? 0 : 4;
}

/// Addresses of one network differ in a few bits only.
int neighbours_are_divided() {
  const auto device = tunnel::open();
  if (!device)
    return testing::not_permitted;
  group members{{{}, 0}, 3};
  if (!members.dispatch(dispatch_rule::client_address))
    return 1;
  const ntp::endpoint to{ntp::ip_address::v4({10, 0, 0, 1}),
                         members.local().port};
  for (const int byte : {1, 2, 3}) {
    for (int i = 1; i <= 240; ++i) {
      std::array<std::uint8_t, 4> octets{10, 7, 7, 7};
      octets[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(i);
      device->inject({ntp::ip_address::v4(octets), 123}, to, payload);
    }
    if (!is_even(clients_of(homes(members.receive_all()), 3), 50))
      return 2;
  }
  return 0;
}

int queues_have_their_members() {
  const auto device = tunnel::open(4);
  if (!device)
    return testing::not_permitted;
  group members{{{}, 0}, 3};
  if (!members.dispatch(dispatch_rule::receive_queue))
    return 1;
  const ntp::endpoint to{ntp::ip_address::v4({10, 0, 0, 1}),
                         members.local().port};
  for (const std::size_t queue : {0, 1, 2, 3})
    for (std::uint16_t i = 1; i <= 10; ++i)
      device->inject({ntp::ip_address::v4({10, 0, 0, 9}),
                      static_cast<std::uint16_t>(100 * queue + i)},
                     to, payload, queue);
  const auto received = members.receive_all();
  if (received[0].size() != 20 || received[1].size() != 10
      || received[2].size() != 10)
    return 2;
  return std::all_of(received[1].begin(), received[1].end(),
                     [](const auto& c) { return c.port / 100 == 1; })
           ? 0
           : 3;
}

} // namespace

TEST_CASE("all requests of a client go to one socket, clients to all sockets") {
  group members{{{}, 0}, 4};
  REQUIRE(members.dispatch(dispatch_rule::client_address));
  const ntp::endpoint to{loopback(1), members.local().port};
  for (int i = 1; i <= 200; ++i)
    send_from(loopback(i), to, 5);
  const auto all = homes(members.receive_all());
  CHECK(all.size() == 200);
  CHECK(is_even(clients_of(all, 4), 25));
  // Another time it is the same.
  for (int i = 1; i <= 200; ++i)
    send_from(loopback(i), to, 1);
  CHECK(homes(members.receive_all()) == all);
}

TEST_CASE("the sockets that stay divide the requests of one that went") {
  group members{{{}, 0}, 4};
  const ntp::endpoint to{loopback(1), members.local().port};
  for (const std::size_t left : {4, 3, 2, 1}) {
    CAPTURE(left);
    REQUIRE(members.dispatch(dispatch_rule::client_address));
    for (int i = 1; i <= 100; ++i)
      send_from(loopback(i), to, 2);
    const auto received = members.receive_all();
    std::size_t count = 0;
    for (const auto& requests : received)
      count += requests.size();
    CHECK(count == 200);
    CHECK(is_even(clients_of(homes(received), left), 100 / left / 3));
    if (left > 1)
      members.close(left == 3 ? 0 : 1);
  }
}

TEST_CASE("a group that nobody told of a loss still receives everything") {
  group members{{{}, 0}, 4};
  const ntp::endpoint to{loopback(1), members.local().port};
  REQUIRE(members.dispatch(dispatch_rule::client_address));
  members.close(2);
  for (int i = 1; i <= 100; ++i)
    send_from(loopback(i), to, 1);
  CHECK(homes(members.receive_all()).size() == 100);
}

TEST_CASE("requests over IPv6 are divided by /64") {
  check_apart(v6_clients_are_divided);
}

TEST_CASE("neighbours are divided as well as strangers") {
  check_apart(neighbours_are_divided);
}

TEST_CASE("each receive queue has its socket") {
  check_apart(queues_have_their_members);
}

TEST_CASE("without receive queues the kernel divides by its own rule") {
  group members{{{}, 0}, 3};
  REQUIRE(members.dispatch(dispatch_rule::receive_queue));
  const ntp::endpoint to{loopback(1), members.local().port};
  send_from(loopback(1), to, 150);
  std::size_t count = 0;
  for (const auto& requests : members.receive_all()) {
    CHECK(requests.size() >= 20);
    count += requests.size();
  }
  CHECK(count == 150);
}

} // namespace concert::platform
