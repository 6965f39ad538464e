#include "tools/ntp_load/nts_requests.hpp"

#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/nts/nts_fields.hpp"
#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/extension_writer.hpp"
#include "ntp_core/packet/packet.hpp"
#include "platform/aead.hpp"
#include "platform/nonce_source.hpp"
#include "tools/ntp_load/random.hpp"

#include <algorithm>
#include <utility>

namespace concert::load {

namespace {

constexpr std::size_t identifier_size = ntp::unique_identifier_size;

std::size_t request_size(const nts_session& s, std::size_t cookie) {
  return ntp::header_size + ntp::extension_overhead + identifier_size
         + ntp::extension_overhead + cookie
         + ntp::authenticator_size(s.keys.aead, 0);
}

} // namespace

platform::result<nts_requests>
nts_requests::make(std::vector<nts_session> sessions) {
  const auto invalid = [](const char* text) {
    return tl::unexpected{platform::error{platform::errc::invalid, text}};
  };
  if (sessions.empty() || sessions.front().cookies.empty())
    return invalid("there is no session with a cookie");
  const auto size
    = request_size(sessions.front(), sessions.front().cookies.front().size());
  for (const auto& s : sessions)
    for (const auto& cookie : s.cookies)
      if (request_size(s, cookie.size()) != size)
        return invalid("the server's cookies have different sizes");
  auto cipher = platform::aead::make();
  auto random = platform::nonce_source::make();
  if (!cipher || !random)
    return tl::unexpected{cipher ? random.error() : cipher.error()};
  nts_requests made{std::move(sessions), std::move(*cipher),
                    std::move(*random)};
  made.size_ = size;
  return made;
}

nts_requests::nts_requests(std::vector<nts_session> sessions,
                           std::unique_ptr<ntp::aead_cipher> cipher,
                           std::unique_ptr<ntp::random_source> random)
  : sessions_(std::move(sessions)),
    cipher_(std::move(cipher)),
    random_(std::move(random)),
    seed_(random_->next()) {
}

const nts_session& nts_requests::session_of(std::uint64_t transmit) const {
  return sessions_[fast_random{transmit}.next() % sessions_.size()];
}

nts_requests::identifier
nts_requests::identifier_of(std::uint64_t transmit) const {
  identifier id;
  fast_random words{transmit ^ seed_};
  for (std::size_t at = 0; at < id.size(); at += sizeof(std::uint64_t))
    ntp::write_big_endian(id, at, words.next());
  return id;
}

void nts_requests::complete(std::span<std::byte> bytes,
                            std::uint64_t transmit) {
  const auto& session = session_of(transmit);
  const auto& cookie
    = session.cookies[random_->next() % session.cookies.size()];
  ntp::extension_writer fields{bytes, ntp::header_size};
  fields.add(ntp::extension_type::unique_identifier, identifier_of(transmit));
  fields.add(ntp::extension_type::nts_cookie, cookie);
  const auto offset = fields.size();
  ntp::add_authenticator(fields, session.keys.aead, 0, 0, *random_);
  ntp::seal_authenticator(bytes, offset, session.keys.aead,
                          session.keys.c2s.bytes(), *cipher_);
}

bool nts_requests::is_ours(std::span<const std::byte> bytes,
                           std::uint64_t transmit) const {
  const auto p = ntp::parse_packet(bytes);
  if (!p)
    return false;
  const auto found = ntp::find_nts_fields(*p, bytes);
  return found
         && std::ranges::equal(found->unique_identifier,
                               identifier_of(transmit));
}

bool nts_requests::is_authentic(std::span<const std::byte> bytes,
                                std::uint64_t transmit) {
  if (!is_ours(bytes, transmit))
    return false;
  const auto found = ntp::find_nts_fields(*ntp::parse_packet(bytes), bytes);
  if (!found->has_authenticator())
    return false;
  const auto& keys = session_of(transmit).keys;
  std::array<std::byte, 2048> buffer;
  const auto octets = found->sealed.size() - ntp::aead_tag_size;
  if (octets > buffer.size())
    return false;
  const auto plaintext = std::span{buffer}.first(octets);
  if (!cipher_->open(keys.aead, keys.s2c.bytes(), found->nonce,
                     found->associated, found->sealed, plaintext))
    return false;
  const auto sealed = ntp::read_sealed_fields(plaintext);
  return sealed && sealed->contain(ntp::extension_type::nts_cookie);
}

} // namespace concert::load
