#include "ntp_core/nts/ke_server.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concert::ntp {

namespace {

using type = ke_record_type;

ke_error about(ke_errc code, type record) {
  return {code, static_cast<std::uint16_t>(record)};
}

void append_number(std::vector<std::byte>& out, type t, std::uint16_t number) {
  append_numbers(out, t, true, std::array{number});
}

/// Takes as long for every token of the length of `given`.
bool same_octets(std::string_view token, std::span<const std::byte> given) {
  if (token.size() != given.size())
    return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(token[i])
                  ^ std::to_integer<unsigned>(given[i]);
  return difference == 0;
}

} // namespace

ke_server::ke_server(std::shared_ptr<const ke_server_config> config)
  : config_(std::move(config)) {
  // nop
}

ke_server_action ke_server::on_bytes(std::span<const std::byte>& bytes) {
  auto action = take(bytes);
  if (state_ == state::over)
    bytes = {};
  return action;
}

ke_server_action ke_server::take(std::span<const std::byte>& bytes) {
  while (state_ == state::reading) {
    const auto record = reader_.next(bytes);
    if (!record)
      return refuse(record.error());
    if (!*record)
      break;
    if ((*record)->type == type::end_of_message) {
      if (!bytes.empty() && !stays_open())
        return refuse({ke_errc::trailing_data});
      return decide();
    }
    if (const auto error = read(**record))
      return refuse(*error);
  }
  return ke_need_more{};
}

/// Nothing if the record is fine (RFC 8915 §4.1).
std::optional<ke_error> ke_server::read(const ke_record& record) {
  switch (record.type) {
    case type::next_protocol:
      return read_protocols(record.body);
    case type::aead:
      return read_aeads(record.body);
    case type::error:
    case type::warning:
    case type::new_cookie:
      return about(ke_errc::unexpected_record, record.type);
    case type::own_number:
      request_.own_number = true;
      return std::nullopt;
    case type::keep_alive:
      request_.keep_alive = true;
      return std::nullopt;
    case type::ntp_server: // a wish
    case type::ntp_port:
    case type::server_deny: // we have no other
      return std::nullopt;
    case type::supported_protocols:
    case type::supported_aeads:
    case type::fixed_keys:
      return read_pool_record(record);
    case type::authentication_token:
      request_.good_token = is_good_token(record.body);
      return std::nullopt;
    default:
      if (record.critical)
        return about(ke_errc::unknown_critical, record.type);
      return std::nullopt;
  }
}

std::optional<ke_error>
ke_server::read_protocols(std::span<const std::byte> body) {
  if (!request_.seen.insert(type::next_protocol))
    return about(ke_errc::duplicate_record, type::next_protocol);
  request_.protocols = ke_count_numbers(body);
  if (request_.protocols == 0)
    return about(ke_errc::record_length, type::next_protocol);
  for (std::size_t i = 0; i < request_.protocols; ++i)
    request_.ntpv4 |= ke_number(body, i) == ke_ntpv4;
  return std::nullopt;
}

std::optional<ke_error> ke_server::read_aeads(std::span<const std::byte> body) {
  if (!request_.seen.insert(type::aead))
    return about(ke_errc::duplicate_record, type::aead);
  request_.aeads = ke_count_numbers(body);
  if (request_.aeads == 0)
    return about(ke_errc::record_length, type::aead);
  for (std::size_t i = 0; i < request_.aeads && !request_.aead; ++i) {
    const auto offered = to_aead(ke_number(body, i));
    if (offered && std::ranges::count(config_->aeads, *offered) > 0)
      request_.aead = offered;
  }
  return std::nullopt;
}

/// Kept until the end of the message: the token may follow.
std::optional<ke_error> ke_server::read_pool_record(const ke_record& record) {
  if (!request_.seen.insert(record.type))
    return about(ke_errc::duplicate_record, record.type);
  request_.pool_record = true;
  if (record.critical && !request_.critical_pool_record)
    request_.critical_pool_record = record.type;
  if (record.type == type::fixed_keys) {
    request_.keys = secret<128>{record.body};
    request_.keys_size = record.body.size();
  }
  return std::nullopt;
}

bool ke_server::is_good_token(std::span<const std::byte> token) const {
  bool good = false;
  for (const auto& accepted : config_->pool_tokens)
    good |= !accepted.empty() && same_octets(accepted, token);
  return good;
}

/// Whether the connection stays open after the answer to this request.
bool ke_server::stays_open() const {
  return request_.keep_alive && request_.pool_record
         && request_.good_token.value_or(trusted_)
         && answered_ + 1 < config_->pool_requests;
}

ke_server_action ke_server::decide() {
  trusted_ = request_.good_token.value_or(trusted_);
  if (request_.pool_record && !trusted_) {
    if (request_.critical_pool_record)
      return refuse(
        about(ke_errc::not_permitted, *request_.critical_pool_record));
    request_.pool_record = false; // as if we did not know them
  } else if (request_.seen.contains(type::supported_protocols)
             || request_.seen.contains(type::supported_aeads)) {
    return supported_lists();
  }
  return negotiate();
}

