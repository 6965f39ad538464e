#include "ntp_core/responder/nts_server.hpp"

#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/packet/extension_writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace concert::ntp {

namespace {

using namespace std::chrono_literals;

/// One refusal each so many, and as many at once as come in a second.
constexpr auto refusal_spacing = 10ms;
constexpr auto refusal_depth = 1s;

} // namespace

bool nts_server::concerns(const packet& p) {
  return p.extensions.contain(extension_type::nts_cookie)
         || p.extensions.contain(extension_type::nts_authenticator);
}

reason nts_server::judge(const packet& p, std::span<const std::byte> bytes,
                         std::span<std::byte> scratch) {
  if (!keys_ || cipher_ == nullptr || random_ == nullptr
      || p.header.mode != packet_mode::client)
    return reason::malformed;
  const auto fields = find_nts_fields(p, bytes);
  if (!fields || fields->cookie.empty() || !fields->has_authenticator())
    return reason::malformed;
  auto session = keys_->open(fields->cookie, *cipher_);
  if (session && !fields->is_padded_for(session->aead))
    return reason::malformed;
  request_ = nts_request{*fields, std::nullopt};
  if (!session)
    return reason::nts_cookie;
  const auto plaintext = scratch.first(fields->sealed.size() - aead_tag_size);
  if (!cipher_->open(session->aead, session->c2s.bytes(), fields->nonce,
                     fields->associated, fields->sealed, plaintext))
    return reason::nts_forged;
  // What they say is of no use to us: placeholders only count in the open.
  if (!read_sealed_fields(plaintext))
    return reason::malformed;
  request_->keys = std::move(session);
  return reason::nts;
}

bool nts_server::may_refuse(mono_time now) {
  const auto full_at = std::max(refusals_full_at_, now) + refusal_spacing;
  if (full_at - now > refusal_depth)
    return false;
  refusals_full_at_ = full_at;
  return true;
}

std::size_t nts_server::complete_reply(std::size_t limit,
                                       std::span<std::byte> out,
                                       std::size_t used) {
  const auto& asked = request_->fields;
  extension_writer fields{out, used};
  fields.add(extension_type::unique_identifier, asked.unique_identifier);
  if (!request_->keys)
    return fields.size();
  const auto& session = *request_->keys;
  const auto offset = fields.size();
  const auto each = extension_overhead + cookie_size(session.aead);
  const auto least = offset + authenticator_size(session.aead, 0);
  const auto cookies
    = std::min({most_cookies, 1 + asked.placeholders,
                limit > least ? (limit - least) / each : std::size_t{0}});
  extension_writer sealed{
    add_authenticator(fields, session.aead, cookies * each, 0, *random_), 0};
  for (std::size_t i = 0; i < cookies; ++i)
    keys_->seal(
      session, *cipher_, *random_,
      sealed.add(extension_type::nts_cookie, cookie_size(session.aead)));
  unsealed_.resize(most_unsealed);
  last_ticket_ = std::max(last_ticket_ + 1, std::uint32_t{1});
  unsealed_[last_ticket_ % most_unsealed]
    = {last_ticket_, offset, session.aead, session.s2c};
  return fields.size();
}

void nts_server::seal(std::uint32_t ticket, std::span<std::byte> bytes) const {
  const auto& s = unsealed_[ticket % most_unsealed];
  if (s.ticket == ticket)
    seal_authenticator(bytes, s.offset, s.aead, s.key.bytes(), *cipher_);
}

} // namespace concert::ntp
