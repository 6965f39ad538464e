#include "actors/control_socket.hpp"

#include "actors/control_connection.hpp"
#include "actors/control_peer.hpp"
#include "actors/handler_guard.hpp"
#include "actors/token_bucket.hpp"
#include "platform/socket.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace concert::actors {

namespace {

using protocol = asio::local::stream_protocol;

/// Those with rights have places of their own, and as many do those without.
constexpr std::size_t max_connections = 32;
constexpr std::chrono::seconds retry_delay{1};
constexpr std::chrono::milliseconds turn_pause{10};

class socket_port final : public control_port, public control_host {
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
    token_bucket rate{400, 50};
    std::deque<std::weak_ptr<control_connection>> waiting; ///< with a request
  };

  void accept() {
    if (!connects_.take())
      return accept_after(turn_pause);
    acceptor_.async_accept(
      while_open_([this](std::error_code ec, protocol::socket socket) {
        // The process has no descriptor left, most likely.
        if (ec)
          return accept_after(retry_delay);
        take_in(std::move(socket));
        accept();
      }));
  }

  void accept_after(std::chrono::milliseconds delay) {
    pause_.expires_after(delay);
    pause_.async_wait(while_open_([this](std::error_code ec) {
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
        std::make_shared<control_connection>(std::move(socket), *peer, *this))
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
    std::shared_ptr<control_connection> victim;
    for (const auto& c : connections_)
      if (c->peer().has_rights == has_rights && c->peer().uid == most->first
          && (!victim || victim->worth_more_than(*c)))
        victim = c;
    victim->close();
  }

  void wait_for_turn(std::shared_ptr<control_connection> c) override {
    classes_[c->peer().has_rights ? 1 : 0].waiting.push_back(c);
    if (!turn_is_set_)
      set_turn({});
  }

  void set_turn(std::chrono::milliseconds delay) {
    turn_is_set_ = true;
    turn_.expires_after(delay);
    turn_.async_wait(while_open_([this](std::error_code) { give_turns(); }));
  }

  /// One of each kind at a time: the loop has others to serve in between.
  void give_turns() {
    turn_is_set_ = false;
    bool more = false;
    bool served = false;
    for (auto& kind : classes_) {
      std::shared_ptr<control_connection> next;
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

  void forget(const control_connection& c) override {
    std::erase_if(connections_,
                  [&](const auto& other) { return other.get() == &c; });
  }

  protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  asio::steady_timer turn_;
  std::string path_;
  gid_t group_;
  std::function<void(control_received)> on_request_;
  /// Fewer than can be handled before they lose their places to the next ones.
  token_bucket connects_{200, 16};
  std::array<peer_class, 2> classes_;
  bool turn_is_set_ = false;
  std::vector<std::shared_ptr<control_connection>> connections_;
  handler_guard while_open_;
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
