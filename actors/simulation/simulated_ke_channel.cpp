#include "actors/simulation/simulated_ke_channel.hpp"

#include "actors/simulation/random.hpp"

#include <utility>
#include <vector>

namespace concert::actors {

namespace {

using acceptor = std::function<void(std::unique_ptr<ke_channel>)>;

/// FNV-1a.
std::uint64_t mix(std::uint64_t hash, std::span<const std::byte> bytes) {
  for (const auto b : bytes)
    hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3;
  return hash;
}

/// One end of a connection, which lives on behind its channel until nothing is
/// under way to it.
class wire_end : public std::enable_shared_from_this<wire_end> {
public:
  wire_end(event_queue& queue, const simulated_ke_wire& wire,
           const ntp::endpoint& peer)
    : queue_(queue),
      wire_(wire),
      peer_(peer) {}

  const ntp::endpoint& peer() const { return peer_; }

  void start_client(ke_channel_events events, acceptor accepted) {
    start(std::move(events));
    if (wire_.failure) {
      if (wire_.failure->how != ke_ending::timed_out)
        after(2 * wire_.delay, [](wire_end& e) { e.end(*e.wire_.failure); });
      return;
    }
    // A round trip for TCP, and one for TLS.
    after(wire_.delay, [accepted = std::move(accepted)](wire_end& e) {
      e.be_accepted(accepted);
    });
    after(4 * wire_.delay, [](wire_end& e) { e.be_ready(); });
  }

  void start(ke_channel_events events) {
    events_ = std::move(events);
    expire_in(wire_.limit);
  }

  bool send(std::span<const std::byte> plaintext) {
    if (!ready_ || finished_ || over_
        || plaintext.size() > platform::tls_session::buffer_limit)
      return false;
    tell_other(
      [text = std::vector(plaintext.begin(), plaintext.end())](wire_end& e) {
        if (!e.finished_ && e.events_.received)
          e.events_.received(text);
      });
    return true;
  }

  void finish() {
    if (over_ || std::exchange(finished_, true))
      return;
    tell_other([](wire_end& e) {
      if (!e.finished_ && e.events_.peer_finished)
        e.events_.peer_finished();
    });
    after(2 * wire_.delay, [](wire_end& e) { e.end({}); });
  }

  bool export_key(std::string_view label, std::span<const std::byte> context,
                  std::span<std::byte> out) {
    seeded_random stream{
      mix(mix(wire_.seed, std::as_bytes(std::span{label})), context)};
    for (auto& b : out)
      b = ready_ ? static_cast<std::byte>(stream.next()) : std::byte{0};
    return ready_;
  }

  void extend(std::chrono::nanoseconds limit) {
    if (ready_ && !finished_ && !over_)
      expire_in(limit);
  }

  /// The owner has gone.
  void abandon() {
    if (!std::exchange(over_, true))
      cut_other();
  }

private:
  /// Unless it is over by then.
  void after(std::chrono::nanoseconds delay,
             std::function<void(wire_end&)> event) {
    queue_.add(delay, [self = shared_from_this(), event = std::move(event)] {
      if (!self->over_)
        event(*self);
    });
  }

  /// In the place of any earlier limit.
  void expire_in(std::chrono::nanoseconds limit) {
    after(limit, [number = ++limits_](wire_end& e) {
      if (number == e.limits_)
        e.expire();
    });
  }

  void expire() {
    if (finished_)
      return end({});
    end({ke_ending::timed_out, {}, peer_.to_string() + " took too long"});
    cut_other();
  }

  void tell_other(std::function<void(wire_end&)> event) {
    if (const auto other = other_.lock())
      other->after(wire_.delay, std::move(event));
  }

  void be_accepted(const acceptor& accepted);

  void be_ready() {
    ready_ = true;
    tell_other([](wire_end& e) {
      e.ready_ = true;
      if (e.events_.ready)
        e.events_.ready();
    });
    if (events_.ready)
      events_.ready();
  }

  void cut_other() {
    tell_other([](wire_end& e) {
      if (!e.finished_)
        e.end({ke_ending::tls, platform::tls_fault::cut_off,
               "the peer ended the connection without close_notify"});
    });
  }

  /// From an event, never from a call of the owner.
  void end(const ke_channel_end& how) {
    over_ = true;
    if (events_.ended)
      events_.ended(how);
  }

  event_queue& queue_;
  simulated_ke_wire wire_;
  ntp::endpoint peer_;
  std::weak_ptr<wire_end> other_;
  ke_channel_events events_;
  std::uint64_t limits_ = 0; ///< that were set so far: the last one counts
  bool ready_ = false;
  bool finished_ = false; ///< we have said that we write no more
  bool over_ = false;
};

class simulated_channel final : public ke_channel {
public:
  /// `accepted` is for a client's.
  explicit simulated_channel(std::shared_ptr<wire_end> end,
                             acceptor accepted = {})
    : end_(std::move(end)),
      accepted_(std::move(accepted)) {}
  ~simulated_channel() override { end_->abandon(); }

  const ntp::endpoint& peer() const override { return end_->peer(); }
  void start(ke_channel_events events) override {
    if (accepted_)
      end_->start_client(std::move(events), std::move(accepted_));
    else
      end_->start(std::move(events));
  }
  bool send(std::span<const std::byte> plaintext) override {
    return end_->send(plaintext);
  }
  void finish() override { end_->finish(); }
  bool export_key(std::string_view label, std::span<const std::byte> context,
                  std::span<std::byte> out) override {
    return end_->export_key(label, context, out);
  }
  void extend(std::chrono::milliseconds limit) override { end_->extend(limit); }

private:
  std::shared_ptr<wire_end> end_;
  acceptor accepted_;
};

void wire_end::be_accepted(const acceptor& accepted) {
  const auto server = std::make_shared<wire_end>(queue_, wire_, wire_.client);
  server->other_ = weak_from_this();
  other_ = server;
  accepted(std::make_unique<simulated_channel>(server));
}

} // namespace

std::unique_ptr<ke_channel>
connect_simulated_ke_channel(event_queue& events, const simulated_ke_wire& wire,
                             acceptor accepted) {
  return std::make_unique<simulated_channel>(
    std::make_shared<wire_end>(events, wire, wire.server), std::move(accepted));
}

} // namespace concert::actors
