#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/nts/ke_error.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace concert::ntp {

/// The records of the key exchange that we know (RFC 8915 §4.1), with those of
/// NTS pools (draft-ietf-ntp-nts-keyexchange-pool).
enum class ke_record_type : std::uint16_t {
  end_of_message = 0,
  next_protocol = 1,
  error = 2,
  warning = 3,
  aead = 4,
  new_cookie = 5,
  ntp_server = 6,
  ntp_port = 7,
  keep_alive = 8,            ///< pool: more requests will follow
  supported_protocols = 9,   ///< pool: which do you have?
  supported_aeads = 10,      ///< pool: which do you have, with what keys?
  fixed_keys = 12,           ///< pool: cookies for these keys
  server_deny = 13,          ///< client to pool: any server but this
  authentication_token = 14, ///< pool: proof that we know it
  own_number = 1024,         ///< "the exporter's context names AEAD 30 as 30"
};

/// NTPv4's number in lists of next protocols (RFC 8915 §7.7).
constexpr std::uint16_t ke_ntpv4 = 0;

/// One record; `body` is a view into its reader.
struct ke_record {
  ke_record_type type{};
  bool critical = false;
  std::span<const std::byte> body;
};

/// A set of types below 32.
class ke_record_set {
public:
  /// False if it is in there already.
  bool insert(ke_record_type t) {
    const bool fresh = !contains(t);
    bits_ |= bit(t);
    return fresh;
  }
  bool contains(ke_record_type t) const { return (bits_ & bit(t)) != 0; }

private:
  static constexpr std::uint32_t bit(ke_record_type t) {
    return std::uint32_t{1} << static_cast<unsigned>(t);
  }

  std::uint32_t bits_ = 0;
};

/// Splits a stream of octets, which may come one at a time, into records. Holds
/// one record, as a secret: it may be a key.
class ke_record_reader {
public:
  /// `message_limit` is what the records of a message may have in sum, with
  /// their headers.
  explicit ke_record_reader(std::size_t message_limit);

  /// Takes octets off the front of `bytes` until a record is whole, and returns
  /// it: its body holds until the next call. None if there were too few.
  ///
  /// Fails with `message_too_long`, `record_length` or `cookie_length` as soon
  /// as a record's header tells; no call may follow.
  tl::expected<std::optional<ke_record>, ke_error>
  next(std::span<const std::byte>& bytes);

  /// A new message begins: counts its octets from 0 again.
  void start_message() { left_ = limit_; }

private:
  tl::expected<void, ke_error> start_body();

  std::size_t limit_;
  std::size_t left_; ///< octets that the message may still have
  std::array<std::byte, 4> header_{};
  std::size_t header_size_ = 0;
  secret_bytes body_;         ///< as long as the header says
  std::size_t body_size_ = 0; ///< of which have come
};

/// How many numbers a body holds as 16 bits each; 0 if it is no such list.
constexpr std::size_t ke_count_numbers(std::span<const std::byte> body) {
  return body.size() % 2 == 0 ? body.size() / 2 : 0;
}
/// The one at `index`, below ke_count_numbers(body).
std::uint16_t ke_number(std::span<const std::byte> body, std::size_t index);

/// Writes a record to the end of `out`; a body has at most 65,535 octets.
void append_record(std::vector<std::byte>& out, ke_record_type type,
                   bool critical, std::span<const std::byte> body = {});
/// The same with 16 bits for each number.
void append_numbers(std::vector<std::byte>& out, ke_record_type type,
                    bool critical, std::span<const std::uint16_t> numbers);

} // namespace concert::ntp
