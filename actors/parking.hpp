#pragma once

#include "platform/socket.hpp"

#include <atomic>
#include <span>
#include <utility>

namespace concert::actors {

/// Lets a thread sleep on descriptors without missing a message: the sender
/// puts its message into the mailbox and then calls `wake`; the sleeper says
/// that it is about to sleep, and only then looks at the mailbox once more.
class parking {
public:
  static platform::result<parking> open();
  parking(parking&& o) noexcept : event_(std::move(o.event_)) {}

  /// Any thread, after the message has been put into the mailbox.
  void wake();

  /// The sleeper: sleeps until a descriptor is readable or somebody wakes it,
  /// unless `has_mail` says that there is something to do already.
  template <class HasMail>
  void park(std::span<const int> fds, HasMail has_mail) {
    parked_.store(true, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!has_mail())
      event_.sleep(fds);
    parked_.store(false, std::memory_order_relaxed);
  }

private:
  explicit parking(platform::wake_event e) : event_(std::move(e)) {}

  platform::wake_event event_;
  std::atomic<bool> parked_{false};
};

} // namespace concert::actors
