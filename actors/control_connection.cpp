#include "actors/control_connection.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace concert::actors {

namespace {

constexpr std::chrono::seconds idle_limit{60};
/// For the rest of a request whose first octet has come.
constexpr std::chrono::seconds line_limit{5};
/// Longer than anybody in the daemon takes to answer.
constexpr std::chrono::seconds answer_limit{30};
constexpr std::chrono::seconds write_limit{10};
/// How long a connection that asks too often is not read.
constexpr std::chrono::seconds busy_pause{1};
/// Answers that may wait to be read when another is made, octets.
constexpr std::size_t max_waiting = 256 * 1024;
/// So many octets of a request cost as much as a request.
constexpr std::size_t octets_a_token = 4096;

ctl::control_answer refusal(ctl::control_refusal why, std::string text) {
  return {{}, ctl::control_problem{why, std::move(text)}, false};
}

/// A request that somebody in the daemon has, on whatever thread.
class pending {
public:
  pending(control_connection& c, std::uint64_t id)
    : to_(c.weak_from_this()),
      out_(c.out()),
      executor_(c.executor()),
      id_(id) {}
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;
  ~pending() {
    if (!done_)
      post([id = id_](control_connection& c) { c.on_lost(id); });
  }

  bool give(const ctl::control_answer& given) {
    if (done_ || out_->closed)
      return false;
    if (out_->octets > max_waiting) {
      post([](control_connection& c) { c.close(); });
      return false;
    }
    auto line = ctl::to_json(id_, given);
    if (line.size() >= ctl::max_answer)
      line = ctl::to_json(
        id_, refusal(ctl::control_refusal::failed, "the answer is too long"));
    done_ = !given.more;
    out_->octets += line.size() + 1;
    post([line = std::move(line), more = given.more](control_connection& c) {
      c.answer(line, more);
    });
    return true;
  }

private:
  /// Does it on the event loop, where alone connections may end.
  template <class Deed>
  void post(Deed deed) {
    asio::post(executor_, [to = to_, deed = std::move(deed)] {
      if (const auto c = to.lock())
        deed(*c);
    });
  }

  std::weak_ptr<control_connection> to_;
  std::shared_ptr<control_outbox> out_;
  asio::any_io_executor executor_;
  std::uint64_t id_;
  std::atomic<bool> done_{false};
};

} // namespace

control_connection::control_connection(protocol::socket socket,
                                       control_peer peer, control_host& port)
  : socket_(std::move(socket)),
    limit_(socket_.get_executor()),
    peer_(peer),
    port_(&port) {
}

bool control_connection::worth_more_than(
  const control_connection& other) const {
  return std::tuple{!misbehaved_, awaited_, last_active_}
         > std::tuple{!other.misbehaved_, other.awaited_, other.last_active_};
}

void control_connection::start() {
  expire_after(idle_limit);
  read();
}

void control_connection::read() {
  const bool whole = buffer_.find('\n') != std::string::npos;
  if (!whole && buffer_.size() > ctl::max_request) {
    closes_ = true;
    answer(ctl::to_json(
      0, refusal(ctl::control_refusal::malformed, "the request is too long")));
    return;
  }
  if (whole) {
    limit_.cancel();
    port_->wait_for_turn(shared_from_this());
    return;
  }
  read_some();
}

/// Once at a time: after a trace, what listened for its end reads on.
void control_connection::read_some() {
  if (std::exchange(reading_, true))
    return;
  socket_.async_read_some(
    asio::buffer(chunk_),
    [self = shared_from_this()](std::error_code ec, std::size_t size) {
      self->on_read(ec, size);
    });
}

void control_connection::on_read(std::error_code ec, std::size_t size) {
  reading_ = false;
  if (port_ == nullptr)
    return;
  // Who follows a trace has nothing more to say.
  if (ec || streaming_)
    return close();
  const bool first = buffer_.empty();
  buffer_.append(chunk_.data(), size);
  // After a trace this may come before the next request is answered.
  if (awaited_)
    return;
  if (first)
    expire_after(line_limit);
  read();
}

