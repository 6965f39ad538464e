#pragma once

#include "ntp_core/responder/client_table.hpp"
#include "ntp_core/responder/seal_time.hpp"
#include "ntp_core/responder/transmit_delay.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace concert::actors {

/// Which replies of a port the kernel was asked about, and what their transmit
/// stamps teach: when the next replies will leave, and, for clients in
/// interleaved mode, when the last one left.
class stamp_ledger {
public:
  static constexpr std::size_t no_probe
    = std::numeric_limits<std::size_t>::max();

  /// A batch is served whose first request arrived then.
  void on_batch(ntp::ntp_timestamp arrived);
  /// The place in a group of `replies` whose stamp is wanted to learn from;
  /// `no_probe` for most groups.
  std::size_t next_probe(std::size_t replies);
  /// The tag for the reply at `place` of the group that is being made.
  std::uint64_t expect(const std::optional<ntp::client_slot>& slot,
                       std::size_t place);
  /// What the seals of that group will take, between the reading of the clock
  /// for its stamps and the start of its send loop.
  ntp::ntp_duration time_of_seals(std::size_t seals) const;
  /// They took so long; `seals` > 0.
  void on_seals(std::size_t seals, ntp::ntp_duration spent);
  /// The send loop of that group starts, all its seals done.
  void on_start(ntp::ntp_timestamp start);
  /// The reply with this tag left. Returns the client's slot if one was given.
  std::optional<ntp::client_slot> on_stamp(std::uint64_t tag,
                                           ntp::ntp_timestamp left);
  /// From the start of the loop until the reply at `place` leaves; zero while
  /// that is not known.
  ntp::ntp_duration delay_of(std::size_t place) const;
  std::optional<double> learnt_delay_s() const;
  /// The clock was stepped: stamps to come do not go with what is remembered.
  void forget_awaited();

private:
  struct awaited {
    std::uint64_t tag = 0; ///< 0 = free
    std::optional<ntp::client_slot> slot;
    std::size_t place = 0;
    ntp::ntp_timestamp start;
    bool rested = false;
  };
  /// More than this many are not awaited; the oldest are given up.
  static constexpr std::size_t capacity = 512;

  awaited& at(std::uint64_t tag) { return awaited_[tag % capacity]; }

  std::array<awaited, capacity> awaited_{};
  std::uint64_t last_tag_ = 0;
  std::uint64_t group_begin_ = 1; ///< first tag of the group being made
  std::uint64_t replies_ = 0;
  std::uint64_t last_probe_at_ = 0;
  std::uint32_t probes_ = 0;
  ntp::ntp_timestamp last_start_;
  bool rested_ = true;
  /// A processor that rested wakes slowly and has forgotten what it had at
  /// hand: its replies leave later.
  std::array<ntp::transmit_delay, 2> delays_; ///< by whether it rested
  std::array<ntp::seal_time, 2> seals_;       ///< as well
};

} // namespace concert::actors
