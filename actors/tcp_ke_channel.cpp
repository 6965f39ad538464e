#include "actors/tcp_ke_channel.hpp"

#include "platform/socket_address.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace concert::actors {

namespace {

using asio::ip::tcp;
using std::chrono::steady_clock;

/// What a peer may still send after we have said all, so that it gets that: a
/// connection closed over unread octets is reset, which drops ours on the way.
constexpr std::size_t drain_limit = std::size_t{64} * 1024;
constexpr std::chrono::seconds drain_time{1};

/// Clients that are accepted before the thread's other work has its turn.
constexpr int accepted_at_once = 16;
constexpr std::chrono::milliseconds accept_pause{100};

constexpr std::size_t read_size = 4096;

tcp::endpoint to_asio(const ntp::endpoint& from) {
  const platform::socket_address address{from};
  tcp::endpoint out;
  std::memcpy(out.data(), address.get(), address.size);
  out.resize(address.size);
  return out;
}

ntp::endpoint from_asio(const tcp::endpoint& from) {
  return platform::to_endpoint(*from.data());
}

/// A connection, which lives on behind its channel until the last operation
/// has come back.
class connection : public std::enable_shared_from_this<connection> {
public:
  connection(tcp::socket socket, const ntp::endpoint& peer,
             std::unique_ptr<platform::tls_session> session,
             std::chrono::milliseconds limit)
    : socket_(std::move(socket)),
      peer_(peer),
      session_(std::move(session)),
      limit_(limit) {}

  const ntp::endpoint& peer() const { return peer_; }

  void start(ke_channel_events events) {
    events_ = std::move(events);
    expire_at(steady_clock::now() + limit_);
    if (socket_.is_open())
      return open();
    socket_.async_connect(
      to_asio(peer_), [self = shared_from_this()](std::error_code ec) {
        if (self->stage_ == stage::over)
          return;
        if (ec)
          self->end({ke_ending::unreachable,
                     {},
                     "cannot connect to " + self->peer_.to_string() + ": "
                       + ec.message()});
        else
          self->open();
      });
  }

  bool send(std::span<const std::byte> plaintext) {
    if (stage_ != stage::open || !session_->write(plaintext))
      return false;
    write();
    return true;
  }

  void finish() {
    if (stage_ == stage::open)
      leave({});
    else if (stage_ == stage::connecting)
      end({});
  }

  bool export_key(std::string_view label, std::span<const std::byte> context,
                  std::span<std::byte> out) {
    return session_->export_key(label, context, out);
  }

  void extend(std::chrono::milliseconds limit) {
    if (stage_ == stage::open)
      expire_at(steady_clock::now() + limit);
  }

  /// The owner has gone.
  void abandon() {
    abandoned_ = true;
    close();
  }

private:
  enum class stage : std::uint8_t {
    connecting,
    open,
    leaving, ///< what is left is being written
    drained, ///< all is written; what still comes is dropped
    over,
  };

  void expire_at(steady_clock::time_point when) {
    deadline_.emplace(socket_.get_executor(), when);
    deadline_->async_wait([self = shared_from_this()](std::error_code ec) {
      // One that was due as it was replaced comes all the same.
      if (!ec && self->stage_ != stage::over
          && self->deadline_->expiry() <= steady_clock::now())
        self->expire();
    });
  }

  void expire() {
    if (stage_ == stage::drained || end_.how == ke_ending::tls)
      return end(std::move(end_));
    end({ke_ending::timed_out,
         {},
         peer_.to_string()
           + (stage_ == stage::connecting ? " did not answer in time"
                                          : " took too long")});
  }

  void open() {
    stage_ = stage::open;
    std::error_code ignored; // a socket that is broken says so when it is read
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay{true}, ignored);
    write();
    await_input();
  }

  // -- output -----------------------------------------------------------------

  /// Sees to it that what the session has to say is sent. It keeps what comes
  /// up meanwhile, and its bounds.
  void write() {
    if (writing_)
      return;
    outgoing_ = session_->take_output();
    if (outgoing_.empty()) {
      if (stage_ == stage::leaving)
        drain();
      return;
    }
    writing_ = true;
    asio::async_write(socket_, asio::buffer(outgoing_),
                      [self = shared_from_this()](std::error_code ec, size_t) {
                        self->writing_ = false;
                        if (self->stage_ == stage::over)
                          return;
                        if (ec)
                          self->end_broken(ec);
                        else
                          self->write();
                      });
  }

  // -- input ------------------------------------------------------------------

