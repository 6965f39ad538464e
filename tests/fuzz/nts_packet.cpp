// Whatever arrives: the NTS fields that are found lie in the packet, in their
// order, and nothing follows the authenticator; what a client sent is found as
// it was made, and an answer that was changed in any octet is never believed.

#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/nts/nts_client.hpp"
#include "ntp_core/nts/nts_fields.hpp"
#include "ntp_core/packet/extension_writer.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace concert::ntp {

namespace {

using bytes_view = std::span<const std::byte>;

void require(bool condition) {
  if (!condition)
    std::abort();
}

void require_inside(bytes_view part, bytes_view whole) {
  require(part.empty()
          || (part.data() >= whole.data()
              && part.data() + part.size() <= whole.data() + whole.size()));
}

void check_sealed_fields(bytes_view plaintext) {
  const auto fields = read_sealed_fields(plaintext);
  if (!fields)
    return;
  std::size_t total = 0;
  for (const auto& field : *fields) {
    require_inside(field.body, plaintext);
    require(field.type != extension_type::nts_authenticator);
    total += field.body.size() + extension_overhead;
  }
  require(total == plaintext.size());
}

/// Reads octets that may be anything.
void check_reading(bytes_view bytes) {
  check_sealed_fields(bytes);
  const auto p = parse_packet(bytes);
  if (!p)
    return;
  const auto f = find_nts_fields(*p, bytes);
  if (!f)
    return;
  require(!p->mac && f->unique_identifier.size() >= unique_identifier_size);
  require_inside(f->unique_identifier, bytes);
  require_inside(f->cookie, bytes);
  if (!f->has_authenticator())
    return;
  require(f->associated.data() == bytes.data());
  const auto* field = f->associated.data() + f->associated.size();
  require(f->unique_identifier.data() < field);
  require(f->nonce.data() == field + 8 && !f->nonce.empty());
  require(f->sealed.size() >= aead_tag_size);
  require(f->sealed.data() >= f->nonce.data() + f->nonce.size());
  require_inside(f->sealed, bytes);
  require(f->nonce_room >= f->nonce.size());
}

session_keys keys_for(aead_id id) {
  std::array<std::byte, 64> key{};
  key.fill(std::byte{1});
  const aead_key c2s{std::span{key}.first(key_size(id))};
  key.fill(std::byte{2});
  return {id, c2s, aead_key{std::span{key}.first(key_size(id))}};
}

class conversation {
public:
  conversation(std::uint8_t choice, std::size_t cookie)
    : keys_(keys_for(static_cast<aead_id>(
      std::array{15, 16, 17, 30}.at(choice % std::size_t{4})))) {
    nts_credentials credentials{keys_, {}, {}};
    for (int i = 0; i <= choice / 4 % 8; ++i)
      credentials.cookies.emplace_back(cookie, std::byte{7});
    client_.give(std::move(credentials));
  }

  bool can_ask() const { return client_.can_ask(); }

  void ask() {
    encode(packet_header{}, std::span{request_}.first<header_size>());
    size_ = client_.complete_request(request_);
    client_.on_sent();
    require(size_ <= request_.size());
    const auto bytes = bytes_view{request_}.first(size_);
    const auto p = parse_packet(bytes);
    require(p.has_value());
    const auto f = find_nts_fields(*p, bytes);
    require(f && f->has_authenticator() && f->is_padded_for(keys_.aead));
    require(!f->cookie.empty() && f->placeholders < most_cookies);
    require(cipher_.open(keys_.aead, keys_.c2s.bytes(), f->nonce, f->associated,
                         f->sealed, {}));
    identifier_.assign(f->unique_identifier.begin(),
                       f->unique_identifier.end());
  }

  /// An answer whose sealed part is `inner`, cut to words.
  std::vector<std::byte> answer(bytes_view inner) {
    inner = inner.first(std::min<std::size_t>(inner.size(), 1000) / 4 * 4);
    std::vector<std::byte> bytes(nts_client::longest_request);
    packet_header h;
    h.mode = packet_mode::server;
    encode(h, std::span{bytes}.first<header_size>());
    extension_writer fields{bytes, header_size};
    fields.add(extension_type::unique_identifier, identifier_);
    const auto offset = fields.size();
    std::ranges::copy(
      inner,
      add_authenticator(fields, keys_.aead, inner.size(), 0, random_).begin());
    bytes.resize(fields.size());
    seal_authenticator(bytes, offset, keys_.aead, keys_.s2c.bytes(), cipher_);
    return bytes;
  }

  nts_client::judgement judge(bytes_view bytes) {
    const auto held = client_.credentials()->cookies.size();
    const auto p = parse_packet(bytes);
    const auto verdict
      = p ? client_.judge(*p, bytes) : nts_client::judgement::forged;
    const auto& cookies = client_.credentials()->cookies;
    require(cookies.size() <= most_cookies);
    require(verdict == nts_client::judgement::authentic
            || cookies.size() == held);
    return verdict;
  }

private:
  test::toy_cipher cipher_;
  test::seeded_random random_;
  session_keys keys_;
  nts_client client_{cipher_, random_};
  std::array<std::byte, nts_client::longest_request> request_{};
  std::size_t size_ = 0;
  std::vector<std::byte> identifier_;
};

} // namespace

/// Two octets choose keys and cookies, two where and one how an answer is
/// changed; the rest is read as a packet, as an answer and as its sealed part.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto all = std::as_bytes(std::span{data, size});
  check_reading(all);
  if (size < 5)
    return 0;
  const auto rest = all.subspan(5);
  check_reading(rest);
  conversation c{data[0], std::size_t{data[1]} * 4};
  if (!c.can_ask())
    return 0;
  c.ask();
  require(c.judge(rest) != nts_client::judgement::authentic);
  const auto good = c.answer(rest);
  auto bad = good;
  const auto place = (std::size_t{data[2]} << 8 | data[3]) % bad.size();
  bad[place] ^= std::byte{data[4]};
  if (data[4] != 0)
    require(c.judge(bad) != nts_client::judgement::authentic);
  const auto sealed
    = rest.first(std::min<std::size_t>(rest.size(), 1000) / 4 * 4);
  require((c.judge(good) == nts_client::judgement::authentic)
          == read_sealed_fields(sealed).has_value());
  return 0;
}

} // namespace concert::ntp
