#include "actors/control_socket.hpp"

#include "platform/socket.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace concert::actors {

namespace {

using protocol = asio::local::stream_protocol;
using steady = std::chrono::steady_clock;

/// Those with rights have places of their own, and as many do those without.
constexpr std::size_t max_connections = 32;
constexpr std::chrono::seconds idle_limit{60};
/// For the rest of a request whose first octet has come.
constexpr std::chrono::seconds line_limit{5};
/// Longer than anybody in the daemon takes to answer.
constexpr std::chrono::seconds answer_limit{30};
constexpr std::chrono::seconds write_limit{10};
/// How long a connection that asks too often is not read.
constexpr std::chrono::seconds busy_pause{1};
constexpr std::chrono::seconds retry_delay{1};
/// Answers that may wait to be read when another is made, octets.
constexpr std::size_t max_waiting = 256 * 1024;
/// So many octets of a request cost as much as a request.
constexpr std::size_t octets_a_token = 4096;

/// Lets through `rate` a second, and `burst` at once after a quiet time.
class bucket {
public:
  bucket(double rate, double burst)
    : rate_(rate),
      burst_(burst),
      tokens_(burst) {}

  bool take(double cost = 1) {
    const auto now = steady::now();
    const std::chrono::duration<double> passed = now - last_;
    tokens_ = std::min(burst_, tokens_ + rate_ * passed.count());
    last_ = now;
    if (tokens_ < std::min(cost, burst_))
      return false;
    tokens_ -= cost;
    return true;
  }

private:
  double rate_;
  double burst_;
  double tokens_;
  steady::time_point last_ = steady::now();
};

/// Of all who connect, fewer than can be handled before they lose their places
/// to the next ones; of all requests of those with rights, and of those
/// without; of one connection.
bucket connect_bucket() {
  return {200, 16};
}
bucket class_bucket() {
  return {400, 50};
}
bucket own_bucket() {
  return {50, 100};
}
constexpr std::chrono::milliseconds turn_pause{10};

std::vector<gid_t> groups_of(int fd) {
  std::vector<gid_t> groups(64);
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int code
      = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    const bool too_small = code != 0 && errno == ERANGE;
    groups.resize(code == 0 || too_small ? size / sizeof(gid_t) : 0);
    if (!too_small)
      return groups;
  }
  return {};
}

std::optional<control_peer> peer_of(int fd, gid_t group) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return {};
  control_peer peer{who.uid, who.gid, who.pid, false};
  const auto groups = groups_of(fd);
  peer.has_rights
    = who.uid == 0 || who.uid == geteuid() || who.gid == group
      || std::find(groups.begin(), groups.end(), group) != groups.end();
  return peer;
}

/// The group whose members have rights.
platform::result<gid_t> group_of(const config::control_config& config) {
  if (!config.group)
    return getegid();
  std::array<char, 16384> text{};
  group entry{};
  group* found = nullptr;
  const int number = getgrnam_r(config.group->c_str(), &entry, text.data(),
                                text.size(), &found);
  if (number != 0)
    return tl::unexpected{
      platform::system_error("cannot look up group " + *config.group, number)};
  if (found == nullptr)
    return tl::unexpected{platform::error{
      platform::errc::unavailable, "there is no group " + *config.group}};
  return found->gr_gid;
}

ctl::control_answer refusal(ctl::control_refusal why, std::string text) {
  return {{}, ctl::control_problem{why, std::move(text)}, false};
}

/// What a connection and those who answer it share.
struct outbox {
  std::atomic<bool> closed{false};
  std::atomic<std::size_t> octets{0}; ///< made, and not yet written
};

class connection;

/// What the connections need of the port.
class host {
public:
  virtual ~host() = default;
  /// `c` has a whole request: it is told when its turn comes.
  virtual void wait_for_turn(std::shared_ptr<connection> c) = 0;
  virtual void hand_out(control_received request) = 0;
  virtual void forget(const connection& c) = 0;
};

/// One who asks. Its requests are handled one after the other: until one is
/// answered the next waits unread. All on the event loop.
class connection : public std::enable_shared_from_this<connection> {
public:
  connection(protocol::socket socket, control_peer peer, host& port)
    : socket_(std::move(socket)),
      limit_(socket_.get_executor()),
      peer_(peer),
      port_(&port) {}

  const control_peer& peer() const { return peer_; }
  /// Whether `other` is the better one to close, for want of places.
  bool worth_more_than(const connection& other) const {
    return std::tuple{!misbehaved_, awaited_, last_active_}
           > std::tuple{!other.misbehaved_, other.awaited_, other.last_active_};
  }

  void read() {
    const bool whole = buffer_.find('\n') != std::string::npos;
    if (!whole && buffer_.size() > ctl::max_request) {
      closes_ = true;
      answer(ctl::to_json(0, refusal(ctl::control_refusal::malformed,
                                     "the request is too long")));
      return;
    }
    if (whole) {
      limit_.cancel();
      port_->wait_for_turn(shared_from_this());
      return;
    }
    socket_.async_read_some(
      asio::buffer(chunk_),
      [self = shared_from_this()](std::error_code ec, std::size_t size) {
        self->on_read(ec, size);
      });
  }

