#include "ntp_core/nts/nts_fields.hpp"

#include "ntp_core/packet/bytes.hpp"

#include <cstdint>

namespace concert::ntp {

namespace {

/// Before nonce and ciphertext: the octets of each.
constexpr std::size_t lengths_size = 4;

/// With the padding to a multiple of 4. The lengths on the wire have 16 bits,
/// which this may leave.
constexpr std::size_t padded(std::size_t length) {
  return (length + 3) / 4 * 4;
}

bool read_authenticator(std::span<const std::byte> body, nts_fields& f) {
  if (body.size() < lengths_size)
    return false;
  const std::size_t nonce = read_big_endian<std::uint16_t>(body, 0);
  const std::size_t sealed = read_big_endian<std::uint16_t>(body, 2);
  const auto rest = body.subspan(lengths_size);
  if (nonce == 0 || sealed < aead_tag_size
      || padded(nonce) + padded(sealed) > rest.size())
    return false;
  f.nonce = rest.first(nonce);
  f.sealed = rest.subspan(padded(nonce), sealed);
  f.nonce_room = rest.size() - padded(sealed);
  return true;
}

/// Takes one field over; false if it must not be there.
bool read(const extension_field& field, std::span<const std::byte> bytes,
          std::size_t& placeholder_size, nts_fields& f) {
  switch (field.type) {
    case extension_type::unique_identifier:
      if (!f.unique_identifier.empty()
          || field.body.size() < unique_identifier_size)
        return false;
      f.unique_identifier = field.body;
      return true;
    case extension_type::nts_cookie:
      if (!f.cookie.empty())
        return false;
      f.cookie = field.body;
      return true;
    case extension_type::nts_cookie_placeholder:
      if (f.placeholders++ > 0 && field.body.size() != placeholder_size)
        return false;
      placeholder_size = field.body.size();
      return true;
    case extension_type::nts_authenticator: {
      const auto header = field.body.data() - extension_overhead;
      f.associated
        = bytes.first(static_cast<std::size_t>(header - bytes.data()));
      return read_authenticator(field.body, f);
    }
  }
  return true;
}

} // namespace

std::optional<nts_fields> find_nts_fields(const packet& p,
                                          std::span<const std::byte> bytes) {
  nts_fields f;
  std::size_t placeholder_size = 0;
  for (const auto& field : p.extensions)
    if (f.has_authenticator() || !read(field, bytes, placeholder_size, f))
      return std::nullopt;
  if (p.mac || f.unique_identifier.empty()
      || (f.placeholders > 0 && placeholder_size != f.cookie.size()))
    return std::nullopt;
  return f;
}

std::optional<extension_fields>
read_sealed_fields(std::span<const std::byte> plaintext) {
  for (auto rest = plaintext; !rest.empty();) {
    if (rest.size() < extension_overhead)
      return std::nullopt;
    const auto type
      = static_cast<extension_type>(read_big_endian<std::uint16_t>(rest, 0));
    const std::size_t length = read_big_endian<std::uint16_t>(rest, 2);
    if (type == extension_type::nts_authenticator || length < extension_overhead
        || length % 4 != 0 || length > rest.size())
      return std::nullopt;
    rest = rest.subspan(length);
  }
  return extension_fields{plaintext};
}

} // namespace concert::ntp