void control_connection::handle() {
  if (port_ == nullptr)
    return;
  last_active_ = clock::now();
  const auto end = buffer_.find('\n');
  const auto line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  expire_after(answer_limit);
  std::uint64_t id = 0;
  const double cost
    = 1
      + static_cast<double>(line.size()) / static_cast<double>(octets_a_token);
  auto request = ctl::read_request(line, id);
  misbehaved_ = !request;
  if (!bucket_.take(cost)) {
    misbehaved_ = true;
    paused_ = true;
    return refuse(id, ctl::control_refusal::busy,
                  "too many requests: ask again in a second");
  }
  if (!request)
    return refuse(id, request.error().why, request.error().text);
  if (ctl::needs_rights(request->what) && !peer_.has_rights)
    return refuse(id, ctl::control_refusal::not_permitted,
                  "this is for root, the daemon's user and members of its "
                  "group ([control] group)");
  hand_out(std::move(*request));
}

void control_connection::on_lost(std::uint64_t id) {
  refuse(id, ctl::control_refusal::failed,
         "the part of the daemon that should have answered ended; ask again");
}

void control_connection::hand_out(ctl::control_request request) {
  awaited_ = true;
  streaming_ = request.what == ctl::control_verb::trace;
  auto wait = std::make_shared<pending>(*this, request.id);
  if (streaming_) {
    limit_.cancel();
    // To hear of its end.
    read_some();
  }
  port_->hand_out({std::move(request), peer_,
                   [wait = std::move(wait)](const ctl::control_answer& given) {
                     return wait->give(given);
                   }});
}

void control_connection::answer(std::string line, bool more) {
  if (port_ == nullptr)
    return;
  if (!more) {
    awaited_ = false;
    streaming_ = false;
  }
  line += '\n';
  last_active_ = clock::now();
  lines_.push_back(std::move(line));
  if (lines_.size() == 1)
    write();
}

void control_connection::refuse(std::uint64_t id, ctl::control_refusal why,
                                std::string text) {
  const auto line = ctl::to_json(id, refusal(why, std::move(text)));
  out_->octets += line.size() + 1;
  answer(line);
}

void control_connection::write() {
  expire_after(write_limit);
  asio::async_write(
    socket_, asio::buffer(lines_.front()),
    [self = shared_from_this()](std::error_code ec, std::size_t) {
      self->on_written(ec);
    });
}

void control_connection::on_written(std::error_code ec) {
  if (port_ == nullptr)
    return;
  if (ec || closes_)
    return close();
  out_->octets -= std::min(out_->octets.load(), lines_.front().size());
  lines_.pop_front();
  if (!lines_.empty())
    return write();
  limit_.cancel();
  if (awaited_)
    return;
  if (std::exchange(paused_, false)) {
    limit_.expires_after(busy_pause);
    limit_.async_wait([self = shared_from_this()](std::error_code stopped) {
      if (!stopped && self->port_ != nullptr)
        self->start_next();
    });
    return;
  }
  start_next();
}

void control_connection::start_next() {
  expire_after(buffer_.empty() ? std::chrono::seconds{idle_limit}
                               : std::chrono::seconds{line_limit});
  read();
}

void control_connection::expire_after(std::chrono::seconds span) {
  limit_.expires_after(span);
  limit_.async_wait([self = weak_from_this()](std::error_code ec) {
    if (auto c = self.lock(); c && !ec)
      c->close();
  });
}

void control_connection::close() {
  if (port_ == nullptr)
    return;
  out_->closed = true;
  std::error_code ignored;
  socket_.close(ignored);
  limit_.cancel();
  std::exchange(port_, nullptr)->forget(*this);
}

} // namespace concert::actors
