#include "actors/source.hpp"

#include <utility>

namespace concert::actors {

namespace log = platform::log;

source::source(caf::actor_config& cfg, runtime& rt, source_options options,
               spawner_actor parent)
  : actor_base(cfg, rt, "source", options.registration.address.to_string()),
    options_(std::move(options)),
    spawner_(std::move(parent)),
    random_(rt.make_random()),
    machine_(options_.association, *random_, rt.now(), options_.start_delay,
             options_.nts ? options_.nts->cipher.get() : nullptr),
    timer_(make_deadline_timer()) {
  if (options_.nts)
    machine_.give_credentials(std::move(options_.nts->credentials), rt.now());
  // A source without its spawner has nobody to replace it: the new spawner
  // makes its own.
  monitor(spawner_);
  set_down_handler([this](caf::down_msg&) { quit(); });
}

source::behavior_type source::make_behavior() {
  rearm();
  return {
    [this](const wiring& w) { on_wiring(w); },
    [this](deadline) { on_deadline(); },
    [this](readable which) { on_readable(which); },
    [this](desired_poll wish) {
      machine_.set_desired_poll(wish.poll, world().now());
      rearm();
    },
    [this](clock_stepped) {
      machine_.on_clock_stepped(world().now());
      socket_.reset();
      rearm();
    },
    [this](poll_soon wish) {
      machine_.request_poll(world().now(), wish.spread);
      rearm();
    },
    [this](const credentials_given& given) {
      machine_.give_credentials(given.credentials, world().now());
      rearm();
    },
    [this](network_changed) {
      machine_.set_online(
        !options_.registration.offline
          && world().has_route(options_.registration.address.address),
        world().now());
      rearm();
    },
    [this](const source_reconfigured& change) { on_reconfigured(change); },
    [this](burst_wanted) { on_burst_wanted(); },
    [this](retire) {
      send(spawner_, source_lost{options_.registration.id, loss::rejected});
    },
  };
}

void source::stopped() {
  if (steering_)
    anon_send(steering_, source_removed{options_.registration.id});
  socket_.reset();
  timer_.reset();
  steering_ = nullptr;
  spawner_ = nullptr;
  if (options_.nts)
    options_.nts->spawner = nullptr;
}

void source::on_wiring(const wiring& w) {
  if (w.steering == steering_)
    return;
  steering_ = w.steering;
  send(steering_, source_announcement{options_.registration, this});
  report({});
}

void source::on_reconfigured(const source_reconfigured& change) {
  options_.registration = change.registration;
  machine_.on_config(change.association, world().now());
  if (steering_)
    send(steering_, source_announcement{options_.registration, this});
  report({});
  rearm();
}

void source::on_burst_wanted() {
  const auto now = world().now();
  const double tokens = machine_.snapshot(now).burst_tokens;
  const int polls = machine_.request_burst(now);
  log::info("source-burst", "source={} address={} polls={} tokens={:.1f}{}",
            options_.registration.name,
            options_.registration.address.to_string(), polls, tokens,
            polls == 0 ? " nothing is sent" : "");
  rearm();
}

void source::on_deadline() {
  carry_out(machine_.on_deadline(world().now()));
  rearm();
}

void source::on_readable(readable which) {
  if (!socket_ || which.generation != generation_)
    return;
  read_datagrams();
  if (socket_)
    socket_->notify_readable();
  rearm();
}

void source::read_datagrams() {
  // More than a few per wake can only be somebody's flood: others' turn first.
  for (int i = 0; i < 8 && socket_; ++i) {
    if (auto stamp = socket_->take_transmit_stamp())
      carry_out(machine_.on_transmit_stamp(
        world().clock().stamp_of(stamp->realtime, stamp->kind), world().now()));
    if (!socket_)
      return;
    auto arrival = socket_->receive(buffer_);
    if (!arrival) {
      if (arrival.error().code == platform::errc::would_block)
        return;
      continue; // an ICMP error: the poll will go unanswered
    }
    const auto t4 = arrival->stamp ? world().clock().stamp_of(
                      arrival->stamp->realtime, arrival->stamp->kind)
                                   : world().clock().stamp_now();
    const std::span<const std::byte> all{buffer_};
    carry_out(machine_.on_packet(arrival->truncated ? all.first(0)
                                                    : all.first(arrival->size),
                                 t4, world().now()));
  }
}

void source::send_request(const ntp::send_packet& packet) {
  auto opened = world().open_poll_socket(
    options_.registration.address,
    [tell = teller<readable>(), g = ++generation_] { tell({g}); });
  if (!opened) {
    log::debug("poll-failed", "source={} error=\"{}\"",
               options_.registration.address.to_string(), opened.error().text);
    carry_out(machine_.on_send_failed(world().now()));
    return;
  }
  socket_ = std::move(*opened);
  const auto t1 = world().clock().stamp_now();
  const auto sent = socket_->send(std::span{packet.bytes}.first(packet.size));
  if (!sent) {
    log::debug("poll-failed", "source={} error=\"{}\"",
               options_.registration.address.to_string(), sent.error().text);
    socket_.reset();
    carry_out(machine_.on_send_failed(world().now()));
    return;
  }
  machine_.on_sent(t1, world().now());
  report_cookies(false);
  socket_->notify_readable();
}

void source::carry_out(const ntp::association_actions& actions) {
  for (const auto& action : actions) {
    if (const auto* packet = std::get_if<ntp::send_packet>(&action))
      send_request(*packet);
    else if (const auto* m = std::get_if<ntp::measured>(&action))
      sample_ = m->value;
    else if (std::holds_alternative<ntp::state_changed>(action))
      report(std::exchange(sample_, {}));
    else if (std::holds_alternative<ntp::exchange_over>(action))
      socket_.reset();
    else if (std::holds_alternative<ntp::reset>(action))
      send(spawner_, source_lost{options_.registration.id, loss::silent});
    else if (std::holds_alternative<ntp::demobilize>(action))
      send(spawner_, source_lost{options_.registration.id, loss::refused});
    else if (std::holds_alternative<ntp::nts_keys_needed>(action))
      send(options_.nts->spawner, keys_wanted{options_.registration.id});
    else if (std::holds_alternative<ntp::nts_cookies_changed>(action))
      report_cookies(true);
    else if (const auto* e = std::get_if<ntp::association_event>(&action))
      log_event(*e);
  }
}

void source::report_cookies(bool answered) {
  if (const auto* left = machine_.credentials())
    send(options_.nts->spawner,
         cookies_left{options_.registration.id, *left, answered});
}

void source::log_event(ntp::association_event event) {
  using kind = ntp::association_event::kind;
  const auto& name = options_.registration.name;
  const auto address = options_.registration.address.to_string();
  switch (event.what) {
    case kind::reachable:
      log::info("source-reachable", "source={} address={}", name, address);
      break;
    case kind::unreachable:
      log::warning("source-unreachable", "source={} address={}", name, address);
      break;
    case kind::kiss_rate:
      log_kiss("RATE");
      break;
    case kind::kiss_deny:
      log_kiss("DENY");
      break;
  }
}

void source::log_kiss(std::string_view code) {
  // A server can send one with every answer.
  const auto now = world().now();
  const auto suppressed = kiss_log_.pass(now.time_since_epoch());
  if (!suppressed)
    return;
  log::warning("source-kiss",
               "source={} address={} code={} poll_s={} "
               "not_logged={}",
               options_.registration.name,
               options_.registration.address.to_string(), code,
               1U << machine_.snapshot(now).poll, *suppressed);
}

void source::report(std::optional<ntp::measurement> sample) {
  if (steering_)
    send(steering_, ntp::source_report{options_.registration.id,
                                       machine_.snapshot(world().now()),
                                       std::move(sample)});
}

void source::rearm() {
  if (const auto next = machine_.next_deadline())
    timer_->arm(*next);
  else
    timer_->cancel();
}

} // namespace concert::actors
