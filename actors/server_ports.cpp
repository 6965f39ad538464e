#include "actors/server_ports.hpp"

#include "platform/log.hpp"

#include <vector>

namespace concert::actors {

namespace log = platform::log;

/// The sockets for one address and interface. A member's descriptor is used by
/// others, for the rule: it is closed under the lock.
class server_ports::group : public std::enable_shared_from_this<group> {
public:
  platform::result<std::unique_ptr<server_port>>
  open(const ntp::endpoint& listen, const server_port_options& options);
  void close(platform::server_socket& socket);

private:
  void divide();

  std::mutex mutex_;
  std::vector<platform::server_socket*> members_;
  platform::dispatch_rule rule_{};
};

class server_ports::member final : public server_port {
public:
  member(std::shared_ptr<group> g, platform::server_socket socket)
    : group_(std::move(g)),
      socket_(std::move(socket)) {}
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  ~member() override { group_->close(socket_); }

  platform::server_socket& socket() { return socket_; }

  int fd() const override { return socket_.fd(); }
  ntp::endpoint local() const override { return socket_.local(); }
  std::span<request> receive() override { return socket_.receive(); }
  std::span<std::byte> reply_buffer(std::size_t i) override {
    return socket_.reply_buffer(i);
  }
  void queue_reply(std::size_t i, std::size_t size,
                   std::optional<std::uint64_t> stamp_tag) override {
    socket_.queue_reply(i, size, stamp_tag);
  }
  std::span<queued> queued_replies() override {
    return socket_.queued_replies();
  }
  std::span<const std::size_t> flush() override { return socket_.flush(); }
  std::span<const transmitted> take_transmit_stamps() override {
    return socket_.take_transmit_stamps();
  }
  std::uint64_t overflows() const override { return socket_.overflows(); }
  bool is_stale() const override { return socket_.is_stale(); }

private:
  std::shared_ptr<group> group_;
  platform::server_socket socket_;
};

platform::result<std::unique_ptr<server_port>>
server_ports::group::open(const ntp::endpoint& listen,
                          const server_port_options& options) {
  std::lock_guard guard{mutex_};
  // Our own sockets may share an address, another daemon's may not.
  if (members_.empty())
    if (auto free = platform::server_socket::check_free(listen, options.socket);
        !free)
      return tl::unexpected{free.error()};
  auto socket = platform::server_socket::open(listen, options.socket);
  if (!socket)
    return tl::unexpected{socket.error()};
  auto port = std::make_unique<member>(shared_from_this(), std::move(*socket));
  members_.push_back(&port->socket());
  rule_ = options.dispatch;
  divide();
  return port;
}

void server_ports::group::close(platform::server_socket& socket) {
  std::lock_guard guard{mutex_};
  std::erase(members_, &socket);
  { const auto closed = std::move(socket); }
  if (!members_.empty())
    divide();
}

void server_ports::group::divide() {
  const auto r = members_.front()->dispatch(members_.size(), rule_);
  if (!r)
    log::warning("dispatch-failed", "error=\"{}\"", r.error().text);
}

platform::result<std::unique_ptr<server_port>>
server_ports::open(const ntp::endpoint& listen,
                   const server_port_options& options) {
  std::shared_ptr<group> g;
  {
    std::lock_guard guard{mutex_};
    std::erase_if(groups_, [](const auto& x) { return x.second.expired(); });
    auto& slot = groups_[{listen, options.socket.interface}];
    g = slot.lock();
    if (!g)
      slot = g = std::make_shared<group>();
  }
  return g->open(listen, options);
}

} // namespace concert::actors
