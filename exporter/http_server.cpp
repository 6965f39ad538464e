#include "exporter/http_server.hpp"

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace concert::exporter {

namespace {

using asio::ip::tcp;

/// "127.0.0.1:9975" or "[::1]:9975".
std::optional<tcp::endpoint> endpoint_of(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return {};
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return {};
  std::error_code failed;
  const auto address = asio::ip::make_address(std::string{host}, failed);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, bad] = std::from_chars(text.data() + colon + 1, end, port);
  if (failed || bad != std::errc{} || rest != end)
    return {};
  return tcp::endpoint{address, port};
}

} // namespace

/// One client: a request, an answer, and the end.
class http_server::connection
  : public std::enable_shared_from_this<connection> {
public:
  connection(http_server& server, tcp::socket socket)
    : server_{server},
      socket_{std::move(socket)},
      limit_{socket_.get_executor()} {}

  void start(connection_list::iterator self) {
    self_ = self;
    expect_within(server_.limits_.request_time);
    // One octet less than the limit ends the search: it is too long then.
    asio::async_read_until(
      socket_, asio::dynamic_buffer(head_, server_.limits_.head), "\r\n\r\n",
      [me = shared_from_this()](std::error_code failed, std::size_t size) {
        if (me->ended_)
          return;
        if (!failed)
          me->answer(me->server_.engine_.answer(
            std::string_view{me->head_}.substr(0, size)));
        else if (failed == asio::error::not_found)
          me->answer(plain_answer(431, "Request Header Fields Too Large"));
        else
          me->end();
      });
  }

  /// Gives the client up, if that has not happened yet.
  void end() {
    if (ended_)
      return;
    ended_ = true;
    std::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    server_.unsent_ -= answer_.size();
    server_.connections_.erase(self_);
  }

  bool answers() const { return !answer_.empty(); }

private:
  void expect_within(std::chrono::milliseconds time) {
    limit_.expires_after(time);
    limit_.async_wait([me = weak_from_this()](std::error_code cancelled) {
      if (const auto c = me.lock(); c && !cancelled)
        c->end();
    });
  }

  void answer(std::string text) {
    server_.make_room(text.size());
    answer_ = std::move(text);
    server_.unsent_ += answer_.size();
    expect_within(server_.limits_.answer_time);
    asio::async_write(
      socket_, asio::buffer(answer_),
      [me = shared_from_this()](std::error_code, std::size_t) { me->end(); });
  }

  http_server& server_;
  tcp::socket socket_;
  asio::steady_timer limit_;
  std::string head_;
  std::string answer_;
  connection_list::iterator self_;
  bool ended_ = false;
};

tl::expected<std::unique_ptr<http_server>, std::string>
http_server::listen(asio::io_context& context, const std::string& where,
                    http_engine engine, http_limits limits) {
  const auto place = endpoint_of(where);
  if (!place)
    return tl::unexpected{fmt::format(
      "\"{}\" is no address with a port, such as 127.0.0.1:9975", where)};
  tcp::acceptor acceptor{context};
  std::error_code failed;
  acceptor.open(place->protocol(), failed);
  if (!failed)
    acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed)
    acceptor.bind(*place, failed);
  if (!failed)
    acceptor.listen(static_cast<int>(limits.connections), failed);
  if (failed)
    return tl::unexpected{
      fmt::format("cannot listen at {}: {}", where, failed.message())};
  return std::unique_ptr<http_server>{
    new http_server{std::move(acceptor), std::move(engine), limits}};
}

http_server::http_server(tcp::acceptor acceptor, http_engine engine,
                         http_limits limits)
  : acceptor_{std::move(acceptor)},
    pause_{acceptor_.get_executor()},
    engine_{std::move(engine)},
    limits_{limits} {
  accept();
}

http_server::~http_server() {
  while (!connections_.empty())
    end_oldest();
}

/// A copy of the pointer outlives the place in the list.
void http_server::end_oldest() {
  const auto oldest = connections_.front();
  oldest->end();
}

tcp::endpoint http_server::place() const {
  std::error_code ignored;
  return acceptor_.local_endpoint(ignored);
}

void http_server::accept() {
  acceptor_.async_accept([this](std::error_code failed, tcp::socket socket) {
    if (failed == asio::error::operation_aborted)
      return;
    if (!failed) {
      add(std::move(socket));
      accept();
      return;
    }
    // Such as too many open files: to try again at once would be a busy loop.
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([this](std::error_code cancelled) {
      if (!cancelled)
        accept();
    });
  });
}

void http_server::make_room(std::size_t octets) {
  auto next = connections_.begin();
  while (unsent_ + octets > limits_.unsent && next != connections_.end()) {
    const auto oldest = *next++;
    if (oldest->answers())
      oldest->end();
  }
}

void http_server::add(tcp::socket socket) {
  if (connections_.size() >= limits_.connections)
    end_oldest();
  connections_.push_back(
    std::make_shared<connection>(*this, std::move(socket)));
  const auto self = std::prev(connections_.end());
  (*self)->start(self);
}

} // namespace concert::exporter
