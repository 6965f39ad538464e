#include "tools/ntp_load/ke_attempt.hpp"

#include "platform/socket_address.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace concert::load {

namespace {

std::string in_words(int number) {
  return std::strerror(number);
}

} // namespace

tl::expected<ke_attempt, ke_attempt::failure>
ke_attempt::start(const ke_target& target, std::chrono::nanoseconds now) {
  const platform::socket_address to{target.address};
  platform::unique_fd fd{
    socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd)
    return tl::unexpected{in_words(errno)};
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), to.get(), to.size) != 0 && errno != EINPROGRESS)
    return tl::unexpected{in_words(errno)};
  // Whether certificates are in time is not what is measured.
  auto session = target.tls->connect(target.name, std::nullopt);
  if (!session)
    return tl::unexpected{session.error().text};
  return ke_attempt{std::move(fd), std::move(*session), now};
}

ke_attempt::ke_attempt(platform::unique_fd fd,
                       std::unique_ptr<platform::tls_session> session,
                       std::chrono::nanoseconds now)
  : fd_(std::move(fd)),
    session_(std::move(session)),
    started_(now),
    outgoing_(session_->take_output()) {
}

short ke_attempt::events() const {
  return connected_ && outgoing_.empty() ? POLLIN : POLLIN | POLLOUT;
}

std::optional<tl::expected<nts_session, ke_attempt::failure>>
ke_attempt::step(std::chrono::nanoseconds now) {
  if (!connected_ && !connect_done()) {
    if (!problem_.empty())
      return tl::unexpected{problem_};
  } else {
    connected_ = true;
    move_out();
    move_in();
    if (auto over = converse())
      return over;
    move_out();
    if (!problem_.empty())
      return tl::unexpected{problem_};
  }
  if (now - started_ > limit)
    return tl::unexpected{failure{"timeout"}};
  return std::nullopt;
}

/// Whether there is a connection.
bool ke_attempt::connect_done() {
  int number = 0;
  socklen_t size = sizeof number;
  getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &number, &size);
  if (number != 0)
    problem_ = in_words(number);
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  return number == 0
         && getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&peer),
                        &peer_size)
              == 0;
}

void ke_attempt::move_in() {
  std::array<std::byte, 16384> buffer;
  while (true) {
    const auto got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      session_->feed(std::span{buffer}.first(static_cast<std::size_t>(got)));
      continue;
    }
    if (got == 0)
      session_->end_of_input();
    else if (errno != EAGAIN && errno != EINTR)
      problem_ = in_words(errno);
    return;
  }
}

void ke_attempt::move_out() {
  const auto more = session_->take_output();
  outgoing_.insert(outgoing_.end(), more.begin(), more.end());
  while (!outgoing_.empty()) {
    const auto sent
      = send(fd_.get(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      if (errno != EAGAIN && errno != EINTR)
        problem_ = in_words(errno);
      return;
    }
    outgoing_.erase(outgoing_.begin(), outgoing_.begin() + sent);
  }
}

/// What there is to say to what has come.
std::optional<tl::expected<nts_session, ke_attempt::failure>>
ke_attempt::converse() {
  if (!asked_ && session_->state() == platform::tls_state::open)
    asked_ = session_->write(client_.request());
  if (const auto plaintext = session_->read(); !plaintext.empty()) {
    auto result = client_.on_bytes(plaintext);
    if (!result)
      return tl::unexpected{ntp::to_string(result.error())};
    if (*result)
      return complete(std::move(**result));
  }
  if (session_->state() == platform::tls_state::failed)
    return tl::unexpected{failure{to_string(session_->failure().fault)}};
  if (session_->state() == platform::tls_state::peer_closed)
    return tl::unexpected{failure{ntp::to_string(ntp::ke_errc::incomplete)}};
  return std::nullopt;
}

tl::expected<nts_session, ke_attempt::failure>
ke_attempt::complete(ntp::ke_result result) {
  auto keys = ntp::derive_session_keys(
    result.aead, result.own_number,
    [this](auto... what) { return session_->export_key(what...); });
  if (!keys)
    return tl::unexpected{failure{"no keys"}};
  session_->close();
  move_out();
  return nts_session{*keys, std::move(result.cookies)};
}

} // namespace concert::load