  void start() {
    expire_after(idle_limit);
    read();
  }

  /// Its turn has come.
  void handle() {
    if (port_ == nullptr)
      return;
    last_active_ = steady::now();
    const auto end = buffer_.find('\n');
    const auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    expire_after(answer_limit);
    std::uint64_t id = 0;
    const double cost = 1
                        + static_cast<double>(line.size())
                            / static_cast<double>(octets_a_token);
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

  /// Nobody will answer the request any more.
  void on_lost(std::uint64_t id) {
    refuse(id, ctl::control_refusal::failed,
           "the part of the daemon that should have answered ended; ask again");
  }

  /// A line for the other side, of a request that may have `more` of them.
  void answer(std::string line, bool more = false) {
    if (port_ == nullptr)
      return;
    if (!more) {
      awaited_ = false;
      streaming_ = false;
    }
    line += '\n';
    last_active_ = steady::now();
    lines_.push_back(std::move(line));
    if (lines_.size() == 1)
      write();
  }

  void close() {
    if (port_ == nullptr)
      return;
    out_->closed = true;
    std::error_code ignored;
    socket_.close(ignored);
    limit_.cancel();
    std::exchange(port_, nullptr)->forget(*this);
  }

  const std::shared_ptr<outbox>& out() const { return out_; }
  auto executor() { return socket_.get_executor(); }

private:
  void hand_out(ctl::control_request request);

  void refuse(std::uint64_t id, ctl::control_refusal why, std::string text) {
    const auto line = ctl::to_json(id, refusal(why, std::move(text)));
    out_->octets += line.size() + 1;
    answer(line);
  }

  void on_read(std::error_code ec, std::size_t size) {
    if (port_ == nullptr)
      return;
    // Who follows a trace has nothing more to say.
    if (ec || streaming_)
      return close();
    if (awaited_)
      return;
    if (buffer_.empty())
      expire_after(line_limit);
    buffer_.append(chunk_.data(), size);
    read();
  }

  void write() {
    expire_after(write_limit);
    asio::async_write(
      socket_, asio::buffer(lines_.front()),
      [self = shared_from_this()](std::error_code ec, std::size_t) {
        self->on_written(ec);
      });
  }

  void on_written(std::error_code ec) {
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

  void start_next() {
    expire_after(buffer_.empty() ? std::chrono::seconds{idle_limit}
                                 : std::chrono::seconds{line_limit});
    read();
  }

  void expire_after(std::chrono::seconds span) {
    limit_.expires_after(span);
    limit_.async_wait([self = weak_from_this()](std::error_code ec) {
      if (auto c = self.lock(); c && !ec)
        c->close();
    });
  }

  protocol::socket socket_;
  asio::steady_timer limit_;
  control_peer peer_;
  host* port_; ///< null once closed
  bucket bucket_ = own_bucket();
  steady::time_point last_active_ = steady::now();
  bool misbehaved_ = false; ///< asked too often, or nothing that makes sense
  bool awaited_ = false;    ///< somebody in the daemon will answer
  bool streaming_ = false;  ///< a trace
  bool paused_ = false;     ///< before the next request
  bool closes_ = false;     ///< after what is being written
  std::string buffer_;
  std::array<char, 4096> chunk_{};
  std::deque<std::string> lines_; ///< to be written
  std::shared_ptr<outbox> out_ = std::make_shared<outbox>();
};

/// A request that somebody in the daemon has, on whatever thread.
class pending {
public:
  pending(connection& c, std::uint64_t id)
    : to_(c.weak_from_this()),
      out_(c.out()),
      executor_(c.executor()),
      id_(id) {}
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;
  ~pending() {
    if (!done_)
      post([id = id_](connection& c) { c.on_lost(id); });
  }

  bool give(const ctl::control_answer& given) {
    if (done_ || out_->closed)
      return false;
    if (out_->octets > max_waiting) {
      post([](connection& c) { c.close(); });
      return false;
    }
    auto line = ctl::to_json(id_, given);
    if (line.size() >= ctl::max_answer)
      line = ctl::to_json(
        id_, refusal(ctl::control_refusal::failed, "the answer is too long"));
    done_ = !given.more;
    out_->octets += line.size() + 1;
    post([line = std::move(line), more = given.more](connection& c) {
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

  std::weak_ptr<connection> to_;
  std::shared_ptr<outbox> out_;
  asio::any_io_executor executor_;
  std::uint64_t id_;
  std::atomic<bool> done_{false};
};

void connection::hand_out(ctl::control_request request) {
  awaited_ = true;
  streaming_ = request.what == ctl::control_verb::trace;
  auto wait = std::make_shared<pending>(*this, request.id);
  if (streaming_) {
    limit_.cancel();
    // To hear of its end.
    socket_.async_read_some(
      asio::buffer(chunk_),
      [self = shared_from_this()](std::error_code ec, std::size_t size) {
        self->on_read(ec, size);
      });
  }
  port_->hand_out({std::move(request), peer_,
                   [wait = std::move(wait)](const ctl::control_answer& given) {
                     return wait->give(given);
                   }});
}

class socket_port final : public control_port, public host {
public:
  socket_port(asio::io_context& io, platform::unique_fd fd, std::string path,
              gid_t group, std::function<void(control_received)> on_request)
    : acceptor_(io, protocol{}, fd.release()),
      pause_(io),
      turn_(io),
      path_(std::move(path)),
      group_(group),
      on_request_(std::move(on_request)) {
    accept();
  }
  socket_port(const socket_port&) = delete;
  socket_port& operator=(const socket_port&) = delete;

  // NOLINTNEXTLINE(bugprone-exception-escape): cancelling a timer cannot fail
  ~socket_port() override {
    ::unlink(path_.c_str());
    const auto all = std::exchange(connections_, {});
    for (const auto& c : all)
      c->close();
  }

private:
  /// Those with rights, or those without.
  struct peer_class {
    bucket rate = class_bucket();
    std::deque<std::weak_ptr<connection>> waiting; ///< with a request
  };

  /// A handler that runs after this port has gone does nothing.
  template <class Handler>
  auto while_open(Handler handler) {
    return [handler, token = std::weak_ptr<char>{open_}](auto... args) {
      if (!token.expired())
        handler(std::move(args)...);
    };
  }

  void accept() {
    if (!connects_.take())
      return accept_after(turn_pause);
    acceptor_.async_accept(
      while_open([this](std::error_code ec, protocol::socket socket) {
        // The process has no descriptor left, most likely.
        if (ec)
          return accept_after(retry_delay);
        take_in(std::move(socket));
        accept();
      }));
  }

  void accept_after(std::chrono::milliseconds delay) {
    pause_.expires_after(delay);
    pause_.async_wait(while_open([this](std::error_code ec) {
      if (!ec)
        accept();
    }));
  }

  void take_in(protocol::socket socket) {
    const auto peer = peer_of(socket.native_handle(), group_);
    if (!peer)
      return;
    make_room(peer->has_rights);
    connections_
      .emplace_back(
        std::make_shared<connection>(std::move(socket), *peer, *this))
      ->start();
  }

  /// Where all places are taken, who has most of them loses the one that was
  /// quiet for longest.
  void make_room(bool has_rights) {
    std::map<std::uint32_t, std::size_t> taken;
    std::size_t all = 0;
    for (const auto& c : connections_)
      if (c->peer().has_rights == has_rights) {
        ++taken[c->peer().uid];
        ++all;
      }
    if (all < max_connections)
      return;
    const auto most = std::max_element(
      taken.begin(), taken.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
    std::shared_ptr<connection> victim;
    for (const auto& c : connections_)
      if (c->peer().has_rights == has_rights && c->peer().uid == most->first
          && (!victim || victim->worth_more_than(*c)))
        victim = c;
    victim->close();
  }

  void wait_for_turn(std::shared_ptr<connection> c) override {
    classes_[c->peer().has_rights ? 1 : 0].waiting.push_back(c);
    if (!turn_is_set_)
      set_turn({});
  }

  void set_turn(std::chrono::milliseconds delay) {
    turn_is_set_ = true;
    turn_.expires_after(delay);
    turn_.async_wait(while_open([this](std::error_code) { give_turns(); }));
  }

  /// One of each kind at a time: the loop has others to serve in between.
  void give_turns() {
    turn_is_set_ = false;
    bool more = false;
    bool served = false;
    for (auto& kind : classes_) {
      std::shared_ptr<connection> next;
      while (!kind.waiting.empty()
             && (next = kind.waiting.front().lock()) == nullptr)
        kind.waiting.pop_front();
      if (!next)
        continue;
      if (kind.rate.take()) {
        kind.waiting.pop_front();
        next->handle();
        served = true;
      }
      more = more || !kind.waiting.empty();
    }
    if (more && !turn_is_set_)
      set_turn(served ? std::chrono::milliseconds{} : turn_pause);
  }

  void hand_out(control_received request) override {
    on_request_(std::move(request));
  }

  void forget(const connection& c) override {
    std::erase_if(connections_,
                  [&](const auto& other) { return other.get() == &c; });
  }

  protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  asio::steady_timer turn_;
  std::string path_;
  gid_t group_;
  std::function<void(control_received)> on_request_;
  bucket connects_ = connect_bucket();
  std::array<peer_class, 2> classes_;
  bool turn_is_set_ = false;
  std::vector<std::shared_ptr<connection>> connections_;
  std::shared_ptr<char> open_ = std::make_shared<char>();
};

} // namespace

platform::result<std::unique_ptr<control_port>>
open_control_socket(asio::io_context& io, const config::control_config& config,
                    std::function<void(control_received)> on_request) {
  const auto group = group_of(config);
  if (!group)
    return tl::unexpected{group.error()};
  const auto path = config.path->string();
  auto fd = platform::listen_unix(path, 0666);
  if (!fd)
    return tl::unexpected{fd.error()};
  return std::make_unique<socket_port>(io, std::move(*fd), path, *group,
                                       std::move(on_request));
}

} // namespace concert::actors
