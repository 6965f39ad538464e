#include "platform/dispatch.hpp"
#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "platform/stamp_reader.hpp"
#include "platform/stamp_ring.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace concert::platform {

namespace {

constexpr std::size_t batch = server_socket::batch_size;

/// A datagram. The bytes beyond its size keep the datagrams of a batch, of
/// which mostly only the first line is used, from sharing a few sets of the
/// nearest cache.
struct alignas(64) packet {
  std::array<std::byte, server_socket::packet_size + 64> bytes;
};

/// What comes with a request (receive stamp, overflows, address asked), and
/// then, in the same place, what goes with its reply.
struct alignas(64) control_buffer {
  std::array<std::byte, 192> bytes;
};
constexpr std::size_t control_room = CMSG_SPACE(3 * sizeof(timespec))
                                     + CMSG_SPACE(sizeof(std::uint32_t))
                                     + CMSG_SPACE(sizeof(in6_pktinfo));
static_assert(control_room + stamping::request_size <= sizeof(control_buffer));

/// Where a request came from; large enough for IPv4 and IPv6.
struct peer_address {
  alignas(sockaddr_storage) std::array<std::byte, sizeof(sockaddr_in6)> bytes;
};

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

void set_buffer(int fd, int option, std::uint32_t bytes) {
  constexpr std::uint32_t most = std::numeric_limits<int>::max();
  if (bytes != 0)
    set(fd, SOL_SOCKET, option, static_cast<int>(std::min(bytes, most)));
}

error cannot_listen(const ntp::endpoint& listen,
                    const server_socket_options& options, int number) {
  auto what = "cannot listen on " + listen.to_string();
  if (!options.interface.empty())
    what += " of interface " + options.interface;
  auto e = system_error(what, number);
  if (number == EADDRINUSE)
    e.text += " (is another time server running?)";
  return e;
}

/// 0 or the error number.
int bind_to_interface(int fd, const std::string& name) {
  // The socket option alone would take the beginning of a name too long.
  if (name.empty())
    return 0;
  if (name.size() >= IFNAMSIZ)
    return ENODEV;
  return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                    static_cast<socklen_t>(name.size()))
             == 0
           ? 0
           : errno;
}

/// Whether a datagram that was refused for this reason may have used up a
/// number of the transmit stamps. What has no route or destination is refused
/// before; kernels differ in the rest.
bool may_be_numbered(int number) {
  return number != ENETUNREACH && number != EHOSTUNREACH && number != EINVAL
         && number != EACCES;
}

/// Turns the address that was asked, in place, into the source of the reply;
/// returns the bytes that it takes.
std::size_t turn_round(cmsghdr& c) {
  if (c.cmsg_level == IPPROTO_IP) {
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&c), sizeof info);
    // Routing finds the interface; ipi_spec_dst is our address even if the
    // request was a broadcast.
    info.ipi_ifindex = 0;
    info.ipi_addr = {};
    std::memcpy(CMSG_DATA(&c), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
  }
  in6_pktinfo info{};
  std::memcpy(&info, CMSG_DATA(&c), sizeof info);
  if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
    info.ipi6_addr = in6addr_any;
  else if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
    info.ipi6_ifindex = 0;
  std::memcpy(CMSG_DATA(&c), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

} // namespace

/// Everything that a batch needs, made once. What comes in lies by request;
/// what goes out lies in the order in which it was queued.
struct server_socket::state {
  unique_fd fd;
  ntp::endpoint local;
  std::string interface;
  unsigned interface_index = 0;

  std::array<mmsghdr, batch> incoming{};
  std::array<iovec, batch> incoming_data{};
  std::array<peer_address, batch> peers;
  std::array<control_buffer, batch> controls;
  std::array<packet, batch> packets;
  std::array<request, batch> requests{};
  std::size_t received = 0;
  std::uint32_t last_overflow = 0;
  std::uint64_t overflows = 0;

