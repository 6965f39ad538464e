#include "actors/spawner.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

spawner::spawner(caf::actor_config& cfg, runtime& rt, spawner_options options)
  : actor_base(cfg, rt, "spawner", options.source.address.to_string()),
    entry_(std::move(options)),
    random_(rt.make_random()),
    remotes_(entry_.wanted(), entry_.config().ignore, *random_),
    timer_(make_deadline_timer()) {
  std::vector<ntp::ip_address> addresses;
  for (const auto& s : entry_.saved())
    addresses.push_back(s.address.address);
  remotes_.remember(addresses);
  set_down_handler([this](caf::down_msg& d) { on_source_down(d); });
}

spawner::behavior_type spawner::make_behavior() {
  return {
    [this](const wiring& w) { on_wiring(w); },
    [this](deadline) { refill(); },
    [this](const resolved& answer) { on_resolved(answer); },
    [this](source_lost lost) { on_lost(lost); },
    [this](network_changed change) {
      for (auto& [address, m] : members_)
        send(m.handle, change);
      remotes_.retry_soon(world().now());
      refill();
    },
    [this](const source_config_changed& change) { on_config(change.config); },
    [this](burst_wanted wish) {
      for (auto& [address, m] : members_)
        send(m.handle, wish);
    },
    [](clock_was_set) {
      // A matter of certificates.
    },
  };
}

void spawner::stopped() {
  for (auto& [address, m] : members_)
    caf::anon_send_exit(m.handle, caf::exit_reason::user_shutdown);
  members_.clear();
  timer_.reset();
  peers_ = {};
}

void spawner::on_wiring(const wiring& w) {
  peers_ = w;
  wired_ = true;
  for (auto& [address, m] : members_)
    send(m.handle, peers_);
  refill();
}

void spawner::on_resolved(const resolved& answer) {
  const auto now = world().now();
  if (answer.answer) {
    auto addresses = answer.answer->addresses;
    entry_.leave_usable(addresses, world());
    remotes_.on_addresses(addresses, now);
  } else {
    log::warning("name-failed", "source={} error=\"{}\"", entry_.name(),
                 answer.answer.error().text);
    remotes_.on_failure(now);
  }
  refill();
}

void spawner::on_config(const config::source_config& config) {
  if (entry_.config().offline && !config.offline)
    remotes_.retry_soon(world().now());
  entry_.set_config(config);
  for (const auto& address :
       remotes_.set_wanted(entry_.wanted(), config.ignore))
    end_source(address);
  // Of too many the youngest are known least.
  for (auto surplus = remotes_.surplus(); surplus > 0; --surplus)
    end_source(std::max_element(members_.begin(), members_.end(),
                                [](const auto& a, const auto& b) {
                                  return a.second.started < b.second.started;
                                })
                 ->first);
  for (auto& [address, m] : members_)
    send(m.handle,
         entry_.reconfigured(m.id, {address, config.address.port}, world()));
  refill();
}

void spawner::on_lost(source_lost lost) {
  const auto it
    = std::find_if(members_.begin(), members_.end(),
                   [&](const auto& m) { return m.second.id == lost.id; });
  if (it == members_.end())
    return;
  const auto address = it->first;
  const auto now = world().now();
  bool ends = true;
  switch (lost.why) {
    case loss::silent:
      ends = remotes_.on_silent(address, now);
      break;
    case loss::rejected:
      ends = remotes_.can_replace();
      if (ends)
        remotes_.on_useless(address, now);
      break;
    case loss::refused:
      log::warning("source-refused", "source={} address={}", entry_.name(),
                   address.to_string());
      remotes_.on_useless(address, now);
      break;
  }
  if (ends)
    end_source(address);
  refill();
}

void spawner::end_source(ntp::ip_address address) {
  const auto it = members_.find(address);
  demonitor(it->second.handle.address());
  send_exit(it->second.handle, caf::exit_reason::user_shutdown);
  members_.erase(it);
  remotes_.on_ended(address);
}

void spawner::on_source_down(const caf::down_msg& down) {
  const auto it
    = std::find_if(members_.begin(), members_.end(), [&](const auto& m) {
        return m.second.handle.address() == down.source;
      });
  if (it == members_.end())
    return;
  log::error("source-died", "source={} address={} reason=\"{}\"", entry_.name(),
             it->first.to_string(), system().render(down.reason));
  const auto address = it->first;
  const auto now = world().now();
  // What fails at once would fail again, and each time with a request.
  if (now - it->second.started < shortest_life)
    remotes_.leave_alone(address, now, rest_after_failure);
  members_.erase(it);
  remotes_.on_ended(address);
  refill();
}

void spawner::refill() {
  if (!wired_)
    return;
  const auto now = world().now();
  while (auto address = remotes_.next(now))
    start_source(*address);
  if (entry_.may_look_up() && remotes_.wants_resolution(now))
    world().resolve(entry_.config().address.host,
                    [tell = teller<resolved>()](auto answer) {
                      tell(resolved{std::move(answer)});
                    });
  arm_retry();
}

void spawner::start_source(const ntp::ip_address& address) {
  auto o = entry_.options_for({address, entry_.config().address.port}, world(),
                              *random_);
  log::info("source-added", "source={} address={}", o.registration.name,
            o.registration.address.to_string());
  const auto id = o.registration.id;
  auto handle
    = spawn_actor<source>(system(), world(), std::move(o), spawner_actor{this});
  monitor(handle);
  send(handle, peers_);
  members_.emplace(address, member{id, std::move(handle), world().now()});
}

void spawner::arm_retry() {
  if (const auto next = remotes_.next_deadline(); next && entry_.may_look_up())
    timer_->arm(*next);
  else
    timer_->cancel();
}

} // namespace concert::actors
