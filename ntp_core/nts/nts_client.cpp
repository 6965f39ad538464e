#include "ntp_core/nts/nts_client.hpp"

#include "ntp_core/crypto/random_octets.hpp"
#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/packet/extension_writer.hpp"

#include <algorithm>
#include <utility>

namespace concert::ntp {

namespace {

/// Zeros after our authenticators. With shorter nonces RFC 8915 §5.6 asks for
/// less but lets us add more; so that all requests have the room of the longest
/// nonce, and the answers too.
constexpr std::size_t padding_of(aead_id id) {
  return 16 - nonce_size(id);
}

/// Octets of a request without cookies and placeholders.
constexpr std::size_t base_size(aead_id id) {
  return header_size + extension_overhead + unique_identifier_size
         + authenticator_size(id, 0, padding_of(id));
}
static_assert(base_size(aead_id::aes_siv_cmac_512) + extension_overhead
                + longest_kept_cookie
              <= nts_client::longest_request);

/// Fields need 16 octets (RFC 7822 §3).
constexpr std::size_t shortest_cookie = 12;

bool can_be_sent(const secret_bytes& cookie) {
  return cookie.size() >= shortest_cookie
         && cookie.size() <= longest_kept_cookie && cookie.size() % 4 == 0;
}

bool fit(const session_keys& keys) {
  const auto size = key_size(keys.aead);
  return keys.c2s.bytes().size() == size && keys.s2c.bytes().size() == size;
}

/// How many placeholders fill the cookies up again, of which `held` are there.
std::size_t placeholders(aead_id id, std::size_t held, std::size_t cookie) {
  const auto room = nts_client::longest_request - base_size(id);
  const auto that_fit = room / (extension_overhead + cookie);
  return std::min(most_cookies - held, that_fit - 1);
}

} // namespace

nts_client::nts_client(aead_cipher& cipher, random_source& random)
  : cipher_(&cipher),
    random_(&random) {
  // nop
}

void nts_client::give(nts_credentials credentials) {
  auto& cookies = credentials.cookies;
  std::erase_if(cookies, [](const auto& c) { return !can_be_sent(c); });
  if (!fit(credentials.keys))
    cookies.clear();
  if (credentials.alternate && !fit(*credentials.alternate))
    credentials.alternate.reset();
  cookies.resize(std::min(cookies.size(), most_cookies));
  credentials_ = std::move(credentials);
  has_left_ = true;
}

bool nts_client::can_ask() const {
  return credentials_ && !credentials_->cookies.empty();
}

std::size_t nts_client::complete_request(std::span<std::byte> packet) {
  keys_ = credentials_->keys;
  has_left_ = false;
  fill_random(identifier_, *random_);
  const auto& cookies = credentials_->cookies;
  const auto& cookie = cookies.front();
  extension_writer fields{packet, header_size};
  fields.add(extension_type::unique_identifier, identifier_);
  fields.add(extension_type::nts_cookie, cookie);
  for (auto n = placeholders(keys_.aead, cookies.size(), cookie.size()); n > 0;
       --n)
    std::ranges::fill(
      fields.add(extension_type::nts_cookie_placeholder, cookie.size()),
      std::byte{});
  const auto offset = fields.size();
  add_authenticator(fields, keys_.aead, 0, padding_of(keys_.aead), *random_);
  seal_authenticator(packet.first(fields.size()), offset, keys_.aead,
                     keys_.c2s.bytes(), *cipher_);
  return fields.size();
}

void nts_client::on_sent() {
  if (std::exchange(has_left_, true))
    return;
  auto& cookies = credentials_->cookies;
  cookies.erase(cookies.begin());
}

nts_client::judgement nts_client::judge(const packet& p,
                                        std::span<const std::byte> bytes) {
  // No answer is longer than its request.
  const auto fields = find_nts_fields(p, bytes);
  if (bytes.size() > longest_request || !fields
      || !std::ranges::equal(fields->unique_identifier, identifier_))
    return judgement::forged;
  if (fields->has_authenticator())
    return open(*fields) ? judgement::authentic : judgement::forged;
  return p.header.stratum == 0 && p.header.reference_id == code_of("NTSN")
           ? judgement::refused
           : judgement::forged;
}

/// Whether the authenticator is right; its cookies are taken then.
bool nts_client::open(const nts_fields& fields) {
  secret_array<longest_request> buffer;
  const auto plaintext
    = std::span{buffer}.first(fields.sealed.size() - aead_tag_size);
  if (!cipher_->open(keys_.aead, keys_.s2c.bytes(), fields.nonce,
                     fields.associated, fields.sealed, plaintext))
    return false;
  const auto inner = read_sealed_fields(plaintext);
  if (!inner)
    return false;
  // Cookies of older keys may have been replaced since.
  if (credentials_ && credentials_->keys == keys_) {
    credentials_->alternate.reset();
    take_cookies(*inner);
  }
  return true;
}

void nts_client::take_cookies(const extension_fields& fields) {
  auto& cookies = credentials_->cookies;
  for (const auto& field : fields) {
    const secret_bytes cookie(field.body.begin(), field.body.end());
    if (field.type == extension_type::nts_cookie
        && cookies.size() < most_cookies && can_be_sent(cookie))
      cookies.push_back(cookie);
  }
}

bool nts_client::on_refusal() {
  if (!credentials_ || credentials_->keys != keys_)
    return false; // others have come since
  if (!credentials_->alternate)
    return true;
  credentials_->keys = *std::exchange(credentials_->alternate, {});
  return false;
}

} // namespace concert::ntp
