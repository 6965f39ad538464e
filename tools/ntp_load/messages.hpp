#pragma once

#include "tools/ntp_load/exchange_table.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace concert::load {

inline constexpr std::size_t largest_request = 1024;

/// Whether a request of this version can have this many octets: the bare
/// header, or in version 4 also one extension field that fills it up.
bool is_request_size(std::size_t size, std::uint8_t version);

/// Writes what all requests have in common into `bytes`, whose length is a
/// request size.
void write_request(std::span<std::byte> bytes, std::uint8_t version);

/// Writes what tells one request from another. `origin` is the server's
/// receive time out of its last answer, in interleaved mode, else 0.
void write_fields(std::span<std::byte> bytes, const exchange& e,
                  std::uint64_t origin);

/// What is to be said of a datagram that came back.
enum class verdict : std::uint8_t {
  good,
  too_short,      ///< for an NTP header
  too_long,       ///< longer than the request
  stranger,       ///< from another address than the one asked
  unexpected,     ///< answers no request
  duplicate,      ///< a second answer
  late,           ///< to a request that was given up
  mode,           ///< not mode 4
  version,        ///< not the request's
  kiss,           ///< no time, but a kiss code
  unsynchronized, ///< no time, by leap 3 or stratum 16
  stamps,         ///< times that are absent or in the wrong order
  outside,        ///< times outside of the exchange, on the same clock
  nts_refused,    ///< NTSN: the server does not know our keys
  unauthentic,    ///< without the identifier or authenticator that it needs
};
inline constexpr std::size_t verdict_count = 15;
std::string_view to_string(verdict v);

/// The fields of an answer that matter here.
struct answer_fields {
  std::uint8_t leap = 0;
  std::uint8_t version = 0;
  std::uint8_t mode = 0;
  std::uint8_t stratum = 0;
  std::uint64_t origin = 0;
  std::uint64_t receive = 0;
  std::uint64_t transmit = 0;
};
/// Reads the first 48 octets; there must be as many.
answer_fields read_answer(std::span<const std::byte> bytes);

/// What a matched answer must fulfil.
struct expectation {
  std::uint8_t version = 4;
  bool interleaved = false;
  bool same_clock = false;
  std::chrono::nanoseconds earliest{}; ///< Unix time, for the same clock
  std::chrono::nanoseconds latest{};
};
verdict judge(const answer_fields& a, const expectation& e);

/// `stamp` − `unix_time`, ns.
std::int64_t difference_ns(std::uint64_t stamp,
                           std::chrono::nanoseconds unix_time);

} // namespace concert::load
