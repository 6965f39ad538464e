#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <typeinfo>
#include <vector>

namespace concert::actors {

/// One traced message.
struct trace_entry {
  std::chrono::steady_clock::time_point at; ///< begin of its handling
  std::uint64_t sender = 0;                 ///< actor id, 0 = none
  std::uint64_t receiver = 0;
  const std::type_info* type = nullptr;
  std::chrono::nanoseconds wait{-1}; ///< in the mailbox; negative = not known
  std::chrono::nanoseconds handling{};
};

/// Takes entries from any thread without ever holding one up: what finds no
/// room is counted and dropped. One thread reads. (A bounded queue of cells
/// with sequence numbers.)
class trace_ring {
public:
  /// `capacity` is a power of two.
  explicit trace_ring(std::size_t capacity);
  void append(const trace_entry& entry);
  /// The oldest that was not taken yet.
  std::optional<trace_entry> take();
  /// How many found no room so far.
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

private:
  struct cell {
    std::atomic<std::uint64_t> turn{0};
    trace_entry entry;
  };
  std::vector<cell> cells_;
  alignas(64) std::atomic<std::uint64_t> head_{0}; ///< next to be written
  alignas(64) std::uint64_t tail_ = 0;             ///< next to be read
  std::atomic<std::uint64_t> lost_{0};
};

} // namespace concert::actors