  void await_input() {
    if (std::exchange(awaiting_, true))
      return;
    socket_.async_wait(tcp::socket::wait_read,
                       [self = shared_from_this()](std::error_code ec) {
                         self->awaiting_ = false;
                         if (self->stage_ != stage::over)
                           self->read(ec);
                       });
  }

  void read(std::error_code ec) {
    std::array<std::byte, read_size> buffer;
    std::size_t size = 0;
    if (!ec)
      size = socket_.read_some(asio::buffer(buffer), ec);
    if (ec == asio::error::would_block)
      return await_input();
    ended_input_ = bool{ec};
    if (stage_ != stage::open)
      return drop(size);
    if (ec && ec != asio::error::eof)
      return end_broken(ec);
    if (ec)
      session_->end_of_input();
    else
      session_->feed(std::span{buffer}.first(size));
    write();
    tell();
  }

  /// Tells the owner what has come of the input.
  void tell() {
    using platform::tls_state;
    const auto state = session_->state();
    if ((state == tls_state::open || state == tls_state::peer_closed)
        && !std::exchange(ready_, true)) {
      if (events_.ready)
        events_.ready();
    }
    if (ready_ && stage_ == stage::open) {
      const auto plaintext = session_->read();
      if (!plaintext.empty() && events_.received)
        events_.received(plaintext);
    }
    if (stage_ != stage::open)
      return;
    if (state == tls_state::failed) {
      const auto& failure = session_->failure();
      return leave({ke_ending::tls, failure.fault, failure.text});
    }
    if (state != tls_state::peer_closed)
      return await_input();
    if (events_.peer_finished)
      events_.peer_finished();
  }

  // -- the end ----------------------------------------------------------------

  /// Says what is left to say, and then is over.
  void leave(ke_channel_end end) {
    stage_ = stage::leaving;
    end_ = std::move(end);
    session_->close();
    if (!ended_input_)
      await_input();
    write();
  }

  void drain() {
    stage_ = stage::drained;
    std::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    if (ended_input_ || dropped_ > drain_limit)
      return end(std::move(end_));
    expire_at(std::min(deadline_->expiry(), steady_clock::now() + drain_time));
  }

  void drop(std::size_t size) {
    dropped_ += size;
    if (!ended_input_ && dropped_ <= drain_limit)
      await_input();
    else if (stage_ == stage::drained)
      end(std::move(end_));
  }

  void end_broken(std::error_code ec) {
    if (end_.how == ke_ending::tls)
      return end(std::move(end_));
    end({ke_ending::broken,
         {},
         "lost the connection to " + peer_.to_string() + ": " + ec.message()});
  }

  void end(ke_channel_end end) {
    close();
    end_ = std::move(end);
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      if (!self->abandoned_ && self->events_.ended)
        self->events_.ended(self->end_);
    });
  }

  void close() {
    stage_ = stage::over;
    std::error_code ignored;
    socket_.close(ignored);
    deadline_.reset();
  }

  tcp::socket socket_;
  std::optional<asio::steady_timer> deadline_;
  ntp::endpoint peer_;
  std::unique_ptr<platform::tls_session> session_;
  std::chrono::milliseconds limit_;
  ke_channel_events events_;
  stage stage_ = stage::connecting;
  ke_channel_end end_;              ///< from `leave` on
  std::vector<std::byte> outgoing_; ///< while `writing_`
  std::size_t dropped_ = 0;
  bool writing_ = false;
  bool awaiting_ = false;    ///< input
  bool ended_input_ = false; ///< nothing can be read any more
  bool ready_ = false;
  bool abandoned_ = false;
};

class tcp_channel final : public ke_channel {
public:
  explicit tcp_channel(std::shared_ptr<connection> c)
    : connection_(std::move(c)) {}
  ~tcp_channel() override { connection_->abandon(); }

  const ntp::endpoint& peer() const override { return connection_->peer(); }
  void start(ke_channel_events events) override {
    connection_->start(std::move(events));
  }
  bool send(std::span<const std::byte> plaintext) override {
    return connection_->send(plaintext);
  }
  void finish() override { connection_->finish(); }
  bool export_key(std::string_view label, std::span<const std::byte> context,
                  std::span<std::byte> out) override {
    return connection_->export_key(label, context, out);
  }
  void extend(std::chrono::milliseconds limit) override {
    connection_->extend(limit);
  }

private:
  std::shared_ptr<connection> connection_;
};

