#include "ntp_core/nts/ke_client.hpp"

#include "ntp_core/nts/ke_server_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concert::ntp {

namespace {

using type = ke_record_type;

/// The body of the shortest extension field (RFC 7822 §3).
constexpr std::size_t shortest_cookie = 12;

ke_error about(ke_errc code, type record) {
  return {code, static_cast<std::uint16_t>(record)};
}

} // namespace

ke_client::ke_client(ke_client_config config) : config_(std::move(config)) {
  // nop
}

bool ke_client::offers(aead_id id) const {
  return std::ranges::count(config_.aeads, id) > 0;
}

std::vector<std::byte> ke_client::request() const {
  std::vector<std::byte> bytes;
  append_numbers(bytes, type::next_protocol, true, std::array{ke_ntpv4});
  std::vector<std::uint16_t> aeads;
  for (const auto id : config_.aeads)
    aeads.push_back(static_cast<std::uint16_t>(id));
  append_numbers(bytes, type::aead, true, aeads);
  if (offers(aead_id::aes_128_gcm_siv))
    append_record(bytes, type::own_number, false);
  constexpr std::size_t header = 4;
  for (const auto& name : config_.deny) {
    if (bytes.size() + header + name.size() + header > ke_request_budget)
      break;
    append_record(bytes, type::server_deny, false,
                  std::as_bytes(std::span{name}));
  }
  append_record(bytes, type::end_of_message, true);
  return bytes;
}

tl::expected<std::optional<ke_result>, ke_error>
ke_client::on_bytes(std::span<const std::byte> bytes) {
  const auto end = [this](const ke_error& error) {
    over_ = error;
    return tl::unexpected{error};
  };
  if (over_ && !bytes.empty())
    return tl::unexpected{*over_};
  while (!over_) {
    const auto record = reader_.next(bytes);
    if (!record)
      return end(record.error());
    if (!*record)
      break;
    if ((*record)->type != type::end_of_message) {
      if (const auto error = read(**record))
        return end(*error);
      continue;
    }
    if (!bytes.empty())
      return end({ke_errc::trailing_data});
    if (const auto error = judge_whole())
      return end(*error);
    over_ = ke_error{ke_errc::trailing_data};
    result_.own_number &= result_.aead == aead_id::aes_128_gcm_siv;
    return std::move(result_);
  }
  return std::nullopt;
}

/// Nothing if the record is fine (RFC 8915 §4.1).
std::optional<ke_error> ke_client::read(const ke_record& record) {
  switch (record.type) {
    case type::next_protocol:
      return read_protocol(record.body);
    case type::aead:
      return read_aead(record.body);
    case type::error:
    case type::warning:
      if (ke_count_numbers(record.body) != 1)
        return about(ke_errc::record_length, record.type);
      return ke_error{record.type == type::error ? ke_errc::peer_error
                                                 : ke_errc::peer_warning,
                      ke_number(record.body, 0)};
    case type::new_cookie:
      return read_cookie(record.body);
    case type::ntp_server:
      return read_server(record.body);
    case type::ntp_port:
      return read_port(record.body);
    case type::own_number:
      result_.own_number = true;
      return std::nullopt;
    default:
      if (record.critical)
        return about(ke_errc::unknown_critical, record.type);
      return std::nullopt;
  }
}

std::optional<ke_error>
ke_client::read_protocol(std::span<const std::byte> body) {
  if (!seen_.insert(type::next_protocol))
    return about(ke_errc::duplicate_record, type::next_protocol);
  if (body.empty())
    return ke_error{ke_errc::no_common_protocol};
  if (ke_count_numbers(body) != 1)
    return about(ke_errc::record_length, type::next_protocol);
  if (const auto chosen = ke_number(body, 0); chosen != ke_ntpv4)
    return ke_error{ke_errc::wrong_protocol, chosen};
  return std::nullopt;
}

std::optional<ke_error> ke_client::read_aead(std::span<const std::byte> body) {
  if (!seen_.insert(type::aead))
    return about(ke_errc::duplicate_record, type::aead);
  if (body.empty())
    return ke_error{ke_errc::no_common_aead};
  if (ke_count_numbers(body) != 1)
    return about(ke_errc::record_length, type::aead);
  const auto chosen = ke_number(body, 0);
  const auto id = to_aead(chosen);
  if (!id || !offers(*id))
    return ke_error{ke_errc::wrong_aead, chosen};
  result_.aead = *id;
  return std::nullopt;
}

/// Judges those, too, that we do not keep.
std::optional<ke_error>
ke_client::read_cookie(std::span<const std::byte> body) {
  if (body.size() < shortest_cookie || body.size() % 4 != 0)
    return ke_error{ke_errc::cookie_length,
                    static_cast<std::uint16_t>(body.size())};
  if (result_.cookies.size() < most_cookies)
    result_.cookies.emplace_back(body.begin(), body.end());
  return std::nullopt;
}

std::optional<ke_error>
ke_client::read_server(std::span<const std::byte> body) {
  if (!seen_.insert(type::ntp_server))
    return about(ke_errc::duplicate_record, type::ntp_server);
  for (const auto octet : body)
    result_.server.push_back(std::to_integer<char>(octet));
  if (!is_ke_server_name(result_.server))
    return ke_error{ke_errc::server_name};
  return std::nullopt;
}

std::optional<ke_error> ke_client::read_port(std::span<const std::byte> body) {
  if (!seen_.insert(type::ntp_port))
    return about(ke_errc::duplicate_record, type::ntp_port);
  if (ke_count_numbers(body) != 1)
    return about(ke_errc::record_length, type::ntp_port);
  result_.port = ke_number(body, 0);
  if (result_.port == 0)
    return ke_error{ke_errc::server_port};
  return std::nullopt;
}

std::optional<ke_error> ke_client::judge_whole() const {
  for (const auto needed : {type::next_protocol, type::aead})
    if (!seen_.contains(needed))
      return about(ke_errc::missing_record, needed);
  if (result_.cookies.empty())
    return ke_error{ke_errc::no_cookies};
  return std::nullopt;
}

} // namespace concert::ntp
