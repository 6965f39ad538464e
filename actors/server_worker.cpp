#include "actors/server_worker.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

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
                             std::uint32_t index)
  : actor_base(cfg, rt, "server_worker", std::to_string(index)),
    hash_key_(rt.make_random()->next()),
    steps_seen_(rt.clock().step_count()) {
  if (!rt.threads())
    return;
  if (auto opened = parking::open())
    parking_.emplace(std::move(*opened));
  else
    log::error("worker-failed", "error=\"{}\"", opened.error().text);
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
    [this](get_port_report ask) { return report(ask.id); },
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
  fds_.clear();
}

void server_worker::on_open(const open_port& wish) {
  const auto it = ports_.find(wish.id);
  if (it != ports_.end() && it->second.listen == wish.listen
      && it->second.socket) {
    it->second.responder.on_config(wish.config);
    return;
  }
  on_close(wish.id);
  port p{wish.listen, nullptr, {}, ntp::responder{wish.config, hash_key_}};
  if (time_)
    p.responder.on_time(*time_);
  auto opened = world().open_server_port(
    wish.listen, [tell = teller<next_batch>()] { tell({}); });
  if (opened) {
    p.socket = std::move(*opened);
    if (p.socket->fd() >= 0)
      fds_.push_back(p.socket->fd());
  } else {
    p.problem = opened.error().text;
  }
  ports_.emplace(wish.id, std::move(p));
}

void server_worker::on_close(server_id id) {
  const auto it = ports_.find(id);
  if (it == ports_.end())
    return;
  if (it->second.socket)
    std::erase(fds_, it->second.socket->fd());
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
    for (auto& [id, p] : ports_)
      if (p.socket)
        discard_queue(*p.socket);
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
  look_for_step();
  std::size_t handled = 0;
  for (auto& [id, p] : ports_)
    if (p.socket)
      handled += serve(p);
  if (handled == 0 && parking_)
    parking_->park(fds_, [this] { return !mailbox().empty(); });
  continue_loop();
}

std::size_t server_worker::serve(port& p) {
  auto& clock = world().clock();
  const auto requests = p.socket->receive();
  if (requests.empty())
    return 0;
  std::array<ntp::reply, platform::server_socket::batch_size> replies{};
  const auto now = world().now();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    const auto received
      = r.received ? clock.wall_of(*r.received) : clock.wall();
    const std::span<const std::byte> bytes{r.bytes};
    // A datagram that did not fit is nothing that a client sends.
    replies[i]
      = p.responder.respond(r.truncated ? bytes.first(0) : bytes, r.client,
                            received, now, p.socket->reply_buffer(i));
  }
  // Receive stamps of before a step do not go with transmit stamps of after.
  if (clock.step_count() == steps_seen_)
    for (std::size_t i = 0; i < requests.size(); ++i)
      if (replies[i].size != 0)
        p.socket->queue_reply(i, replies[i].size);
  const auto queued = p.socket->queued_replies();
  for (auto& q : queued)
    p.responder.stamp(q.bytes, clock.wall());
  const auto refused = std::min(p.socket->flush(), queued.size());
  for (const auto& q : queued.last(refused))
    p.responder.on_send_failed(replies[q.request]);
  return requests.size();
}

port_report server_worker::report(server_id id) {
  port_report result;
  const auto it = ports_.find(id);
  if (it == ports_.end())
    return result;
  auto& p = it->second;
  result.listening = p.socket != nullptr;
  result.problem = p.problem;
  result.local = p.socket ? p.socket->local() : p.listen;
  result.counters = p.responder.counters();
  if (p.socket)
    result.counters.queue_overflows = p.socket->overflows();
  return result;
}

void server_worker::continue_loop() {
  // In simulation a socket with mail asks for the next batch.
  if (parking_)
    send(worker_actor{this}, next_batch{});
}

} // namespace concert::actors
