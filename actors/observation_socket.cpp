#include "actors/observation_socket.hpp"

#include "actors/handler_guard.hpp"
#include "ctl/status.hpp"
#include "platform/socket.hpp"

#include <unistd.h>

#include <utility>

namespace concert::actors {

namespace {

using protocol = asio::local::stream_protocol;

constexpr std::size_t max_readers = 8;
constexpr std::chrono::milliseconds write_limit{500};
constexpr std::chrono::seconds retry_delay{1};

/// What outlives the port while connections are open.
struct shared_state {
  std::size_t readers = 0;
  std::function<void()> on_free; ///< a place became free
};

/// One reader: waits for the document, writes it, ends.
class reader : public std::enable_shared_from_this<reader> {
public:
  reader(protocol::socket socket, std::shared_ptr<shared_state> state)
    : socket_(std::move(socket)),
      limit_(socket_.get_executor()),
      state_(std::move(state)) {
    ++state_->readers;
  }

  ~reader() {
    --state_->readers;
    if (state_->on_free)
      state_->on_free();
  }

  void write(const std::string& document) {
    frame_ = ctl::frame(document);
    limit_.expires_after(write_limit);
    limit_.async_wait([self = weak_from_this()](std::error_code ec) {
      if (auto r = self.lock(); r && !ec) {
        std::error_code ignored;
        r->socket_.close(ignored);
      }
    });
    asio::async_write(socket_, asio::buffer(frame_),
                      [self = shared_from_this()](std::error_code, size_t) {
                        self->limit_.cancel();
                      });
  }

private:
  protocol::socket socket_;
  asio::steady_timer limit_;
  std::shared_ptr<shared_state> state_;
  std::string frame_;
};

class socket_port final : public observation_port {
public:
  socket_port(asio::io_context& io, platform::unique_fd fd, std::string path,
              std::function<void(document_sink)> on_reader)
    : acceptor_(io, protocol{}, fd.release()),
      pause_(io),
      path_(std::move(path)),
      on_reader_(std::move(on_reader)),
      state_(std::make_shared<shared_state>()) {
    state_->on_free = [this] {
      if (!accepting_)
        accept();
    };
    accept();
  }

  ~socket_port() override {
    state_->on_free = nullptr;
    ::unlink(path_.c_str());
  }

private:
  void accept() {
    accepting_ = state_->readers < max_readers;
    if (!accepting_)
      return; // the next waits in the kernel's queue
    acceptor_.async_accept(
      while_open_([this](std::error_code ec, protocol::socket socket) {
        if (ec)
          return accept_later();
        hand_out(std::move(socket));
        accept();
      }));
  }

  /// The process has no descriptor left, most likely.
  void accept_later() {
    pause_.expires_after(retry_delay);
    pause_.async_wait(while_open_([this](std::error_code ec) {
      if (!ec)
        accept();
    }));
  }

  void hand_out(protocol::socket socket) {
    auto r = std::make_shared<reader>(std::move(socket), state_);
    on_reader_([r](const std::string& document) { r->write(document); });
  }

  protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  std::string path_;
  std::function<void(document_sink)> on_reader_;
  std::shared_ptr<shared_state> state_;
  handler_guard while_open_;
  bool accepting_ = false;
};

} // namespace

platform::result<std::unique_ptr<observation_port>>
open_observation_socket(asio::io_context& io, const std::string& path,
                        std::uint32_t mode,
                        std::function<void(document_sink)> on_reader) {
  auto fd = platform::listen_unix(path, mode);
  if (!fd)
    return tl::unexpected{fd.error()};
  return std::make_unique<socket_port>(io, std::move(*fd), path,
                                       std::move(on_reader));
}

} // namespace concert::actors
