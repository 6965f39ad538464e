#pragma once

#include "ntp_core/crypto/aead.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

namespace concert::ntp {

/// What client and server agreed on in a key exchange (RFC 8915 §4.3).
struct session_keys {
  aead_id aead = aead_id::aes_siv_cmac_256;
  aead_key c2s; ///< for requests
  aead_key s2c; ///< for replies

  friend bool operator==(const session_keys&, const session_keys&) = default;
};

/// The label of the TLS exporter (RFC 8915 §4.3).
constexpr std::string_view exporter_label = "EXPORTER-network-time-security";

enum class key_direction : std::uint8_t { client_to_server, server_to_client };

/// Its context: next protocol, AEAD, direction. Older programs say 15 for every
/// AEAD; with AES-128-GCM-SIV both sides must say by record 1024 that they use
/// its own number, else 15 is used: `own_number` tells which.
std::array<std::byte, 5> exporter_context(aead_id id, key_direction direction,
                                          bool own_number);

/// Writes keying material of a TLS session to `out`; false if there is none.
using key_exporter = std::function<bool(std::string_view label,
                                        std::span<const std::byte> context,
                                        std::span<std::byte> out)>;

/// The keys that both ends of a TLS session derive for what they agreed on;
/// nothing if there is no keying material.
std::optional<session_keys> derive_session_keys(aead_id aead, bool own_number,
                                                const key_exporter& export_key);

} // namespace concert::ntp
