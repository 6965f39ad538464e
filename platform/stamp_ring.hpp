#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace concert::platform {

/// The transmit stamps that are awaited. The kernel numbers the datagrams that
/// it is asked to stamp, from 0, and returns only the number; here it finds its
/// tag again. A stamp may never come (the error queue was full, the datagram
/// was dropped on its way), so that each is given up in the end: when as many
/// newer ones are awaited as there is room for, or after so many rounds.
class stamp_ring {
public:
  static constexpr std::uint32_t capacity = 512;
  /// Rounds are calls of `next_round`, one a batch: some milliseconds under
  /// load, when stamps may be late since the interface's queue is long.
  static constexpr std::uint32_t patience = 256;

  bool empty() const { return oldest_ == next_; }
  /// The next number belongs to `tag`; nothing = the stamp is to be ignored.
  void await(std::optional<std::uint64_t> tag);
  /// The tag of a stamp, once; nothing when it is not (any longer) awaited.
  std::optional<std::uint64_t> match(std::uint32_t number);
  /// Time goes by; those that have waited too long are given up.
  void next_round();
  /// The kernel's numbers start again; nothing is awaited.
  void restart() { oldest_ = next_ = 0; }

private:
  struct entry {
    std::optional<std::uint64_t> tag;
    std::uint32_t round = 0;
    bool arrived = false;
  };
  entry& at(std::uint32_t number) { return entries_[number % capacity]; }
  void drop_settled();

  std::array<entry, capacity> entries_{};
  std::uint32_t oldest_ = 0; ///< awaited are the numbers from here…
  std::uint32_t next_ = 0;   ///< …to before here
  std::uint32_t round_ = 0;
};

} // namespace concert::platform
