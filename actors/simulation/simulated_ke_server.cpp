#include "actors/simulation/simulated_ke_server.hpp"

#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/nts/record.hpp"
#include "ntp_core/nts/session_keys.hpp"
#include "platform/aead.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace concert::actors {

namespace {

using octets = std::span<const std::byte>;
using type = ntp::ke_record_type;

void for_each_record(octets message,
                     const std::function<void(const ntp::ke_record&)>& f) {
  ntp::ke_record_reader reader{ntp::ke_request_limit};
  for (auto r = reader.next(message); r && *r; r = reader.next(message))
    f(**r);
}

/// As a program that knows nothing of record 1024 reads it.
std::vector<std::byte> without_own_number(octets message) {
  std::vector<std::byte> result;
  for_each_record(message, [&](const ntp::ke_record& r) {
    if (r.type != type::own_number)
      ntp::append_record(result, r.type, r.critical, r.body);
  });
  return result;
}

std::vector<std::byte> without_cookies(ntp::aead_id aead) {
  std::vector<std::byte> result;
  ntp::append_numbers(result, type::next_protocol, true,
                      std::array{ntp::ke_ntpv4});
  ntp::append_numbers(result, type::aead, true,
                      std::array{static_cast<std::uint16_t>(aead)});
  ntp::append_record(result, type::end_of_message, true);
  return result;
}

} // namespace

simulated_ke_server::simulated_ke_server(simulated_key_exchange& network,
                                         const std::string& endpoint,
                                         std::uint64_t seed)
  : cipher_(platform::aead::make().value()),
    nonces_(seed) {
  network.serve(endpoint, [this](std::unique_ptr<ke_channel> channel) {
    serve(std::move(channel));
  });
}

std::vector<std::string> simulated_ke_server::denials(octets request) {
  std::vector<std::string> names;
  for_each_record(request, [&](const ntp::ke_record& r) {
    if (r.type == type::server_deny)
      std::ranges::transform(
        r.body, std::back_inserter(names.emplace_back()),
        [](std::byte b) { return std::to_integer<char>(b); });
  });
  return names;
}

void simulated_ke_server::serve(std::unique_ptr<ke_channel> channel) {
  talks_.push_back(std::move(channel));
  const auto here = std::prev(talks_.end());
  (*here)->start(
    {.ready = {},
     .received = [this, here](octets request) { answer(**here, request); },
     .peer_finished = {},
     .ended = [this, here](const ke_channel_end&) { talks_.erase(here); }});
}

void simulated_ke_server::answer(ke_channel& channel, octets request) {
  requests_.emplace_back(request.begin(), request.end());
  if (stalls)
    return;
  channel.send(response(channel, request));
  channel.finish();
}

std::vector<std::byte> simulated_ke_server::response(ke_channel& channel,
                                                     octets request) {
  auto c = std::make_shared<ntp::ke_server_config>(config);
  if (!members.empty()) {
    const auto denied
      = heeds_denials ? denials(request) : std::vector<std::string>{};
    const auto chosen = std::ranges::find_if(members, [&](const auto& m) {
      return std::ranges::find(denied, m) == denied.end();
    });
    c->ntp_server = chosen == members.end() ? members.front() : *chosen;
  }
  const auto understood = own_number == number_use::agreed
                            ? std::vector(request.begin(), request.end())
                            : without_own_number(request);
  ntp::ke_server server{c};
  octets rest{understood};
  const auto action = server.on_bytes(rest);
  if (const auto* refusal = std::get_if<ntp::ke_response>(&action))
    return refusal->bytes;
  const auto& wanted = std::get<ntp::ke_cookies_wanted>(action);
  if (no_cookies)
    return without_cookies(wanted.aead);
  if (!keys)
    return server.fail().bytes;
  return server.answer(cookies(channel, wanted)).bytes;
}

std::vector<std::byte>
simulated_ke_server::cookies(ke_channel& channel,
                             const ntp::ke_cookies_wanted& wanted) {
  const auto session = ntp::derive_session_keys(
    wanted.aead, wanted.own_number || own_number == number_use::silent_own,
    [&](auto... what) { return channel.export_key(what...); });
  const auto size = ntp::cookie_size(wanted.aead);
  std::vector<std::byte> result(ntp::most_cookies * size);
  for (std::size_t i = 0; i < ntp::most_cookies; ++i)
    keys->seal(session.value(), *cipher_, nonces_,
               std::span{result}.subspan(i * size, size));
  return result;
}

} // namespace concert::actors
