#include "tools/ntp_once/client_loop.hpp"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace concert::once {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_wait = 500ms;
/// The kernel switches receive stamping on in the background.
constexpr auto stamping_delay = 50ms;
constexpr auto start_spread = 100ms;
/// Two readings of the kernel's frequency that differ by less are the same.
constexpr double frequency_slack = 2e-6 / 65536;

bool same(ntp::frequency a, ntp::frequency b) {
  return std::abs(a.ratio - b.ratio) <= frequency_slack;
}

} // namespace

client_loop::client_loop(platform::clock& clock, ntp::random_source& random,
                         const ntp::steering_config& config,
                         loop_listener listener)
  : clock_(clock),
    random_(random),
    listener_(std::move(listener)),
    read_only_(config.read_only),
    base_(clock.frequency().value_or(ntp::frequency{})),
    steering_(config, {}, base_, clock.read()) {
}

void client_loop::add(std::string name, std::vector<ntp::endpoint> addresses,
                      const ntp::association_config& config) {
  ntp::source_registration r;
  r.id = {++last_id_};
  r.name = std::move(name);
  r.address = addresses.front();
  r.min_poll = config.min_poll;
  r.max_poll = config.max_poll;
  addresses.erase(addresses.begin());
  const auto spares = addresses.size();
  const auto delay
    = stamping_delay
      + ntp::nanoseconds_of(random_.uniform() * ntp::seconds_of(start_spread));
  sources_.push_back({.registration = r,
                      .config = config,
                      .machine = {config, random_, now(), delay},
                      .spares = std::move(addresses),
                      .unasked = spares});
  steering_.set_configured_sources(static_cast<std::uint32_t>(sources_.size()));
  carry_out(steering_.on_registered(r, clock_.read()));
}

void client_loop::turn(ntp::mono_time limit) {
  handle_deadlines();
  wait(limit);
}

void client_loop::stop() {
  carry_out(steering_.on_shutdown(clock_.read()));
}

// -- waiting ------------------------------------------------------------------

void client_loop::handle_deadlines() {
  for (auto& s : sources_) {
    const auto due = s.machine.next_deadline();
    if (!s.gone && due && *due <= now())
      carry_out(s, s.machine.on_deadline(now()));
  }
  const auto due = steering_.next_deadline();
  if (due && *due <= now()) {
    check_foreign_hand();
    carry_out(steering_.on_deadline(clock_.read()));
  }
}

void client_loop::wait(ntp::mono_time limit) {
  const auto begin = now();
  auto end = std::min(limit, begin + longest_wait);
  if (const auto due = steering_.next_deadline())
    end = std::min(end, *due);
  std::vector<pollfd> ready;
  for (const auto& s : sources_) {
    if (const auto due = s.machine.next_deadline(); due && !s.gone)
      end = std::min(end, *due);
    ready.push_back({s.socket ? s.socket->fd() : -1, POLLIN | POLLPRI, 0});
  }
  const auto span = std::chrono::ceil<std::chrono::milliseconds>(
    std::max<std::chrono::nanoseconds>(end - begin, 0ns));
  if (poll(ready.data(), ready.size(), static_cast<int>(span.count())) <= 0)
    return;
  for (std::size_t i = 0; i < ready.size(); ++i)
    if (ready[i].revents != 0 && sources_[i].socket)
      on_ready(sources_[i], ready[i].revents);
}

// -- a source: bytes and stamps in, requests out ------------------------------

/// One message of each queue a turn: a flood lets the others have theirs.
void client_loop::on_ready(source& s, short events) {
  if ((events & (POLLERR | POLLPRI)) != 0)
    if (const auto stamp = s.socket->take_transmit_stamp())
      carry_out(s, s.machine.on_transmit_stamp(
                     clock_.stamp_of(*stamp, ntp::stamp_kind::kernel), now()));
  if (!s.socket || (events & (POLLIN | POLLERR)) == 0)
    return;
  const auto got = s.socket->receive(buffer_);
  if (!got) {
    // What ICMP says may be forged: the poll only goes unanswered.
    if (got.error().code != platform::errc::would_block)
      s.trouble = got.error().text;
    return;
  }
  const auto t4 = got->stamp
                    ? clock_.stamp_of(*got->stamp, ntp::stamp_kind::kernel)
                    : clock_.stamp_now();
  const auto bytes
    = std::span<const std::byte>{buffer_}.first(got->truncated ? 0 : got->size);
  carry_out(s, s.machine.on_packet(bytes, t4, now()));
}

