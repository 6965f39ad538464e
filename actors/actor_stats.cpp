#include "actors/actor_stats.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <thread>
#include <utility>

namespace concert::actors {

namespace {

using namespace std::chrono_literals;

/// An actor with fewer messages than one in this time, on average of the last
/// `sample_every`, has each one timed: the clock costs it less than 1/5000 of a
/// core.
constexpr std::chrono::nanoseconds busy_gap = 1ms;

std::int64_t ticks(actor_stats::clock::time_point t) {
  return t.time_since_epoch().count();
}

actor_stats::clock::time_point instant(std::int64_t ticks) {
  return actor_stats::clock::time_point{actor_stats::clock::duration{ticks}};
}

} // namespace

void duration_counts::add(std::chrono::nanoseconds d) {
  const auto units
    = static_cast<std::uint64_t>(std::max<std::int64_t>(d.count(), 0)) >> 8;
  const auto i = std::min<std::size_t>(std::bit_width(units), size - 1);
  auto& n = counts_[i];
  n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::array<std::uint64_t, duration_counts::size> duration_counts::read() const {
  std::array<std::uint64_t, size> result;
  std::transform(
    counts_.begin(), counts_.end(), result.begin(),
    [](const auto& n) { return n.load(std::memory_order_relaxed); });
  return result;
}

actor_stats::actor_stats(actor_identity who, bool enabled)
  : who(std::move(who)),
    enabled(enabled) {
}

std::uint64_t actor_stats::mailbox_depth() const {
  // What is in the actor's hands has left the mailbox.
  const auto done = handled() + (in_handler_.load(relaxed) != nullptr ? 1 : 0);
  const auto all = enqueued_.load(relaxed);
  return all > done ? all - done : 0;
}

actor_stats::in_hands actor_stats::handling() const {
  std::lock_guard guard{mutex_};
  const auto n = handled();
  const auto* type = in_handler_.load(relaxed);
  const auto begun = begun_.load(std::memory_order_acquire);
  const auto begun_at = begun_at_.load(relaxed);
  if (type == nullptr || resting_.load(relaxed) || ended.load()
      || handled() != n) {
    seen_ = no_stamp;
    return {};
  }
  if (begun == n)
    return {type, instant(begun_at)};
  if (seen_ != n) {
    seen_ = n;
    seen_at_ = clock::now();
  }
  return {type, seen_at_};
}

std::string actor_stats::last_error() const {
  std::lock_guard guard{mutex_};
  return last_error_;
}

void actor_stats::on_error(std::string text) {
  std::lock_guard guard{mutex_};
  last_error_ = std::move(text);
}

/// Only one message at a time bears a stamp: there is one place for it.
void actor_stats::stamp(std::uint64_t n) {
  auto none = no_stamp;
  if (stamped_.load(relaxed) != none
      || !stamped_.compare_exchange_strong(none, being_stamped, relaxed))
    return;
  stamped_at_.store(ticks(clock::now()), relaxed);
  stamped_.store(n, std::memory_order_release);
}

void actor_stats::begin_sample(std::uint64_t n, clock::time_point& begin,
                               std::chrono::nanoseconds& wait) {
  begin = clock::now();
  const auto stamped = stamped_.load(std::memory_order_acquire);
  if (stamped == n)
    wait = begin - instant(stamped_at_.load(relaxed));
  if (stamped <= n) // also one that came to another end than being handled
    stamped_.store(no_stamp, relaxed);
  if (n % sample_every == 0) {
    const bool busy = begin - busy_since_ < busy_gap * sample_every;
    sample_mask_.store(busy ? sample_every - 1 : 0, relaxed);
    busy_since_ = begin;
  }
  sampling_ = true;
  rested_ = {};
  begun_at_.store(ticks(begin), relaxed);
  begun_.store(n, std::memory_order_release);
  if ((attention_.load(relaxed) & fault_bit) != 0)
    suffer();
}

void actor_stats::end_sample(type_stats& slot, const handling_scope& done) {
  const auto took = clock::now() - done.begin_ - rested_;
  sampling_ = false;
  if (took.count() > slot.slowest_ns.load(relaxed))
    slot.slowest_ns.store(took.count(), relaxed);
  handling_time.add(took);
  if (done.wait_ >= 0ns)
    wait.add(done.wait_);
  if (attention_.load(std::memory_order_acquire) == 0)
    return;
  for (const auto& place : rings_)
    if (auto* ring = place.load(std::memory_order_acquire))
      ring->append(
        {done.begin_, done.sender_, who.id, done.type_, done.wait_, took});
}

void actor_stats::end_rest(clock::time_point begin) {
  const auto now = clock::now();
  rested_ += now - begin;
  begun_at_.store(ticks(now), relaxed);
}

void actor_stats::suffer() {
  attention_.fetch_and(~fault_bit, relaxed);
  switch (fault_.exchange(fault::none)) {
    case fault::stick:
      std::this_thread::sleep_for(
        std::chrono::nanoseconds{stick_ns_.load(relaxed)});
      break;
    case fault::kill:
      throw std::runtime_error("killed on purpose");
    case fault::none:
      break;
  }
}

void actor_stats::trace(std::size_t slot, trace_ring* ring) {
  rings_[slot].store(ring, std::memory_order_release);
  const auto bit = 1U << slot;
  if (ring != nullptr)
    attention_.fetch_or(bit, std::memory_order_release);
  else
    attention_.fetch_and(~bit, relaxed);
}

void actor_stats::inject(fault what, std::chrono::nanoseconds how_long) {
  stick_ns_.store(how_long.count(), relaxed);
  fault_.store(what);
  attention_.fetch_or(fault_bit, relaxed);
}

} // namespace concert::actors