  std::array<packet, batch> replies;
  std::array<queued, batch> queue{};
  std::array<mmsghdr, batch> outgoing{};
  std::array<iovec, batch> outgoing_data{};
  std::size_t queue_size = 0;
  /// What names the source of the reply, by request: a part of `controls`.
  std::array<std::span<std::byte>, batch> sources{};
  std::array<std::size_t, batch> refused{};
  std::size_t refused_size = 0;

  struct stamped_reply {
    std::size_t place = 0; ///< in the queue
    std::uint64_t tag = 0;
  };
  std::array<stamped_reply, batch> stamped{};
  std::size_t stamped_size = 0;
  std::size_t stamped_sent = 0; ///< so many of them have been dealt with
  stamp_ring ring;
  /// The kernel's next number is not known: no stamps are asked for until those
  /// that are on their way are here, and the numbers can start again.
  bool in_doubt = false;
  stamp_reader errors;
  std::array<transmitted, stamp_ring::capacity> taken{};
  unsigned empty_receives = 0;

  state();
  void read_controls(std::size_t i);
  void rearm();
  void ask_for_stamp(std::size_t place, std::uint64_t tag);
  bool is_stamped(std::size_t place) const;
  void on_sent(std::size_t end);
  void on_refused(std::size_t place, int number);
  std::size_t drain_stamps();
};

server_socket::state::state() {
  for (std::size_t i = 0; i < batch; ++i) {
    incoming_data[i] = {packets[i].bytes.data(), packet_size};
    auto& in = incoming[i].msg_hdr;
    in.msg_name = peers[i].bytes.data();
    in.msg_namelen = sizeof peers[i];
    in.msg_iov = &incoming_data[i];
    in.msg_iovlen = 1;
    in.msg_control = controls[i].bytes.data();
    in.msg_controllen = control_room;
    auto& out = outgoing[i].msg_hdr;
    out.msg_iov = &outgoing_data[i];
    out.msg_iovlen = 1;
  }
}

/// Undoes what the last batch changed in the headers.
void server_socket::state::rearm() {
  for (std::size_t i = 0; i < received; ++i) {
    incoming[i].msg_hdr.msg_namelen = sizeof peers[i];
    incoming[i].msg_hdr.msg_controllen = control_room;
  }
}

void server_socket::state::read_controls(std::size_t i) {
  auto& header = incoming[i].msg_hdr;
  sources[i] = {};
  requests[i].received.reset();
  for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (const auto stamp = stamping::read(*c)) {
      requests[i].received = stamp;
    } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
               || (c->cmsg_level == IPPROTO_IPV6
                   && c->cmsg_type == IPV6_PKTINFO)) {
      sources[i] = {reinterpret_cast<std::byte*>(c), turn_round(*c)};
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      std::uint32_t count = 0;
      std::memcpy(&count, CMSG_DATA(c), sizeof count);
      overflows += count - last_overflow;
      last_overflow = count;
    }
  }
}

server_socket::server_socket(std::unique_ptr<state> s) : state_(std::move(s)) {
}

server_socket::server_socket(server_socket&&) noexcept = default;
server_socket& server_socket::operator=(server_socket&&) noexcept = default;
server_socket::~server_socket() = default;

int server_socket::fd() const {
  return state_->fd.get();
}

ntp::endpoint server_socket::local() const {
  return state_->local;
}

result<void> server_socket::check_free(const ntp::endpoint& listen,
                                       const server_socket_options& options) {
  const auto fail = [&](int number) {
    return tl::unexpected{cannot_listen(listen, options, number)};
  };
  const socket_address address{listen};
  const unique_fd fd{socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd)
    return fail(errno);
  if (const int number = bind_to_interface(fd.get(), options.interface))
    return fail(number);
  if (!listen.address.is_v4())
    set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(fd.get(), address.get(), address.size) != 0)
    return fail(errno);
  return {};
}