/// Closes without a reset, as far as the client has not sent more than a hello.
void turn_away(tcp::socket& socket) {
  std::array<std::byte, read_size> buffer;
  std::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.read_some(asio::buffer(buffer), ignored);
  socket.close(ignored);
}

/// Accepts; lives on behind its listener like a connection behind its channel.
class acceptance : public std::enable_shared_from_this<acceptance> {
public:
  acceptance(asio::io_context& io, std::chrono::milliseconds limit,
             ke_listener_events events)
    : acceptor_(io),
      limit_(limit),
      events_(std::move(events)) {}

  std::error_code open(const ntp::endpoint& local) {
    const auto address = to_asio(local);
    std::error_code ec;
    const auto then = [&ec](auto step) {
      if (!ec)
        step();
    };
    acceptor_.open(address.protocol(), ec);
    then([&] { acceptor_.set_option(tcp::acceptor::reuse_address{true}, ec); });
    if (address.protocol() == tcp::v6())
      then([&] { acceptor_.set_option(asio::ip::v6_only{true}, ec); });
    then([&] { acceptor_.bind(address, ec); });
    then([&] { acceptor_.listen(tcp::acceptor::max_listen_connections, ec); });
    then([&] { acceptor_.non_blocking(true, ec); });
    then([&] { local_ = from_asio(acceptor_.local_endpoint(ec)); });
    return ec;
  }

  const ntp::endpoint& local() const { return local_; }

  void await_client() {
    acceptor_.async_wait(tcp::acceptor::wait_read,
                         [self = shared_from_this()](std::error_code ec) {
                           if (!self->acceptor_.is_open())
                             return;
                           if (ec)
                             self->pause(ec);
                           else
                             self->accept();
                         });
  }

  void close() {
    std::error_code ignored;
    acceptor_.close(ignored);
    pause_.reset();
  }

private:
  void accept() {
    for (int i = 0; i < accepted_at_once && acceptor_.is_open(); ++i) {
      tcp::socket socket{acceptor_.get_executor()};
      tcp::endpoint client;
      std::error_code ec;
      acceptor_.accept(socket, client, ec);
      if (ec == asio::error::would_block)
        break;
      if (ec)
        return pause(ec);
      take(std::move(socket), from_asio(client));
    }
    if (acceptor_.is_open())
      await_client();
  }

  void take(tcp::socket socket, const ntp::endpoint& client) {
    if (!events_.admit(client))
      return turn_away(socket);
    auto session = events_.make_session();
    if (!session)
      return turn_away(socket);
    events_.accepted(std::make_unique<tcp_channel>(std::make_shared<connection>(
      std::move(socket), client, std::move(session), limit_)));
  }

  /// Who waits would wake us again at once, while there is no descriptor.
  void pause(std::error_code ec) {
    pause_.emplace(acceptor_.get_executor(), accept_pause);
    pause_->async_wait([self = shared_from_this()](std::error_code cancelled) {
      if (!cancelled && self->acceptor_.is_open())
        self->accept();
    });
    events_.failed("cannot accept a connection at " + local_.to_string() + ": "
                   + ec.message());
  }

  tcp::acceptor acceptor_;
  std::optional<asio::steady_timer> pause_;
  std::chrono::milliseconds limit_;
  ke_listener_events events_;
  ntp::endpoint local_;
};

class tcp_listener final : public ke_listener {
public:
  explicit tcp_listener(std::shared_ptr<acceptance> a)
    : acceptance_(std::move(a)) {}
  ~tcp_listener() override { acceptance_->close(); }
  const ntp::endpoint& local() const override { return acceptance_->local(); }

private:
  std::shared_ptr<acceptance> acceptance_;
};

} // namespace

std::unique_ptr<ke_channel>
connect_ke_channel(asio::io_context& io, const ntp::endpoint& server,
                   std::unique_ptr<platform::tls_session> session,
                   std::chrono::milliseconds limit) {
  return std::make_unique<tcp_channel>(std::make_shared<connection>(
    tcp::socket{io}, server, std::move(session), limit));
}

platform::result<std::unique_ptr<ke_listener>>
open_ke_listener(asio::io_context& io, const ke_listener_options& options,
                 ke_listener_events events) {
  auto made
    = std::make_shared<acceptance>(io, options.limit, std::move(events));
  if (const auto ec = made->open(options.local))
    return tl::unexpected{platform::system_error(
      "cannot listen on " + options.local.to_string() + " (TCP)", ec.value())};
  made->await_client();
  return std::make_unique<tcp_listener>(std::move(made));
}

} // namespace concert::actors
