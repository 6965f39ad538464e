#pragma once

#include "ntp_core/time/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace concert::load {

/// A request on its way, and what its answer is judged by.
struct exchange {
  std::uint64_t transmit = 0;           ///< the request's field; names the slot
  std::uint64_t receive = 0;            ///< the request's field; 0 = basic mode
  std::chrono::nanoseconds sent{};      ///< monotonic
  std::chrono::nanoseconds sent_wall{}; ///< read before sending
  std::chrono::nanoseconds stamp{};     ///< kernel transmit stamp; 0 = none
  std::chrono::nanoseconds cited{};     ///< when the answer came that it
                                        ///< cites, in interleaved mode
  std::uint32_t client = 0;
  bool counted = false; ///< not of the warm-up
  enum class state : std::uint8_t { unused, waiting, answered, lost } now{};
};

/// Requests without an answer so far: bounded, and each answer finds its own
/// in one step. Both random fields of a request carry its slot in their low
/// bits.
class exchange_table {
public:
  /// `size` is rounded up to a power of two.
  explicit exchange_table(std::size_t size);

  /// A new request, in the place of the oldest, which is lost if it still
  /// waits. `random` gives `transmit`, and `interleaved`, unless 0, `receive`.
  exchange& open(std::uint64_t random, std::uint64_t interleaved,
                 std::chrono::nanoseconds now);
  /// Takes the last one back: the kernel would not send it.
  void withdraw();

  enum class outcome : std::uint8_t {
    basic,       ///< answers the transmit field
    interleaved, ///< answers the receive field
    duplicate,   ///< of an answered request
    late,        ///< of a request given up
    unknown,     ///< of no request of ours
  };
  struct match {
    outcome kind = outcome::unknown;
    exchange* request = nullptr; ///< unless unknown
  };
  /// The request of an answer with this origin field; it no longer waits.
  match take(std::uint64_t origin);

  /// The request with this transmit field, if its slot still holds it.
  exchange* find(std::uint64_t transmit);

  /// Gives up all that were sent before `limit`.
  void expire(std::chrono::nanoseconds limit);

  std::size_t waiting() const { return waiting_; }
  std::size_t size() const { return slots_.size(); }

private:
  std::uint64_t mask() const { return slots_.size() - 1; }

  std::vector<exchange> slots_;
  std::uint64_t next_ = 0;   ///< sequence number of the next request
  std::uint64_t oldest_ = 0; ///< none before it waits
  std::size_t waiting_ = 0;
};

} // namespace concert::load
