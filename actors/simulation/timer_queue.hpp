#pragma once

#include "actors/runtime.hpp"

#include <map>
#include <memory>
#include <utility>

namespace concert::actors {

/// The timers of all actors, by monotonic time; those of one instant fire in
/// the order in which they were armed.
class timer_queue {
public:
  /// The timer must not outlive the queue.
  std::unique_ptr<timer> make(std::function<void()> fire);
  std::optional<ntp::mono_time> next() const;
  /// Fires the next timer, if it is due.
  bool fire_one(ntp::mono_time now);

private:
  class entry;
  using key = std::pair<ntp::mono_time, std::uint64_t>;

  std::map<key, entry*> armed_;
  std::uint64_t count_ = 0;
};

} // namespace concert::actors
