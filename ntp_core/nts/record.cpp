#include "ntp_core/nts/record.hpp"

#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/packet/bytes.hpp"

#include <algorithm>
#include <cassert>

namespace concert::ntp {

namespace {

constexpr std::uint16_t critical_bit = 0x8000;

/// The longest body of a type that makes sense; others are bounded by their
/// message alone.
constexpr std::size_t longest_body(ke_record_type type) {
  switch (type) {
    case ke_record_type::own_number:
      return 0;
    case ke_record_type::error:
    case ke_record_type::warning:
    case ke_record_type::ntp_port:
      return 2;
    case ke_record_type::ntp_server:
      return 255;
    case ke_record_type::new_cookie:
      return longest_kept_cookie;
    default:
      return 0xffff;
  }
}

ke_record_type type_in(std::span<const std::byte> header) {
  return static_cast<ke_record_type>(read_big_endian<std::uint16_t>(header, 0)
                                     & ~critical_bit);
}

} // namespace

ke_record_reader::ke_record_reader(std::size_t message_limit)
  : limit_(message_limit),
    left_(message_limit) {
  // nop
}

tl::expected<std::optional<ke_record>, ke_error>
ke_record_reader::next(std::span<const std::byte>& bytes) {
  const auto take = [&bytes](std::span<std::byte> to, std::size_t& have) {
    const auto n = std::min(bytes.size(), to.size() - have);
    std::copy_n(bytes.begin(), n, to.subspan(have).begin());
    bytes = bytes.subspan(n);
    have += n;
    return have == to.size();
  };
  if (header_size_ < header_.size()) {
    if (!take(header_, header_size_))
      return std::nullopt;
    if (const auto ok = start_body(); !ok)
      return tl::unexpected{ok.error()};
  }
  if (!take(body_, body_size_))
    return std::nullopt;
  header_size_ = 0;
  return ke_record{
    type_in(header_),
    (read_big_endian<std::uint16_t>(header_, 0) & critical_bit) != 0, body_};
}

/// Judges the length before anything is kept.
tl::expected<void, ke_error> ke_record_reader::start_body() {
  const auto type = type_in(header_);
  const std::size_t length = read_big_endian<std::uint16_t>(header_, 2);
  if (length > longest_body(type))
    return tl::unexpected{
      type == ke_record_type::new_cookie
        ? ke_error{ke_errc::cookie_length, static_cast<std::uint16_t>(length)}
        : ke_error{ke_errc::record_length, static_cast<std::uint16_t>(type)}};
  if (header_.size() + length > left_)
    return tl::unexpected{ke_error{ke_errc::message_too_long}};
  left_ -= header_.size() + length;
  body_.resize(length);
  body_size_ = 0;
  return {};
}

std::uint16_t ke_number(std::span<const std::byte> body, std::size_t index) {
  return read_big_endian<std::uint16_t>(body, 2 * index);
}

void append_record(std::vector<std::byte>& out, ke_record_type type,
                   bool critical, std::span<const std::byte> body) {
  assert(body.size() <= 0xffff);
  const auto start = out.size();
  out.resize(start + 4);
  const auto header = std::span{out}.subspan(start);
  write_big_endian(header, 0,
                   static_cast<std::uint16_t>(static_cast<unsigned>(type)
                                              | (critical ? critical_bit : 0)));
  write_big_endian(header, 2, static_cast<std::uint16_t>(body.size()));
  out.insert(out.end(), body.begin(), body.end());
}

void append_numbers(std::vector<std::byte>& out, ke_record_type type,
                    bool critical, std::span<const std::uint16_t> numbers) {
  std::vector<std::byte> body(2 * numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    write_big_endian(body, 2 * i, numbers[i]);
  append_record(out, type, critical, body);
}

} // namespace concert::ntp