void client_loop::carry_out(source& s,
                            const ntp::association_actions& actions) {
  for (const auto& action : actions) {
    if (const auto* packet = std::get_if<ntp::send_packet>(&action))
      send_request(s, *packet);
    else if (const auto* m = std::get_if<ntp::measured>(&action))
      s.sample = m->value;
    else if (std::holds_alternative<ntp::state_changed>(action))
      report(s);
    else if (std::holds_alternative<ntp::exchange_over>(action))
      s.socket.reset();
    else if (std::holds_alternative<ntp::reset>(action))
      move_on(s, false);
    else if (std::holds_alternative<ntp::demobilize>(action))
      move_on(s, true);
  }
}

void client_loop::send_request(source& s, const ntp::send_packet& packet) {
  auto opened = plain_socket::open(s.registration.address);
  const auto t1 = clock_.stamp_now();
  const auto sent = opened
                      ? opened->send(std::span{packet.bytes}.first(packet.size))
                      : tl::unexpected(opened.error());
  if (!sent) {
    s.trouble = sent.error().text;
    carry_out(s, s.machine.on_send_failed(now()));
    return;
  }
  s.trouble.clear();
  s.socket = std::move(*opened);
  s.machine.on_sent(t1, now());
}

void client_loop::report(source& s) {
  const auto sample = std::exchange(s.sample, {});
  ++s.polls;
  check_foreign_hand();
  carry_out(steering_.on_report(
    {s.registration.id, s.machine.snapshot(now()), sample}, clock_.read()));
  if (const auto wish = steering_.desired_poll(s.registration.id))
    s.machine.set_desired_poll(*wish, now());
  if (sample && listener_.measured)
    listener_.measured(s, *sample);
}

void client_loop::move_on(source& s, bool refused) {
  s.gone = refused && s.spares.empty();
  if (s.spares.empty())
    return;
  carry_out(steering_.on_removed(s.registration.id, clock_.read()));
  if (!refused)
    s.spares.push_back(s.registration.address);
  s.registration.id = {++last_id_};
  s.registration.address = s.spares.front();
  s.spares.erase(s.spares.begin());
  s.config.iburst = s.unasked > 0;
  s.unasked -= s.unasked > 0 ? 1 : 0;
  s.socket.reset();
  s.polls = 0;
  s.machine = {s.config, random_, now()};
  carry_out(steering_.on_registered(s.registration, clock_.read()));
}

// -- the steering: reports in, corrections out --------------------------------

void client_loop::carry_out(const ntp::steering_actions& actions) {
  for (const auto& action : actions) {
    if (const auto* f = std::get_if<ntp::set_frequency>(&action))
      set_frequency(*f);
    else if (const auto* s = std::get_if<ntp::step_clock>(&action))
      step(*s);
    else if (const auto* k = std::get_if<ntp::set_clock_status>(&action)) {
      if (const auto done
          = clock_.set_status({k->synchronized, k->leap, k->max_error_s,
                               k->estimated_error_s, k->tai_offset});
          !done)
        carry_out(steering_.on_clock_failure(done.error().text, clock_.read()));
    } else if (const auto* p = std::get_if<ntp::poll_sources>(&action)) {
      for (auto& s : sources_)
        s.machine.request_poll(now(), p->spread);
    } else if (const auto* e = std::get_if<ntp::steering_event>(&action)) {
      if (listener_.said)
        listener_.said(*e);
    }
    // Nothing to replace a server by that somebody named, and `exit_program`
    // is never wished for: the configuration does not say so.
  }
}

void client_loop::set_frequency(const ntp::set_frequency& wish) {
  const auto taken = clock_.set_frequency(wish.value, wish.base, wish.slew_end);
  if (!taken) {
    carry_out(steering_.on_clock_failure(taken.error().text, clock_.read()));
    return;
  }
  frequency_set_ = *taken;
  slewing_ = wish.slew_end.has_value();
  base_ = wish.base;
  steering_.on_frequency_set(*taken, clock_.read());
}

void client_loop::step(const ntp::step_clock& wish) {
  if (const auto done = clock_.step(wish.by); !done) {
    carry_out(steering_.on_clock_failure(done.error().text, clock_.read()));
    return;
  }
  for (auto& s : sources_) {
    s.machine.on_clock_stepped(now());
    s.socket.reset();
  }
  carry_out(steering_.on_stepped(wish.by, clock_.read()));
}

void client_loop::check_foreign_hand() {
  if (!frequency_set_ || read_only_)
    return;
  const auto found = clock_.frequency();
  if (!found || same(*found, *frequency_set_))
    return;
  frequency_set_ = *found;
  // We may have been stopped, and the guard has ended the slew for us.
  if (std::exchange(slewing_, false) && same(*found, base_))
    steering_.on_frequency_set(*found, clock_.read());
  else
    carry_out(steering_.on_foreign_frequency(*found, clock_.read()));
}

} // namespace concert::once
