#include "actors/server_worker.hpp"

#include "platform/affinity.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// So many replies get their transmit times from one reading of the clock: the
/// further from it, the less is known of when a reply will leave.
constexpr std::size_t group_size = 16;

/// Requests that wait since before a step of the clock carry receive stamps of
/// a time that is no more. More than a full receive buffer never waits.
void discard_queue(server_port& socket) {
  constexpr int most_batches = 256;
  for (int i = 0; i < most_batches && !socket.receive().empty(); ++i) {
    // nop
  }
}

} // namespace

server_worker::server_worker(caf::actor_config& cfg, runtime& rt,
                             worker_options options)
  : actor_base(cfg, rt, "server_worker", std::to_string(options.index)),
    options_(options),
    hash_key_(rt.make_random()->next()),
    steps_seen_(rt.clock().step_count()) {
  prepare_nts();
  if (!rt.threads())
    return;
  if (auto opened = parking::open())
    parking_.emplace(std::move(*opened));
  else
    log::error("worker-failed", "error=\"{}\"", opened.error().text);
}

/// What NTS needs, made before anybody waits for an answer. Without it requests
/// with NTS get silence, as if there were no keys.
void server_worker::prepare_nts() {
  auto cipher = world().make_cipher();
  auto nonces = world().make_nonces();
  if (cipher && nonces) {
    cipher_ = std::move(*cipher);
    nonces_ = std::move(*nonces);
    return;
  }
  log::error("nts-unavailable", "worker={} error=\"{}\"", options_.index,
             (cipher ? nonces.error() : cipher.error()).text);
}

void server_worker::initialize() {
  actor_base::initialize();
  if (!options_.pin || !world().threads())
    return;
  if (const auto r = platform::pin_this_thread(options_.index); !r)
    log::warning("pinning-failed", "worker={} error=\"{}\"", options_.index,
                 r.error().text);
}

server_worker::behavior_type server_worker::make_behavior() {
  continue_loop();
  return {
    [this](const open_port& wish) { on_open(wish); },
    [this](const close_port& wish) { on_close(wish.id); },
    [this](const ntp::served_time& time) {
      on_time(time);
      look_for_step();
    },
    [this](next_batch) { on_batch(); },
    [this](const cookie_keys_changed& changed) {
      on_keys(changed);
      return cookie_keys_taken{};
    },
    [this](const get_port_report& ask) { return report(ask); },
  };
}

void server_worker::enqueue(caf::mailbox_element_ptr p,
                            caf::execution_unit* eu) {
  actor_base::enqueue(std::move(p), eu);
  if (parking_)
    parking_->wake();
}

void server_worker::stopped() {
  ports_.clear();
  cookie_keys_.reset();
  fds_.clear();
}

void server_worker::on_keys(const cookie_keys_changed& changed) {
  cookie_keys_ = changed.keys;
  for (auto& [id, p] : ports_)
    p.responder.on_keys(cookie_keys_);
}

void server_worker::on_open(const open_port& wish) {
  const auto [it, is_new] = ports_.try_emplace(
    wish.id,
    port{wish.listen,
         wish.options,
         nullptr,
         {},
         ntp::responder{wish.config, hash_key_, cipher_.get(), nonces_.get()},
         {}});
  auto& p = it->second;
  if (is_new) {
    p.responder.on_keys(cookie_keys_);
    if (time_)
      p.responder.on_time(*time_);
  } else {
    p.responder.on_config(wish.config);
  }
  if (p.socket && p.options == wish.options && !p.socket->is_stale())
    return;
  p.options = wish.options;
  close_socket(p);
  open_socket(p);
}

void server_worker::open_socket(port& p) {
  auto opened = world().open_server_port(
    p.listen, p.options, [tell = teller<next_batch>()] { tell({}); });
  if (!opened) {
    p.problem = opened.error().text;
    return;
  }
  p.problem.clear();
  p.socket = std::move(*opened);
  if (p.socket->fd() >= 0)
    fds_.push_back(p.socket->fd());
}

void server_worker::close_socket(port& p) {
  if (!p.socket)
    return;
  p.responder.on_queue_overflow(p.socket->overflows());
  std::erase(fds_, p.socket->fd());
  p.socket.reset();
}

void server_worker::on_close(server_id id) {
  const auto it = ports_.find(id);
  if (it == ports_.end())
    return;
  close_socket(it->second);
  ports_.erase(it);
}

void server_worker::on_time(const ntp::served_time& time) {
  time_ = time;
  for (auto& [id, p] : ports_)
    p.responder.on_time(time);
}

void server_worker::look_for_step() {
  const auto steps = world().clock().step_count();
  if (steps != steps_seen_) {
    steps_seen_ = steps;
    for (auto& [id, p] : ports_) {
      p.stamps.forget_awaited();
      if (p.socket)
        discard_queue(*p.socket);
    }
  }
  if (!time_ || time_->step_count == steps)
    return;
  // The line of before the step does not hold any more; right after it, the
  // clock itself is the best there is.
  auto plain = *time_;
  plain.offset_s = 0;
  plain.rate = 0;
  plain.step_count = steps;
  on_time(plain);
}

