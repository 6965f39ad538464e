#include "actors/ke_conversation.hpp"

#include "platform/log.hpp"

#include <variant>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// How long a pool may think before its next request.
constexpr std::chrono::seconds idle_limit{60};

} // namespace

ke_conversation::ke_conversation(std::unique_ptr<ke_channel> channel,
                                 ke_common& common, std::function<void()> over)
  : channel_(std::move(channel)),
    common_(common),
    over_(std::move(over)),
    server_(common.config) {
  channel_->start(
    {[this] { ++common_.counters.handshakes; },
     [this](std::span<const std::byte> bytes) { on_received(bytes); },
     [this] { on_peer_finished(); },
     [this](const ke_channel_end& end) { on_ended(end); }});
}

ke_conversation::~ke_conversation() {
  if (longlived_)
    --common_.longlived;
}

void ke_conversation::on_received(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    auto action = server_.on_bytes(bytes);
    if (std::holds_alternative<ntp::ke_need_more>(action))
      return;
    const auto* wanted = std::get_if<ntp::ke_cookies_wanted>(&action);
    if (!respond(wanted != nullptr ? give_cookies(*wanted)
                                   : std::get<ntp::ke_response>(action)))
      return;
  }
}

ntp::ke_response
ke_conversation::give_cookies(const ntp::ke_cookies_wanted& wanted) {
  const auto keys = session_keys_of(wanted);
  if (!common_.keys || !common_.cipher || !common_.nonces || !keys)
    return server_.fail();
  std::array<std::byte, ntp::most_cookies * ntp::longest_cookie> room{};
  const auto size = ntp::cookie_size(wanted.aead);
  const auto cookies = std::span{room}.first(ntp::most_cookies * size);
  for (std::size_t i = 0; i < ntp::most_cookies; ++i)
    common_.keys->seal(*keys, *common_.cipher, *common_.nonces,
                       cookies.subspan(i * size, size));
  auto response = server_.answer(cookies);
  if (!response.refusal) {
    ++common_.counters.exchanges;
    if (wanted.given_keys)
      ++common_.counters.pool_exchanges;
  }
  return response;
}

/// Nothing if the connection is not what it should be.
std::optional<ntp::session_keys>
ke_conversation::session_keys_of(const ntp::ke_cookies_wanted& wanted) {
  if (wanted.given_keys)
    return wanted.given_keys;
  return ntp::derive_session_keys(
    wanted.aead, wanted.own_number,
    [this](auto... what) { return channel_->export_key(what...); });
}

bool ke_conversation::respond(const ntp::ke_response& response) {
  answered_ = true;
  if (response.refusal)
    refused(*response.refusal);
  // One who does not read what it asked for needs no more.
  const bool sent = channel_->send(response.bytes);
  if (sent && !response.close && keep_open())
    return true;
  channel_->finish();
  return false;
}

bool ke_conversation::keep_open() {
  if (!longlived_ && common_.longlived < common_.most_longlived) {
    longlived_ = true;
    ++common_.longlived;
  }
  if (longlived_)
    channel_->extend(idle_limit);
  return longlived_;
}

void ke_conversation::on_peer_finished() {
  if (!answered_)
    refused({ntp::ke_errc::incomplete});
  answered_ = true;
  channel_->finish();
}

void ke_conversation::refused(const ntp::ke_error& error) {
  ++common_.counters.refusals[static_cast<std::size_t>(error.code)];
  log::debug("nts-ke-refused", "client={} reason=\"{}\"",
             channel_->peer().to_string(), ntp::to_string(error));
}

void ke_conversation::on_ended(const ke_channel_end& end) {
  if (!answered_) {
    auto& c = common_.counters;
    if (end.how == ke_ending::tls)
      ++c.tls_failures[static_cast<std::size_t>(end.fault)];
    else if (end.how == ke_ending::timed_out)
      ++c.timed_out;
    else
      ++c.broken;
    log::debug("nts-ke-failed", "client={} reason=\"{}\"",
               channel_->peer().to_string(), end.text);
  }
  const auto over = std::move(over_);
  over();
}

} // namespace concert::actors
