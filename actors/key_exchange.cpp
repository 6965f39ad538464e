#include "actors/key_exchange.hpp"

#include "ntp_core/nts/session_keys.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

template <class F>
auto key_exchange::guarded(F f) {
  return [weak = weak_from_this(), f = std::move(f)](auto&&... args) {
    const auto self = weak.lock();
    if (self && !self->over_)
      f(*self, std::forward<decltype(args)>(args)...);
  };
}

key_exchange::key_exchange(runtime& world, key_exchange_options options,
                           listener done)
  : world_(world),
    options_(std::move(options)),
    done_(std::move(done)),
    client_(options_.client) {
  // nop
}

std::shared_ptr<key_exchange> key_exchange::start(runtime& world,
                                                  key_exchange_options options,
                                                  listener done) {
  std::shared_ptr<key_exchange> self{
    new key_exchange{world, std::move(options), std::move(done)}};
  self->resolve(self->options_.server.host, &key_exchange::on_host);
  return self;
}

std::shared_ptr<key_exchange> key_exchange::resume(runtime& world,
                                                   key_exchange_options options,
                                                   ntp::cookie_jar jar,
                                                   listener done) {
  std::shared_ptr<key_exchange> self{
    new key_exchange{world, std::move(options), std::move(done)}};
  self->keys_.credentials = std::move(jar.credentials);
  self->keys_.server = std::move(jar.origin.server);
  self->keys_.port = jar.origin.port;
  const auto& name = self->keys_.server;
  self->resolve(name.empty() ? self->options_.server.host : name,
                &key_exchange::on_server);
  return self;
}

void key_exchange::resolve(
  const std::string& host,
  void (key_exchange::*then)(std::vector<ntp::ip_address>)) {
  world_.resolve(
    host, guarded([host, then](key_exchange& self,
                               platform::result<platform::resolution> answer) {
      if (!answer)
        self.fail(answer.error().text);
      else if (answer->addresses.empty())
        self.fail("there is no address of " + host);
      else
        (self.*then)(std::move(answer->addresses));
    }));
}

// -- the connection -----------------------------------------------------------

void key_exchange::on_host(std::vector<ntp::ip_address> addresses) {
  addresses_ = std::move(addresses);
  if (options_.avoided)
    std::stable_partition(
      addresses_.begin(), addresses_.end(),
      [&](const auto& a) { return a != *options_.avoided; });
  try_next_address({});
}

void key_exchange::try_next_address(const std::string& problem) {
  channel_.reset();
  if (next_address_ >= std::min(addresses_.size(), most_addresses)) {
    fail(problem);
    return;
  }
  const ntp::endpoint address{addresses_[next_address_++],
                              options_.server.port};
  world_.connect_ke(
    {.host = options_.server.host,
     .address = address,
     .certificate_authorities = options_.certificate_authorities,
     .judged_at = options_.judged_at},
    guarded([](key_exchange& self,
               platform::result<std::unique_ptr<ke_channel>> made) {
      if (made)
        self.on_channel(std::move(*made));
      else
        self.fail(made.error().text);
    }));
}

void key_exchange::on_channel(std::unique_ptr<ke_channel> channel) {
  channel_ = std::move(channel);
  channel_->start(
    {.ready = guarded([](key_exchange& self) { self.on_ready(); }),
     .received
     = guarded([](key_exchange& self, std::span<const std::byte> plaintext) {
         self.on_received(plaintext);
       }),
     .peer_finished
     = guarded([](key_exchange& self) { self.on_peer_finished(); }),
     .ended = guarded([](key_exchange& self, const ke_channel_end& end) {
       self.on_ended(end);
     })});
}

void key_exchange::on_ready() {
  connected_ = true;
  if (!channel_->send(client_.request()))
    fail("the request could not be sent");
}

void key_exchange::on_received(std::span<const std::byte> plaintext) {
  if (exchanged_)
    return;
  auto result = client_.on_bytes(plaintext);
  if (!result)
    fail(to_string(result.error()));
  else if (*result)
    on_result(std::move(**result));
}

void key_exchange::on_peer_finished() {
  if (!exchanged_)
    fail(std::string{to_string(ntp::ke_errc::incomplete)});
}

void key_exchange::on_ended(const ke_channel_end& end) {
  if (exchanged_)
    return;
  // Behind another address of a server that was reached, the same trouble
  // waits.
  const bool reached
    = connected_
      || (end.how != ke_ending::unreachable && end.how != ke_ending::timed_out);
  if (reached)
    fail(end.text);
  else
    try_next_address(end.text);
}

// -- the keys -----------------------------------------------------------------

void key_exchange::on_result(ntp::ke_result result) {
  exchanged_ = true;
  auto keys = derive(result.aead, result.own_number);
  if (!keys) {
    fail("the keys could not be derived");
    return;
  }
  auto& credentials = keys_.credentials;
  credentials.keys = *keys;
  // Who says nothing of its number may mean either.
  if (result.aead == ntp::aead_id::aes_128_gcm_siv && !result.own_number)
    credentials.alternate = derive(result.aead, true);
  credentials.cookies = std::move(result.cookies);
  keys_.port = result.port;
  const auto peer = channel_->peer().address;
  channel_->finish();
  if (!result.server.empty() && result.server != options_.server.host) {
    keys_.server = std::move(result.server);
    resolve(keys_.server, &key_exchange::on_server);
    return;
  }
  // Several machines may share the name, and this one has the cookies' keys.
  std::erase(addresses_, peer);
  addresses_.insert(addresses_.begin(), peer);
  keys_.addresses = std::move(addresses_);
  succeed();
}

std::optional<ntp::session_keys> key_exchange::derive(ntp::aead_id aead,
                                                      bool own_number) {
  return ntp::derive_session_keys(aead, own_number, [this](auto... what) {
    return channel_->export_key(what...);
  });
}

void key_exchange::on_server(std::vector<ntp::ip_address> addresses) {
  if (const auto best
      = options_.preferred
          ? std::find(addresses.begin(), addresses.end(), *options_.preferred)
          : addresses.end();
      best != addresses.end())
    std::rotate(addresses.begin(), best, best + 1);
  keys_.addresses = std::move(addresses);
  succeed();
}

void key_exchange::succeed() {
  over_ = true;
  done_(std::move(keys_));
}

void key_exchange::fail(std::string problem) {
  over_ = true;
  channel_.reset();
  done_(tl::unexpected{std::move(problem)});
}

} // namespace concert::actors
