#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace concert::ntp {

/// What became of a packet that reached an association: each ends in exactly
/// one of these. The order is the order of the tests (RFC 5905 §8, §9.2).
enum class packet_verdict : std::uint8_t {
  accepted,        ///< became a measurement
  malformed,       ///< not an NTP packet of a known version
  wrong_mode,      ///< not mode 4
  wrong_version,   ///< answers in a version we did not ask in
  unsolicited,     ///< no request outstanding, or its one answer came
  bogus_origin,    ///< origin quotes nothing random of our request
  late,            ///< came after the reply window
  unauthenticated, ///< NTS is used, and this is not of the server's making
  kiss_nts,        ///< NTSN: the server does not know our cookie or key
  kiss_rate,       ///< RATE: poll less often
  kiss_deny,       ///< DENY or RSTR: access refused
  kiss_other,      ///< any other kiss code; changes nothing
  zero_stamp,      ///< receive or transmit stamp is zero
  reversed_stamps, ///< not in the order of time, or delay far below zero
  unsynchronized,  ///< leap 3 or stratum 0 or above 15
  distant,         ///< root delay / 2 + root dispersion ≥ 16 s
  stale_reference, ///< reference stamp later than the answer's
};
inline constexpr std::size_t packet_verdict_count = 17;

/// The verdict's name in logs, JSON and metrics, e.g. "bogus-origin".
std::string_view to_string(packet_verdict v);

/// The NTS side of an association.
struct nts_snapshot {
  std::optional<aead_id> aead; ///< unknown before the first key exchange
  std::uint8_t cookies = 0;    ///< left, 0..8
  bool keys_wanted = false;    ///< asked for, and not given yet
  friend bool operator==(const nts_snapshot&, const nts_snapshot&) = default;
};

/// State of one association, for status, metrics and the inspector.
struct association_snapshot {
  std::uint8_t reachability = 0;     ///< last eight polls, newest in bit 0
  std::uint8_t unanswered_polls = 0; ///< in a row, at most 8
  std::int8_t poll = 6;              ///< log2 s
  std::uint8_t version = 4;
  std::uint8_t stratum = 0; ///< 0 until the first answer
  std::uint32_t reference_id = 0;
  leap_indicator leap = leap_indicator::unsynchronized;
  ntp_duration root_delay;
  ntp_duration root_dispersion;
  /// Worst of the last exchange's two local stamps; absent before the first.
  std::optional<stamp_kind> transmit_stamp;
  std::optional<stamp_kind> receive_stamp;
  std::optional<mono_time> last_answer;
  std::uint64_t requests = 0;
  std::array<std::uint64_t, packet_verdict_count> packets{};
  /// Verdict on the last packet; tells why a source is unusable. While the
  /// source is reachable only its true answers count here: what others send in
  /// its name could otherwise discredit it.
  packet_verdict last_verdict = packet_verdict::accepted;
  double burst_tokens = 0; ///< what is left of the burst budget, 0..8
  /// Of the accepted answers, those in interleaved mode (RFC 9769).
  std::uint64_t interleaved_answers = 0;
  std::optional<nts_snapshot> nts; ///< only where NTS is used
};

} // namespace concert::ntp