result<server_socket>
server_socket::open(const ntp::endpoint& listen,
                    const server_socket_options& options) {
  const auto fail = [&](int number) {
    return tl::unexpected{cannot_listen(listen, options, number)};
  };
  const socket_address address{listen};
  auto s = std::make_unique<state>();
  s->fd = unique_fd{
    socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int fd = s->fd.get();
  if (fd < 0)
    return fail(errno);
  if (const int number = bind_to_interface(fd, options.interface))
    return fail(number);
  s->interface = options.interface;
  s->interface_index = if_nametoindex(options.interface.c_str());
  const bool v4 = listen.address.is_v4();
  // Bound to all addresses: replies must name the one that was asked.
  const bool any = listen.address.is_unspecified();
  set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  set_buffer(fd, SO_RCVBUF, options.receive_buffer);
  set_buffer(fd, SO_SNDBUF, options.send_buffer);
  if (!v4)
    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Replies are never divided: then the kernel needs no counter, shared by all
  // processors, for the numbers of fragments. IPv6 needs none anyway.
  if (v4)
    set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (any && v4)
    set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  if (any && !v4)
    set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (const int number = stamping::enable(fd, stamping::transmit::on_request))
    return fail(number);
  if (bind(fd, address.get(), address.size) != 0)
    return fail(errno);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return fail(errno);
  s->local = to_endpoint(*reinterpret_cast<const sockaddr*>(&bound));
  return server_socket{std::move(s)};
}

bool server_socket::is_stale() const {
  const auto& s = *state_;
  return !s.interface.empty()
         && if_nametoindex(s.interface.c_str()) != s.interface_index;
}

result<void> server_socket::dispatch(std::size_t members, dispatch_rule rule) {
  const auto& s = *state_;
  if (const int number
      = dispatch::attach(s.fd.get(), s.local.address.is_v4(), members, rule))
    return tl::unexpected{system_error(
      "cannot divide the requests to " + s.local.to_string(), number)};
  return {};
}

std::span<server_socket::request> server_socket::receive() {
  auto& s = *state_;
  s.rearm();
  s.received = 0;
  s.queue_size = 0;
  s.stamped_size = 0;
  const int count
    = recvmmsg(s.fd.get(), s.incoming.data(), batch, MSG_DONTWAIT, nullptr);
  if (count <= 0) {
    ++s.empty_receives;
    return {};
  }
  s.received = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < s.received; ++i) {
    s.read_controls(i);
    const auto& in = s.incoming[i];
    auto& r = s.requests[i];
    r.bytes = std::span{s.packets[i].bytes}.first(in.msg_len);
    r.client = to_endpoint(
      *reinterpret_cast<const sockaddr*>(s.peers[i].bytes.data()));
    r.truncated = (in.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
  return std::span{s.requests}.first(s.received);
}

std::span<std::byte> server_socket::reply_buffer(std::size_t i) {
  return std::span{state_->replies[i].bytes}.first(packet_size);
}

void server_socket::queue_reply(std::size_t i, std::size_t size,
                                std::optional<std::uint64_t> stamp_tag) {
  auto& s = *state_;
  if (i >= s.received || size > packet_size || s.queue_size == batch)
    return;
  const auto place = s.queue_size++;
  const auto bytes = std::span{s.replies[i].bytes}.first(size);
  s.queue[place] = {i, bytes};
  s.outgoing_data[place] = {bytes.data(), size};
  auto& header = s.outgoing[place].msg_hdr;
  header.msg_name = s.peers[i].bytes.data();
  header.msg_namelen = s.incoming[i].msg_hdr.msg_namelen;
  header.msg_control = s.sources[i].data();
  header.msg_controllen = s.sources[i].size();
  if (stamp_tag && !s.in_doubt)
    s.ask_for_stamp(place, *stamp_tag);
}

/// Adds a control message behind the one that names the source, if any.
void server_socket::state::ask_for_stamp(std::size_t place, std::uint64_t tag) {
  auto& header = outgoing[place].msg_hdr;
  if (!header.msg_control)
    header.msg_control = controls[queue[place].request].bytes.data();
  stamping::request(static_cast<std::byte*>(header.msg_control)
                    + header.msg_controllen);
  header.msg_controllen += stamping::request_size;
  stamped[stamped_size++] = {place, tag};
}

std::span<server_socket::queued> server_socket::queued_replies() {
  return std::span{state_->queue}.first(state_->queue_size);
}

/// Whether the next of the queue that has a stamp to come is at `place`.
bool server_socket::state::is_stamped(std::size_t place) const {
  return stamped_sent < stamped_size && stamped[stamped_sent].place == place;
}

/// The replies before `end` have left.
void server_socket::state::on_sent(std::size_t end) {
  for (; stamped_sent < stamped_size && stamped[stamped_sent].place < end;
       ++stamped_sent)
    ring.await(in_doubt ? std::nullopt
                        : std::optional{stamped[stamped_sent].tag});
}

void server_socket::state::on_refused(std::size_t place, int number) {
  refused[refused_size++] = queue[place].request;
  if (!is_stamped(place))
    return;
  ++stamped_sent;
  in_doubt = in_doubt || may_be_numbered(number);
}

std::span<const std::size_t> server_socket::flush() {
  auto& s = *state_;
  s.refused_size = 0;
  s.stamped_sent = 0;
  bool tried = false; // the reply at `next`, in vain
  for (std::size_t next = 0; next < s.queue_size;) {
    const int count
      = sendmmsg(s.fd.get(), &s.outgoing[next],
                 static_cast<unsigned>(s.queue_size - next), MSG_DONTWAIT);
    if (count > 0) {
      // One that was refused first may have used up a number.
      s.in_doubt = s.in_doubt || (tried && s.is_stamped(next));
      next += static_cast<std::size_t>(count);
      s.on_sent(next);
      tried = true; // or there is none
      continue;
    }
    // When the queue to the interface is full, the rest waits in vain as well;
    // a server that waits for its clients' links is lost.
    const int number = errno;
    const auto end = number == EAGAIN ? s.queue_size : next + 1;
    for (; next < end; ++next)
      s.on_refused(next, number);
    tried = false;
  }
  s.queue_size = 0;
  s.stamped_size = 0;
  return std::span{s.refused}.first(s.refused_size);
}

std::size_t server_socket::state::drain_stamps() {
  // A bound, as others may send while we read; more than it cannot be awaited.
  constexpr std::size_t most_batches
    = 2 * stamp_ring::capacity / stamp_reader::batch_size;
  std::size_t found = 0;
  for (std::size_t i = 0; i < most_batches; ++i) {
    const auto [stamps, more] = errors.take(fd.get());
    for (const auto& stamp : stamps)
      if (const auto tag = ring.match(stamp.number);
          tag && found < taken.size())
        taken[found++] = {*tag, stamp.realtime};
    if (!more)
      break;
  }
  return found;
}

std::span<const server_socket::transmitted>
server_socket::take_transmit_stamps() {
  // A stamp that came after it was given up wakes whoever waits for requests,
  // until it is taken off: then many calls find nothing else.
  constexpr unsigned suspicious = 8;
  auto& s = *state_;
  const bool look = s.empty_receives >= suspicious;
  if (s.ring.empty() && !s.in_doubt && !look)
    return {};
  s.empty_receives = 0;
  s.ring.next_round();
  const auto found = s.drain_stamps();
  if (s.in_doubt && s.ring.empty()) {
    stamping::enable(s.fd.get(), stamping::transmit::none);
    stamping::enable(s.fd.get(), stamping::transmit::on_request);
    s.ring.restart();
    s.in_doubt = false;
  }
  return std::span{s.taken}.first(found);
}

std::uint64_t server_socket::overflows() const {
  return state_->overflows;
}

} // namespace concert::platform
