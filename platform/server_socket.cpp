#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "platform/stamping.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace concert::platform {

namespace {

constexpr std::size_t batch = server_socket::batch_size;

struct control_buffer {
  alignas(cmsghdr) std::array<std::byte, 256> bytes;
};

using packet = std::array<std::byte, server_socket::packet_size>;

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

error cannot_listen(const ntp::endpoint& listen, int number) {
  auto e = system_error("cannot listen on " + listen.to_string(), number);
  if (number == EADDRINUSE)
    e.text += " (is another time server running?)";
  return e;
}

} // namespace

/// Everything that a batch needs, made once. What comes in lies by request;
/// what goes out lies in the order in which it was queued.
struct server_socket::state {
  unique_fd fd;
  ntp::endpoint local;

  std::array<mmsghdr, batch> incoming{};
  std::array<iovec, batch> incoming_data{};
  std::array<sockaddr_storage, batch> peers{};
  std::array<control_buffer, batch> controls{};
  std::array<packet, batch> packets{};
  std::array<request, batch> requests{};
  std::size_t received = batch; ///< headers to be made ready again

  std::array<packet, batch> replies{};
  std::array<queued, batch> queue{};
  std::array<mmsghdr, batch> outgoing{};
  std::array<iovec, batch> outgoing_data{};
  std::size_t queue_size = 0;
  /// Control messages that name the reply's source, and their sizes; by
  /// request.
  std::array<control_buffer, batch> sources{};
  std::array<std::size_t, batch> source_sizes{};

  std::uint32_t last_overflow = 0;
  std::uint64_t overflows = 0;

  void prepare();
  void read_controls(std::size_t i);
  void copy_source(const cmsghdr& c, std::size_t i);
  void compose(std::size_t slot);
};

void server_socket::state::prepare() {
  for (std::size_t i = 0; i < received; ++i) {
    incoming_data[i] = {packets[i].data(), packets[i].size()};
    auto& header = incoming[i].msg_hdr;
    header = {};
    header.msg_name = &peers[i];
    header.msg_namelen = sizeof peers[i];
    header.msg_iov = &incoming_data[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = controls[i].bytes.size();
  }
}

/// Turns the address that was asked into the source address of the reply.
void server_socket::state::copy_source(const cmsghdr& c, std::size_t i) {
  auto* out = reinterpret_cast<cmsghdr*>(sources[i].bytes.data());
  const auto put = [&](const auto& info) {
    out->cmsg_level = c.cmsg_level;
    out->cmsg_type = c.cmsg_type;
    out->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(out), &info, sizeof info);
    source_sizes[i] = CMSG_SPACE(sizeof info);
  };
  if (c.cmsg_level == IPPROTO_IP) {
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&c), sizeof info);
    // Routing finds the interface; ipi_spec_dst is our address even if the
    // request was a broadcast.
    info.ipi_ifindex = 0;
    info.ipi_addr = {};
    put(info);
  } else {
    in6_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&c), sizeof info);
    if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
      info.ipi6_addr = in6addr_any;
    else if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
      info.ipi6_ifindex = 0;
    put(info);
  }
}

void server_socket::state::read_controls(std::size_t i) {
  auto& header = incoming[i].msg_hdr;
  source_sizes[i] = 0;
  for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
        || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)) {
      copy_source(*c, i);
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

result<void> server_socket::check_free(const ntp::endpoint& listen) {
  const socket_address address{listen};
  const unique_fd fd{socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd)
    return tl::unexpected{cannot_listen(listen, errno)};
  if (!listen.address.is_v4())
    set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(fd.get(), address.get(), address.size) != 0)
    return tl::unexpected{cannot_listen(listen, errno)};
  return {};
}

result<server_socket> server_socket::open(const ntp::endpoint& listen) {
  const auto fail
    = [&](int number) { return tl::unexpected{cannot_listen(listen, number)}; };
  const socket_address address{listen};
  auto s = std::make_unique<state>();
  s->fd = unique_fd{
    socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int fd = s->fd.get();
  if (fd < 0)
    return fail(errno);
  const bool v4 = listen.address.is_v4();
  // Bound to all addresses: replies must name the one that was asked.
  const bool any = listen.address.is_unspecified();
  set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  set(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
  if (!v4)
    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (any && v4)
    set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  if (any && !v4)
    set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (const int number = stamping::enable(fd, false))
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

std::span<server_socket::request> server_socket::receive() {
  auto& s = *state_;
  s.prepare();
  s.received = 0;
  s.queue_size = 0;
  const int count
    = recvmmsg(s.fd.get(), s.incoming.data(), batch, MSG_DONTWAIT, nullptr);
  if (count <= 0)
    return {};
  s.received = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < s.received; ++i) {
    s.read_controls(i);
    auto& header = s.incoming[i].msg_hdr;
    s.requests[i] = {
      .bytes = std::span{s.packets[i]}.first(s.incoming[i].msg_len),
      .client = to_endpoint(*reinterpret_cast<const sockaddr*>(&s.peers[i])),
      .received = stamping::find(header),
      .truncated = (header.msg_flags & MSG_TRUNC) != 0,
    };
  }
  return std::span{s.requests}.first(s.received);
}

std::span<std::byte> server_socket::reply_buffer(std::size_t i) {
  return state_->replies[i];
}

void server_socket::queue_reply(std::size_t i, std::size_t size) {
  auto& s = *state_;
  if (i >= s.received || size > packet_size || s.queue_size == batch)
    return;
  s.queue[s.queue_size++] = {i, std::span{s.replies[i]}.first(size)};
}

std::span<server_socket::queued> server_socket::queued_replies() {
  return std::span{state_->queue}.first(state_->queue_size);
}

void server_socket::state::compose(std::size_t slot) {
  const auto& [request, bytes] = queue[slot];
  outgoing_data[slot] = {bytes.data(), bytes.size()};
  auto& header = outgoing[slot].msg_hdr;
  header = {};
  header.msg_name = &peers[request];
  header.msg_namelen = incoming[request].msg_hdr.msg_namelen;
  header.msg_iov = &outgoing_data[slot];
  header.msg_iovlen = 1;
  if (source_sizes[request] > 0) {
    header.msg_control = sources[request].bytes.data();
    header.msg_controllen = source_sizes[request];
  }
}

std::size_t server_socket::flush() {
  auto& s = *state_;
  for (std::size_t slot = 0; slot < s.queue_size; ++slot)
    s.compose(slot);
  std::size_t refused = 0;
  bool waited = false;
  for (std::size_t next = 0; next < s.queue_size;) {
    const int sent
      = sendmmsg(s.fd.get(), &s.outgoing[next],
                 static_cast<unsigned>(s.queue_size - next), MSG_DONTWAIT);
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN && !waited) {
      // One more try; a server that waits for its clients' links is lost.
      waited = true;
      pollfd writable{s.fd.get(), POLLOUT, 0};
      poll(&writable, 1, 0);
    } else {
      ++refused;
      ++next;
    }
  }
  s.queue_size = 0;
  return refused;
}

std::uint64_t server_socket::overflows() const {
  return state_->overflows;
}

} // namespace concert::platform
