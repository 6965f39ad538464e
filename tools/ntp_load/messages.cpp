#include "tools/ntp_load/messages.hpp"

#include "ntp_core/packet/header.hpp"

#include <algorithm>

namespace concert::load {

namespace {

constexpr std::size_t header_size = ntp::header_size;
constexpr std::size_t origin_at = 24;
constexpr std::size_t receive_at = 32;
constexpr std::size_t transmit_at = 40;
/// RFC 7822 §7.5: the last extension field has at least 28 octets.
constexpr std::size_t smallest_field = 28;
/// In the range for experiments, so that no server acts on it.
constexpr std::uint16_t filler_type = 0xff00;
/// Servers put noise below their precision.
constexpr std::int64_t slack_ns = 1000;

void put(std::span<std::byte> bytes, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 8; i-- > 0; value >>= 8)
    bytes[at + i] = static_cast<std::byte>(value);
}

std::uint64_t get(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  return value;
}

} // namespace

bool is_request_size(std::size_t size, std::uint8_t version) {
  return size == header_size
         || (version == 4 && size % 4 == 0 && size <= largest_request
             && size >= header_size + smallest_field);
}

void write_request(std::span<std::byte> bytes, std::uint8_t version) {
  std::ranges::fill(bytes, std::byte{0});
  constexpr unsigned client_mode = 3;
  bytes[0] = static_cast<std::byte>(version << 3U | client_mode);
  constexpr unsigned unknown_precision = 0x20;
  bytes[3] = static_cast<std::byte>(unknown_precision);
  if (bytes.size() == header_size)
    return;
  const auto length = bytes.size() - header_size;
  bytes[header_size] = static_cast<std::byte>(filler_type >> 8);
  bytes[header_size + 1] = static_cast<std::byte>(filler_type & 0xff);
  bytes[header_size + 2] = static_cast<std::byte>(length >> 8);
  bytes[header_size + 3] = static_cast<std::byte>(length & 0xff);
}

void write_fields(std::span<std::byte> bytes, const exchange& e,
                  std::uint64_t origin) {
  put(bytes, origin_at, origin);
  put(bytes, receive_at, e.receive);
  put(bytes, transmit_at, e.transmit);
}

std::string_view to_string(verdict v) {
  constexpr std::array<std::string_view, verdict_count> names{
    "good",           "too-short", "too-long", "stranger",    "unexpected",
    "duplicate",      "late",      "mode",     "version",     "kiss",
    "unsynchronized", "stamps",    "outside",  "nts-refused", "unauthentic"};
  return names[static_cast<std::size_t>(v)];
}

answer_fields read_answer(std::span<const std::byte> bytes) {
  const auto first = std::to_integer<unsigned>(bytes[0]);
  return {.leap = static_cast<std::uint8_t>(first >> 6U),
          .version = static_cast<std::uint8_t>(first >> 3U & 7U),
          .mode = static_cast<std::uint8_t>(first & 7U),
          .stratum = std::to_integer<std::uint8_t>(bytes[1]),
          .origin = get(bytes, origin_at),
          .receive = get(bytes, receive_at),
          .transmit = get(bytes, transmit_at)};
}

verdict judge(const answer_fields& a, const expectation& e) {
  constexpr unsigned server_mode = 4;
  constexpr unsigned unsynchronized = 3;
  constexpr unsigned worst_stratum = 16;
  if (a.mode != server_mode)
    return verdict::mode;
  if (a.version != e.version)
    return verdict::version;
  if (a.stratum == 0)
    return verdict::kiss;
  if (a.leap == unsynchronized || a.stratum >= worst_stratum)
    return verdict::unsynchronized;
  // In interleaved mode the transmit time is the answer's before, so that it
  // lies before the receive time (RFC 9769 §2).
  const auto held = ntp::ntp_timestamp::from_bits(a.transmit)
                    - ntp::ntp_timestamp::from_bits(a.receive);
  if (a.receive == 0 || a.transmit == 0
      || (e.interleaved ? held.units() >= 0 : held.units() < 0))
    return verdict::stamps;
  if (!e.same_clock)
    return verdict::good;
  const bool late_transmit
    = !e.interleaved && difference_ns(a.transmit, e.latest) > slack_ns;
  if (difference_ns(a.receive, e.earliest) < -slack_ns
      || difference_ns(a.receive, e.latest) > slack_ns || late_transmit)
    return verdict::outside;
  return verdict::good;
}

std::int64_t difference_ns(std::uint64_t stamp,
                           std::chrono::nanoseconds unix_time) {
  return (ntp::ntp_timestamp::from_bits(stamp)
          - ntp::ntp_timestamp::from_unix(unix_time))
    .nanoseconds()
    .count();
}

} // namespace concert::load