void server_worker::on_batch() {
  // A message for each batch would cost more than its only request often does.
  constexpr int most_rounds = 64;
  for (int i = 0;
       i < most_rounds && (i == 0 || (parking_ && mailbox().empty())); ++i)
    serve_all();
  continue_loop();
}

/// One batch of every port; sleeps first if the last ones were small.
void server_worker::serve_all() {
  // Below this, asking whether there are more requests costs more than going
  // to sleep, which asks too.
  constexpr std::size_t large = 8;
  if (last_handled_ < large && parking_) {
    actor_stats::resting_scope resting{stats()};
    parking_->park(fds_, [this] { return !mailbox().empty(); });
  }
  look_for_step();
  last_handled_ = 0;
  for (auto& [id, p] : ports_)
    if (p.socket)
      last_handled_ += serve(p);
}

std::size_t server_worker::serve(port& p) {
  learn_transmit_stamps(p);
  const auto requests = p.socket->receive();
  if (!requests.empty())
    answer(p, requests);
  return requests.size();
}

void server_worker::answer(port& p,
                           std::span<const server_port::request> requests) {
  auto& clock = world().clock();
  replies replies;
  ntp::ntp_timestamp arrived;
  const auto now = world().now();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    const auto received
      = r.received ? clock.wall_of(*r.received) : clock.wall();
    if (i == 0)
      arrived = received;
    const std::span<const std::byte> bytes{r.bytes};
    // A datagram that did not fit is nothing that a client sends.
    replies[i]
      = p.responder.respond(r.truncated ? bytes.first(0) : bytes, r.client,
                            received, now, p.socket->reply_buffer(i));
  }
  p.stamps.on_batch(arrived);
  for (std::size_t i = 0; i < requests.size(); i += group_size) {
    // Receive stamps of before a step do not go with transmit stamps of after.
    if (clock.step_count() != steps_seen_)
      return;
    send_group(p, replies, i, std::min(i + group_size, requests.size()));
  }
}

/// Sends the replies to the requests from `begin` to before `end`.
void server_worker::send_group(port& p, replies& replies, std::size_t begin,
                               std::size_t end) {
  const auto answered = static_cast<std::size_t>(
    std::count_if(replies.begin() + static_cast<std::ptrdiff_t>(begin),
                  replies.begin() + static_cast<std::ptrdiff_t>(end),
                  [](const ntp::reply& r) { return r.size != 0; }));
  if (answered == 0)
    return;
  const auto probe = p.stamps.next_probe(answered);
  for (std::size_t i = begin, place = 0; i < end; ++i) {
    const auto& r = replies[i];
    if (r.size == 0)
      continue;
    std::optional<std::uint64_t> tag;
    if (r.wants_transmit_stamp || place == probe)
      tag = p.stamps.expect(r.slot, place);
    p.socket->queue_reply(i, r.size, tag);
    ++place;
  }
  stamp_queued(p, replies);
  const auto refused = p.socket->flush();
  for (std::size_t i = begin; i < end; ++i)
    if (replies[i].size != 0)
      p.responder.on_sent(replies[i]);
  for (const auto request : refused)
    p.responder.on_send_failed(replies[request]);
}

/// Stamps and seals what is about to be sent. A seal covers the stamp, and so
/// comes after it and makes it older: by what seals have taken lately.
void server_worker::stamp_queued(port& p, replies& replies) {
  const auto queued = p.socket->queued_replies();
  const auto seals = static_cast<std::size_t>(
    std::count_if(queued.begin(), queued.end(), [&](const auto& q) {
      return replies[q.request].seal_ticket != 0;
    }));
  auto start = world().clock().wall();
  const auto sealed = start + p.stamps.time_of_seals(seals);
  for (std::size_t place = 0; place < queued.size(); ++place)
    p.responder.stamp(replies[queued[place].request], queued[place].bytes,
                      sealed + p.stamps.delay_of(place));
  if (seals > 0) {
    const auto end = world().clock().wall();
    p.stamps.on_seals(seals, end - start);
    start = end;
  }
  p.stamps.on_start(start);
}

void server_worker::learn_transmit_stamps(port& p) {
  for (const auto& sent : p.socket->take_transmit_stamps()) {
    const auto left = world().clock().wall_of(sent.realtime);
    if (const auto slot = p.stamps.on_stamp(sent.tag, left))
      p.responder.on_transmit_stamp(*slot, left);
  }
}

port_report server_worker::report(const get_port_report& ask) {
  port_report result;
  const auto it = ports_.find(ask.id);
  if (it == ports_.end())
    return result;
  auto& p = it->second;
  result.listening = p.socket != nullptr;
  result.problem = p.problem;
  result.local = p.socket ? p.socket->local() : p.listen;
  result.counters = p.responder.counters();
  if (p.socket)
    result.counters.queue_overflows += p.socket->overflows();
  result.transmit_delay_s = p.stamps.learnt_delay_s();
  if (ask.top_clients > 0)
    result.top_clients = p.responder.top_clients(ask.top_clients);
  return result;
}

void server_worker::continue_loop() {
  // In simulation a socket with mail asks for the next batch.
  if (parking_)
    send(worker_actor{this}, next_batch{});
}

} // namespace concert::actors
