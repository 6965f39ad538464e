#include "ntp_core/nts/cookie_jar.hpp"

#include "ntp_core/nts/secret_file.hpp"

#include <algorithm>
#include <optional>

namespace concert::ntp {

namespace {

constexpr secret_file_kind file_kind{"NTS jar\n", 1};
constexpr std::size_t longest_name = 255;

bool is_name(const std::string& text) {
  return text.size() <= longest_name && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c != '\x7f';
         });
}

void write_keys(secret_file_writer& file, const session_keys& keys) {
  file.number(static_cast<std::uint16_t>(keys.aead));
  file.octets(keys.c2s.bytes());
  file.octets(keys.s2c.bytes());
}

std::optional<session_keys> read_keys(secret_file_reader& file) {
  const auto aead = to_aead(file.number<std::uint16_t>());
  if (!aead)
    return std::nullopt;
  const aead_key c2s{file.octets(key_size(*aead))};
  const aead_key s2c{file.octets(key_size(*aead))};
  return session_keys{*aead, c2s, s2c};
}

std::optional<cookie_origin> read_origin(secret_file_reader& file) {
  cookie_origin origin;
  origin.key_exchange = file.text();
  origin.server = file.text();
  origin.port = file.number<std::uint16_t>();
  if (origin.key_exchange.empty() || !is_name(origin.key_exchange)
      || !is_name(origin.server) || origin.port == 0)
    return std::nullopt;
  return origin;
}

/// Reads cookies to the end of the file.
bool read_cookies(secret_file_reader& file, std::vector<secret_bytes>& out) {
  while (file.left() > 0) {
    const auto cookie = file.octets(file.number<std::uint16_t>());
    if (cookie.empty() || cookie.size() > longest_kept_cookie
        || out.size() == most_cookies)
      return false;
    out.emplace_back(cookie.begin(), cookie.end());
  }
  return file.complete();
}

} // namespace

secret_bytes serialize(const cookie_jar& jar) {
  secret_file_writer file{file_kind};
  file.text(jar.origin.key_exchange);
  file.text(jar.origin.server);
  file.number(jar.origin.port);
  const auto& [keys, alternate, cookies] = jar.credentials;
  write_keys(file, keys);
  file.number(static_cast<std::uint8_t>(alternate ? 1 : 0));
  if (alternate)
    write_keys(file, *alternate);
  for (const auto& cookie : cookies) {
    file.number(static_cast<std::uint16_t>(cookie.size()));
    file.octets(cookie);
  }
  return file.finish();
}

tl::expected<cookie_jar, errc>
parse_cookie_jar(std::span<const std::byte> file) {
  auto reader = secret_file_reader::open(file, file_kind);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto origin = read_origin(*reader);
  const auto keys = read_keys(*reader);
  const auto has_alternate = reader->number<std::uint8_t>();
  if (!origin || !keys || has_alternate > 1)
    return tl::unexpected{errc::file_contents};
  cookie_jar jar{*origin, {*keys, std::nullopt, {}}};
  if (has_alternate == 1) {
    jar.credentials.alternate = read_keys(*reader);
    if (!jar.credentials.alternate
        || jar.credentials.alternate->aead != keys->aead)
      return tl::unexpected{errc::file_contents};
  }
  if (!read_cookies(*reader, jar.credentials.cookies))
    return tl::unexpected{errc::file_contents};
  return jar;
}

} // namespace concert::ntp
