#include "tools/ntp_load/calibration.hpp"

#include "tools/ntp_load/message_batch.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace concert::load {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t burst = 32;
constexpr std::size_t bursts = 100;
constexpr std::size_t packet_size = 48;

/// Where the socket listens on 127.0.0.1.
platform::result<ntp::endpoint> place_of(int fd) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) != 0)
    return tl::unexpected{
      platform::system_error("cannot calibrate the stamps", errno)};
  return ntp::endpoint{ntp::ip_address::v4({127, 0, 0, 1}),
                       ntohs(here.sin_port)};
}

/// The kernel switches receive stamping on in the background.
void let_stamping_begin() {
  constexpr timespec a_while{0, 50'000'000};
  nanosleep(&a_while, nullptr);
}

/// One burst: what was sent in one call, paired by its place in it.
void measure_burst(int from, int to, message_batch& out, arrival_batch& in,
                   stamp_batch& stamps, std::uint32_t first, sample_set& gaps) {
  const auto sent = out.send(from, burst);
  std::array<nanoseconds, burst> left{};
  for (const auto& s : stamps.receive(from))
    if (s.number >= first && s.number - first < sent)
      left[s.number - first] = s.realtime;
  for (const auto& a : in.receive(to)) {
    std::size_t place = burst;
    std::memcpy(&place, a.bytes.data(), sizeof place);
    if (place < burst && left[place].count() != 0 && a.stamp.count() != 0)
      gaps.add((a.stamp - left[place]).count());
  }
}

} // namespace

platform::result<sample_set> measure_stamp_gap() {
  const ntp::endpoint anywhere{ntp::ip_address::v4({127, 0, 0, 1}), 1};
  const auto to = open_sender({.target = anywhere});
  const auto from = open_sender({.target = anywhere});
  if (!to || !from)
    return tl::unexpected{to ? from.error() : to.error()};
  const auto place = place_of(to->get());
  if (!place)
    return tl::unexpected{place.error()};
  let_stamping_begin();
  message_batch out{*place, packet_size, false};
  for (std::size_t i = 0; i < burst; ++i) {
    out.set_stamped(i, true);
    std::memcpy(out.bytes(i).data(), &i, sizeof i);
  }
  arrival_batch in{*place};
  stamp_batch stamps;
  sample_set gaps;
  for (std::size_t i = 0; i < bursts; ++i)
    measure_burst(from->get(), to->get(), out, in, stamps,
                  static_cast<std::uint32_t>(i * burst), gaps);
  if (gaps.count() == 0)
    return tl::unexpected{platform::error{
      platform::errc::unavailable,
      "cannot calibrate the stamps: the loopback interface gives none"}};
  return gaps;
}

} // namespace concert::load
