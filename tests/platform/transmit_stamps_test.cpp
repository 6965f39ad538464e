#include "platform/kernel_time.hpp"
#include "platform/socket.hpp"
#include "platform/stamp_ring.hpp"
#include "tests/platform/support.hpp"
#include "tests/platform/tunnel.hpp"

#include <doctest/doctest.h>

#include <net/if_arp.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

namespace concert::platform {

namespace {

using testing::tunnel;

using tags = std::vector<std::uint64_t>;
using wishes = std::vector<std::optional<std::uint64_t>>;
constexpr auto batch_size = server_socket::batch_size;

/// Answers what waits in one batch, with these tags; how many were refused.
std::size_t answer_waiting(server_socket& server, const wishes& wanted) {
  const auto count = std::min(server.receive().size(), wanted.size());
  for (std::size_t i = 0; i < count; ++i)
    server.queue_reply(i, 48, wanted[i]);
  return server.flush().size();
}

/// Sends so many requests to `asked` from one port.
client_socket ask(const server_socket& server, const ntp::ip_address& asked,
                  std::size_t count) {
  auto client = client_socket::open({asked, server.local().port});
  for (std::size_t i = 0; i < count; ++i)
    static_cast<void>(client->send(std::array{std::byte{1}}));
  return std::move(*client);
}

const auto loopback = ntp::ip_address::v4({127, 0, 0, 1});

/// Answers requests of a new client, one for each of `wanted`.
void answer(server_socket& server, const wishes& wanted,
            const ntp::ip_address& asked = loopback) {
  const auto client = ask(server, asked, wanted.size());
  CHECK(answer_waiting(server, wanted) == 0);
}

tags take(server_socket& server) {
  tags out;
  for (const auto& stamp : server.take_transmit_stamps())
    out.push_back(stamp.tag);
  return out;
}

/// Whether somebody who waits for requests would be woken.
bool wakes(const server_socket& server) {
  pollfd polled{server.fd(), POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

wishes consecutive(std::uint64_t from, std::size_t count) {
  tags numbers(count);
  std::iota(numbers.begin(), numbers.end(), from);
  return {numbers.begin(), numbers.end()};
}

constexpr std::array<std::uint8_t, 48> payload{};
const auto neighbour = ntp::ip_address::v4({10, 0, 0, 2});
const auto own = ntp::ip_address::v4({10, 0, 0, 1});

/// Tells the kernel the neighbour's MAC address, so that what waits for it
/// leaves.
bool resolve_neighbour() {
  arpreq request{};
  const socket_address address{{neighbour, 0}};
  std::memcpy(&request.arp_pa, address.get(), sizeof request.arp_pa);
  request.arp_ha.sa_family = ARPHRD_ETHER;
  request.arp_ha.sa_data[5] = 2;
  request.arp_flags = ATF_COM | ATF_PERM;
  std::strcpy(request.arp_dev, tunnel::name);
  const unique_fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return ioctl(fd.get(), SIOCSARP, &request) == 0;
}

int full_queue_is_survived() {
  const auto device = tunnel::open(1, tunnel::kind::ethernet);
  if (!device)
    return testing::not_permitted;
  auto server
    = server_socket::open({{}, 0}, {.interface = {}, .send_buffer = 1});
  const ntp::endpoint asked{own, server->local().port};
  for (std::uint16_t port = 1; port <= 20; ++port)
    device->inject({neighbour, port}, asked, payload);
  // Replies wait for the neighbour's address until there is no room for more.
  const auto refused = answer_waiting(*server, consecutive(0, 20));
  if (refused == 0 || refused == 20 || !take(*server).empty())
    return 1;
  if (!resolve_neighbour())
    return 2;
  // The next number is in doubt: this one is answered, but not stamped.
  const auto client = ask(*server, own, 1);
  if (answer_waiting(*server, {100}) != 0)
    return 3;
  tags sent(20 - refused);
  std::iota(sent.begin(), sent.end(), 0);
  if (take(*server) != sent)
    return 4;
  const auto other = ask(*server, own, 3);
  if (answer_waiting(*server, {201, std::nullopt, 203}) != 0)
    return 5;
  return take(*server) == tags{201, 203} && !wakes(*server) ? 0 : 6;
}

int late_stamps_do_not_keep_awake() {
  const auto device = tunnel::open(1, tunnel::kind::ethernet);
  if (!device)
    return testing::not_permitted;
  auto server = server_socket::open({{}, 0});
  device->inject({neighbour, 123}, {own, server->local().port}, payload);
  if (answer_waiting(*server, {1}) != 0)
    return 1;
  for (std::uint32_t i = 0; i <= stamp_ring::patience; ++i)
    if (!take(*server).empty())
      return 2;
  if (wakes(*server) || !resolve_neighbour() || !wakes(*server))
    return 3;
  int turns = 0;
  for (; turns < 20 && wakes(*server); ++turns)
    if (!take(*server).empty() || !server->receive().empty())
      return 4;
  return turns < 20 ? 0 : 5;
}

int unreachable_client_disturbs_nobody() {
  const auto device = tunnel::open();
  if (!device)
    return testing::not_permitted;
  auto server = server_socket::open({{}, 0});
  const ntp::endpoint asked{own, server->local().port};
  for (const std::uint16_t port : {11, 0, 12})
    device->inject({neighbour, port}, asked, payload);
  if (answer_waiting(*server, {21, 22, 23}) != 1)
    return 1;
  if (take(*server) != tags{21, 23})
    return 2;
  device->inject({neighbour, 11}, asked, payload);
  if (answer_waiting(*server, {24}) != 0)
    return 3;
  return take(*server) == tags{24} ? 0 : 4;
}

void check_apart(int (*body)()) {
  const int status = testing::in_child(
    [&] { return testing::leave_network() ? body() : testing::not_permitted; });
  if (status == testing::not_permitted)
    MESSAGE("skipped: no network namespace or tunnel for us");
  else
    CHECK(status == 0);
}

} // namespace

TEST_CASE("replies with a tag are stamped between their request and now") {
  const auto cases = {std::pair{"127.0.0.1", "127.0.0.1"},
                      {"0.0.0.0", "127.0.0.1"},
                      {"::1", "::1"},
                      {"::", "::1"}};
  for (const auto& listens_and_asked : cases) {
    const auto* listen = listens_and_asked.first;
    const auto* asked = listens_and_asked.second;
    CAPTURE(listen);
    auto server = server_socket::open({*ntp::ip_address::parse(listen), 0});
    if (!server) {
      MESSAGE("skipped: " << server.error().text);
      continue;
    }
    auto earlier = kernel_time(CLOCK_REALTIME);
    answer(*server, {7, std::nullopt, 9, std::nullopt, 8},
           *ntp::ip_address::parse(asked));
    const auto now = kernel_time(CLOCK_REALTIME);
    const auto stamps = server->take_transmit_stamps();
    REQUIRE(stamps.size() == 3);
    for (const std::size_t i : {0, 1, 2}) {
      CHECK(stamps[i].tag == tags{7, 9, 8}[i]);
      CHECK(stamps[i].realtime >= earlier);
      earlier = stamps[i].realtime;
    }
    CHECK(earlier <= now);
    CHECK(take(*server).empty());
    CHECK_FALSE(wakes(*server));
  }
}

TEST_CASE("a stamped reply comes from the address that was asked") {
  auto server = server_socket::open({{}, 0});
  const auto asked = ntp::ip_address::v4({127, 0, 0, 5});
  auto client = ask(*server, asked, 1);
  CHECK(answer_waiting(*server, {1}) == 0);
  // A connected socket takes nothing from another address.
  std::array<std::byte, 48> bytes{};
  const auto arrival = client.receive(bytes);
  REQUIRE(arrival);
  CHECK(arrival->size == 48);
}

TEST_CASE("replies without a tag leave no stamp behind") {
  auto server = server_socket::open({loopback, 0});
  answer(*server, wishes(batch_size));
  CHECK_FALSE(wakes(*server));
  CHECK(take(*server).empty());
}

TEST_CASE("thousands of stamps keep their tags and their order") {
  auto server = server_socket::open({loopback, 0});
  tags wanted;
  tags got;
  for (std::uint64_t round = 0; round < 120; ++round) {
    wishes batch(batch_size);
    for (std::size_t i = round % 3; i < batch_size; i += 1 + round % 5) {
      batch[i] = 1000 * round + i;
      wanted.push_back(*batch[i]);
    }
    answer(*server, batch);
    if (round % 4 == 3) {
      const auto more = take(*server);
      got.insert(got.end(), more.begin(), more.end());
    }
  }
  CHECK(wanted.size() > 1000);
  CHECK(got == wanted);
}

TEST_CASE("of stamps that nobody takes the oldest are given up") {
  auto server = server_socket::open({loopback, 0});
  constexpr std::size_t batches = stamp_ring::capacity / batch_size + 2;
  for (std::size_t i = 0; i < batches; ++i)
    answer(*server, consecutive(batch_size * i, batch_size));
  const auto got = take(*server);
  // The kernel keeps no more than fit into the receive buffer, the oldest.
  CHECK(got.size() <= stamp_ring::capacity);
  REQUIRE_FALSE(got.empty());
  CHECK(got.front() == batches * batch_size - stamp_ring::capacity);
  CHECK(std::is_sorted(got.begin(), got.end()));
  CHECK_FALSE(wakes(*server));
  answer(*server, {1000, 1001});
  CHECK(take(*server) == tags{1000, 1001});
}

TEST_CASE("a tag of a reply that cannot leave does not shift the others") {
  check_apart(unreachable_client_disturbs_nobody);
}

TEST_CASE("stamps go on, with their own tags, after the send queue was full") {
  check_apart(full_queue_is_survived);
}

TEST_CASE("a stamp that comes after it was given up wakes a few times only") {
  check_apart(late_stamps_do_not_keep_awake);
}

} // namespace concert::platform