ke_server_action ke_server::negotiate() {
  if (!request_.seen.contains(type::next_protocol))
    return refuse(about(ke_errc::missing_record, type::next_protocol));
  if (request_.ntpv4 && !request_.seen.contains(type::aead))
    return refuse(about(ke_errc::missing_record, type::aead));
  if (const auto error = judge_pool())
    return refuse(*error);
  if (!request_.ntpv4)
    return none_in_common(ke_errc::no_common_protocol);
  if (!request_.aead)
    return none_in_common(ke_errc::no_common_aead);

  ke_cookies_wanted wanted;
  wanted.aead = *request_.aead;
  request_.own_number &= wanted.aead == aead_id::aes_128_gcm_siv;
  wanted.own_number = request_.own_number;
  if (request_.pool_record) {
    const auto size = key_size(wanted.aead);
    if (request_.keys_size != 2 * size)
      return refuse(
        {ke_errc::key_length, static_cast<std::uint16_t>(request_.keys_size)});
    const auto keys = request_.keys.bytes();
    wanted.given_keys = session_keys{wanted.aead, aead_key{keys.first(size)},
                                     aead_key{keys.last(size)}};
  }
  state_ = state::cookies_wanted;
  return wanted;
}

/// What a request with a pool's keys must be like, and what one without them
/// must not follow: the connection's own keys are for one client alone.
std::optional<ke_error> ke_server::judge_pool() {
  if (!request_.pool_record) {
    if (answered_ > 0)
      return about(ke_errc::missing_record, type::fixed_keys);
    return std::nullopt;
  }
  if (request_.protocols != 1)
    return about(ke_errc::record_length, type::next_protocol);
  if (request_.aeads > 1)
    return about(ke_errc::record_length, type::aead);
  return std::nullopt;
}

/// What a pool may offer to clients in our name.
ke_response ke_server::supported_lists() {
  for (const auto other : {type::next_protocol, type::aead, type::fixed_keys})
    if (request_.seen.contains(other))
      return refuse(about(ke_errc::unexpected_record, other));
  std::vector<std::byte> bytes;
  if (request_.seen.contains(type::supported_protocols))
    append_number(bytes, type::supported_protocols, ke_ntpv4);
  if (request_.seen.contains(type::supported_aeads)) {
    std::vector<std::uint16_t> pairs;
    for (const auto id : config_->aeads) {
      pairs.push_back(static_cast<std::uint16_t>(id));
      pairs.push_back(static_cast<std::uint16_t>(key_size(id)));
    }
    append_numbers(bytes, type::supported_aeads, true, pairs);
  }
  return finish(std::move(bytes), std::nullopt);
}

/// An empty list is the answer (RFC 8915 §4.1.2, §4.1.5).
ke_response ke_server::none_in_common(ke_errc what) {
  std::vector<std::byte> bytes;
  if (what == ke_errc::no_common_protocol) {
    append_record(bytes, type::next_protocol, true);
  } else {
    append_number(bytes, type::next_protocol, ke_ntpv4);
    append_record(bytes, type::aead, true);
  }
  return finish(std::move(bytes), ke_error{what});
}

ke_response ke_server::answer(std::span<const std::byte> cookies) {
  const auto size = cookies.size() / most_cookies;
  if (state_ != state::cookies_wanted || size == 0
      || cookies.size() != size * most_cookies)
    return fail();
  std::vector<std::byte> bytes;
  bytes.reserve(cookies.size() + 512);
  append_number(bytes, type::next_protocol, ke_ntpv4);
  append_number(bytes, type::aead, static_cast<std::uint16_t>(*request_.aead));
  if (request_.own_number)
    append_record(bytes, type::own_number, false);
  if (!config_->ntp_server.empty())
    append_record(bytes, type::ntp_server, true,
                  std::as_bytes(std::span{config_->ntp_server}));
  if (config_->ntp_port != 0)
    append_number(bytes, type::ntp_port, config_->ntp_port);
  for (auto rest = cookies; !rest.empty(); rest = rest.subspan(size))
    append_record(bytes, type::new_cookie, false, rest.first(size));
  return finish(std::move(bytes), std::nullopt);
}

ke_response ke_server::fail() {
  return refuse({ke_errc::internal});
}

ke_response ke_server::refuse(const ke_error& error) {
  std::vector<std::byte> bytes;
  append_number(bytes, type::error, error_record_number(error.code));
  request_.keep_alive = false;
  return finish(std::move(bytes), error);
}

/// Ends the message, and the connection or the request.
ke_response ke_server::finish(std::vector<std::byte> bytes,
                              std::optional<ke_error> refusal) {
  const bool open = stays_open();
  if (open)
    append_record(bytes, type::keep_alive, false);
  append_record(bytes, type::end_of_message, true);
  ++answered_;
  state_ = open ? state::reading : state::over;
  request_ = {};
  reader_.start_message();
  return {std::move(bytes), !open, refusal};
}

} // namespace concert::ntp
