#include "actors/supervisor.hpp"

#include "actors/keyset.hpp"
#include "actors/nts_ke_server.hpp"
#include "actors/nts_spawner.hpp"
#include "actors/publisher.hpp"
#include "actors/recorder.hpp"
#include "actors/server.hpp"
#include "actors/server_worker.hpp"
#include "actors/spawner.hpp"
#include "actors/state_keeper.hpp"
#include "platform/readiness.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// The first restart is at once: the whole must re-form within two polls.
constexpr std::chrono::milliseconds second_restart_delay{100};
constexpr std::chrono::seconds last_restart_delay{30};
/// A child that lived this long has recovered.
constexpr std::chrono::seconds stable_life{60};
constexpr std::chrono::milliseconds prepare_limit{300};
constexpr std::chrono::seconds ping_limit{5};
/// A server that an earlier run heard within the longest usual poll interval
/// needs no burst.
constexpr std::chrono::seconds recently{1024};

/// Burst tokens come back one each 64 s, up to 8.
double refilled(double tokens, std::chrono::nanoseconds since) {
  return std::clamp(tokens + ntp::seconds_of(since) / 64, 0.0, 8.0);
}

/// Whether anybody gives out cookies, or gets those that others gave out.
bool uses_cookies(const config::daemon_config& c) {
  return !c.nts_ke_servers.empty()
         || (c.keyset.cluster_secret_file && !c.servers.empty());
}

} // namespace

supervisor::supervisor(caf::actor_config& cfg, runtime& rt,
                       supervisor_options options)
  : actor_base(cfg, rt, "supervisor", ""),
    options_(std::move(options)),
    config_(options_.files.config),
    cookie_keys_(std::make_shared<ntp::secret_bytes>()),
    memory_(options_.memory),
    watchdog_interval_(platform::readiness::watchdog_interval()),
    started_(rt.now()),
    timer_(make_deadline_timer()) {
  const auto passed = std::max<std::chrono::nanoseconds>(
    rt.clock().read().unix_time - options_.saved.time, {});
  for (auto& s : options_.saved.sources) {
    s.burst_tokens = refilled(s.burst_tokens, passed);
    if (s.path && options_.memory.started_this_boot)
      memory_.paths.emplace(s.address, *s.path);
  }
  just_heard_ = options_.memory.started_this_boot && passed < recently;
  // Where we do not set it, nobody says when it is right.
  clock_was_set_ = options_.memory.started_this_boot
                   || config_->steering.read_only || config_->sources.empty();
  set_down_handler([this](caf::down_msg& d) { on_down(d); });
  set_exit_handler([this](caf::exit_msg&) { stop(0); });
}

supervisor::behavior_type supervisor::make_behavior() {
  start_all();
  return {
    [this](deadline) { on_deadline(); },
    [this](signal_received s) { on_signal(s.number); },
    [this](const config_changed& c) { on_config(c); },
    [this](network_changed) { on_network_change(); },
    [this](clock_was_set) { on_clock_set(); },
    [this](clock_stepped stepped) {
      memory_.accumulated_steps_s = stepped.accumulated_s;
      if (keyset_)
        send(peers_.keyset, stepped);
    },
    [this](exit_requested e) { stop(e.code); },
  };
}

void supervisor::stopped() {
  timer_.reset();
  peers_ = {};
  workers_.clear();
  servers_.clear();
  spawners_.clear();
  nts_ke_servers_.clear();
  children_.clear();
  options_.ended(exit_code_);
}

void supervisor::start_all() {
  state_keeper_ = &add_child("state_keeper", [this] {
    peers_.state_keeper
      = spawn_actor<state_keeper>(system(), world(), options_.state_file);
    return peers_.state_keeper.address();
  });
  config_manager_ = &add_child("config_manager", [this] {
    auto files = options_.files;
    files.config = config_;
    peers_.config_manager
      = spawn_actor<config_manager>(system(), world(), std::move(files));
    return peers_.config_manager.address();
  });
  add_child("steering", [this] {
    peers_.steering = spawn_actor<steering>(system(), world(),
                                            steering_options{config_, memory_});
    // A second one starts from what the clock does now, and never steps by the
    // rules of a start; what was stepped so far still counts.
    const auto sum = memory_.accumulated_steps_s;
    memory_ = {};
    memory_.started_this_boot = true;
    memory_.accumulated_steps_s = sum;
    return peers_.steering.address();
  });
  add_child("publisher", [this] {
    peers_.publisher
      = spawn_actor<publisher>(system(), world(), config_, started_);
    return peers_.publisher.address();
  });
  add_child("recorder", [this] {
    peers_.recorder
      = spawn_actor<recorder>(system(), world(), config_->observability);
    return peers_.recorder.address();
  });
  keep_keyset();
  if (!config_->servers.empty())
    while (workers_.size() < options_.workers)
      add_worker(static_cast<std::uint32_t>(workers_.size()));
  for (const auto& c : config_->servers)
    add_server(c);
  for (const auto& c : config_->nts_ke_servers)
    add_nts_ke_server(c);
  for (const auto& c : config_->sources)
    add_spawner(c);
  tell_wiring();
  world().on_signal([tell = teller<signal_received>()](int n) { tell({n}); });
  world().on_network_change([tell = teller<network_changed>()] { tell({}); });
  if (watchdog_interval_)
    next_watchdog_ = world().now() + *watchdog_interval_;
  // In virtual time nothing takes any.
  if (world().threads())
    next_look_ = world().now() + stuck_watch::interval;
  arm_timer();
  platform::readiness::ready("running");
}

supervisor::child&
supervisor::add_child(std::string name,
                      std::function<caf::actor_addr()> start) {
  auto& c = children_.emplace_back();
  c.name = std::move(name);
  c.start = std::move(start);
  start_child(c);
  return c;
}

void supervisor::start_child(child& c) {
  c.restart_at.reset();
  c.started = world().now();
  c.address = c.start();
  monitor(c.address);
}

void supervisor::drop_child(child* c) {
  demonitor(c->address);
  if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(c->address))
    anon_send_exit(strong, caf::exit_reason::user_shutdown);
  children_.remove_if([c](const child& x) { return &x == c; });
}

void supervisor::add_worker(std::uint32_t index) {
  workers_.emplace_back();
  add_child("server_worker", [this, index] {
    workers_[index] = spawn_actor<server_worker>(
      system(), world(), worker_options{index, options_.pin_workers});
    return workers_[index].address();
  });
}

void supervisor::add_server(const config::server_config& config) {
  auto& slot = servers_.emplace_back();
  slot.id = {++last_server_id_};
  slot.config = config;
  slot.life = &add_child("server", [this, &slot] {
    slot.handle = spawn_actor<server>(system(), world(),
                                      server_options{slot.id, slot.config});
    return slot.handle.address();
  });
}

void supervisor::add_spawner(const config::source_config& config) {
  auto& slot = spawners_.emplace_back();
  slot.config = config;
  slot.life
    = &add_child("spawner", [this, &slot] { return start_spawner(slot); });
}

caf::actor_addr supervisor::start_spawner(spawner_slot& slot) {
  spawner_options entry{slot.config, saved_of(slot.config), just_heard_};
  if (config::has_nts(slot.config.mode)) {
    slot.nts = spawn_actor<nts_spawner>(
      system(), world(),
      nts_spawner_options{std::move(entry), config_->steering.not_before,
                          clock_was_set_});
    slot.handle = slot.nts;
  } else {
    slot.handle = spawn_actor<spawner>(system(), world(), std::move(entry));
  }
  return slot.handle.address();
}

void supervisor::add_nts_ke_server(const config::nts_ke_server_config& config) {
  auto& slot = nts_ke_servers_.emplace_back();
  slot.config = config;
  slot.life = &add_child("nts_ke_server", [this, &slot] {
    slot.handle = spawn_actor<nts_ke_server>(
      system(), world(), nts_ke_server_options{slot.config});
    return slot.handle.address();
  });
}

/// Sees to it that there is a keyset if one is needed, and only then.
void supervisor::keep_keyset() {
  const bool needed = uses_cookies(*config_);
  if (needed == (keyset_ != nullptr))
    return;
  if (needed) {
    keyset_ = &add_child("keyset", [this] {
      peers_.keyset = spawn_actor<keyset>(
        system(), world(),
        keyset_options{config_->keyset, clock_was_set_, cookie_keys_});
      return peers_.keyset.address();
    });
    return;
  }
  drop_child(std::exchange(keyset_, nullptr));
  peers_.keyset = nullptr;
  for (const auto& worker : workers_)
    anon_send(worker, cookie_keys_changed{});
}

std::vector<platform::saved_source>
supervisor::saved_of(const config::source_config& config) const {
  std::vector<platform::saved_source> result;
  std::copy_if(options_.saved.sources.begin(), options_.saved.sources.end(),
               std::back_inserter(result),
               [name = config.address.to_string()](const auto& s) {
                 return s.name == name;
               });
  return result;
}

void supervisor::tell_wiring() {
  peers_.supervisor = supervisor_actor{this};
  peers_.workers = workers_;
  peers_.servers.clear();
  for (const auto& s : servers_)
    peers_.servers.push_back(s.handle);
  peers_.sources.clear();
  peers_.nts_sources.clear();
  for (const auto& s : spawners_) {
    peers_.sources.emplace_back(s.config.address.to_string(), s.handle);
    if (s.nts)
      peers_.nts_sources.push_back(s.nts);
  }
  peers_.nts_ke_servers.clear();
  for (const auto& s : nts_ke_servers_)
    peers_.nts_ke_servers.push_back(s.handle);
  if (keyset_)
    send(peers_.keyset, peers_);
  send(peers_.steering, peers_);
  send(peers_.config_manager, peers_);
  send(peers_.publisher, peers_);
  for (const auto& s : peers_.servers)
    send(s, peers_);
  for (const auto& s : peers_.nts_ke_servers)
    send(s, peers_);
  for (const auto& s : spawners_)
    send(s.handle, peers_);
}

void supervisor::on_deadline() {
  if (phase_ != phase::running)
    return;
  const auto now = world().now();
  bool restarted = false;
  for (auto& c : children_)
    if (c.restart_at && *c.restart_at <= now) {
      start_child(c);
      restarted = true;
    }
  if (restarted)
    tell_wiring();
  if (reload_waits_ && !config_manager_->restart_at) {
    reload_waits_ = false;
    send(peers_.config_manager, reload{});
  }
  if (watchdog_interval_ && now >= next_watchdog_) {
    next_watchdog_ = now + *watchdog_interval_;
    feed_watchdog();
  }
  if (now >= next_look_) {
    next_look_ = now + stuck_watch::interval;
    stuck_watch_.look(world().registry());
  }
  arm_timer();
}

void supervisor::on_down(const caf::down_msg& down) {
  const auto it
    = std::find_if(children_.begin(), children_.end(),
                   [&](const child& c) { return c.address == down.source; });
  if (it == children_.end())
    return;
  auto& c = *it;
  if (phase_ == phase::stopping || phase_ == phase::saving) {
    children_.erase(it);
    stop_next_phase();
    return;
  }
  const auto now = world().now();
  if (now - c.started > stable_life)
    c.restarts = 0;
  const auto delay
    = c.restarts == 0 ? std::chrono::nanoseconds{}
                      : std::min<std::chrono::nanoseconds>(
                        second_restart_delay * (1 << std::min(c.restarts, 10U)),
                        last_restart_delay);
  ++c.restarts;
  log::error("actor-restarts", "actor={} delay_s={} reason=\"{}\"", c.name,
             ntp::seconds_of(delay), system().render(down.reason));
  c.restart_at = now + delay;
  on_deadline();
}

void supervisor::on_signal(int number) {
  if (number == SIGHUP && config_manager_->restart_at)
    reload_waits_ = true;
  else if (number == SIGHUP)
    send(peers_.config_manager, reload{});
  else
    stop(0);
}

void supervisor::on_config(const config_changed& change) {
  if (phase_ != phase::running)
    return;
  auto d = config::difference(*config_, *change.config);
  config_ = change.config;
  change_sources(d);
  keep_keyset();
  if (keyset_ && d.keyset_changed)
    send(peers_.keyset, keyset_config_changed{config_->keyset});
  change_servers(d);
  for (const auto& c : d.added_sources)
    add_spawner(c);
  tell_wiring();
  // Files that are named as before may have other contents.
  if (keyset_)
    send(peers_.keyset, reload{});
  for (const auto& s : nts_ke_servers_)
    send(s.handle, reload{});
}

void supervisor::change_sources(const config::config_difference& d) {
  const auto spawner_of = [this](const config::source_config& c) {
    return std::find_if(spawners_.begin(), spawners_.end(),
                        [&](const auto& s) { return s.config == c; });
  };
  for (const auto& [before, after] : d.modified_sources) {
    const auto it = spawner_of(before);
    if (it == spawners_.end())
      continue;
    it->config = after;
    send(it->handle, source_config_changed{after});
  }
  for (const auto& gone : d.removed_sources) {
    const auto it = spawner_of(gone);
    if (it == spawners_.end())
      continue;
    drop_child(it->life);
    spawners_.erase(it);
  }
}

/// Ends what is gone. What stays in its place keeps its sockets and counters:
/// it hears of its new configuration, which is then taken out of `added`.
template <class Change, class Slot, class Config, class SamePlace>
void supervisor::change_slots(std::list<Slot>& slots,
                              const std::vector<Config>& removed,
                              std::vector<Config>& added,
                              SamePlace same_place) {
  for (const auto& gone : removed) {
    const auto slot
      = std::find_if(slots.begin(), slots.end(),
                     [&](const auto& s) { return s.config == gone; });
    if (slot == slots.end())
      continue;
    const auto next
      = std::find_if(added.begin(), added.end(),
                     [&](const auto& c) { return same_place(c, gone); });
    if (next == added.end()) {
      drop_child(slot->life);
      slots.erase(slot);
      continue;
    }
    slot->config = *next;
    send(slot->handle, Change{*next});
    added.erase(next);
  }
}

void supervisor::change_servers(config::config_difference& d) {
  change_slots<server_config_changed>(
    servers_, d.removed_servers, d.added_servers,
    [](const auto& a, const auto& b) {
      return a.listen == b.listen && a.interface == b.interface;
    });
  change_slots<nts_ke_server_config_changed>(
    nts_ke_servers_, d.removed_nts_ke_servers, d.added_nts_ke_servers,
    [](const auto& a, const auto& b) { return a.listen == b.listen; });
  if (!config_->servers.empty())
    while (workers_.size() < options_.workers)
      add_worker(static_cast<std::uint32_t>(workers_.size()));
  for (const auto& c : d.added_servers)
    add_server(c);
  for (const auto& c : d.added_nts_ke_servers)
    add_nts_ke_server(c);
}

void supervisor::on_clock_set() {
  if (std::exchange(clock_was_set_, true))
    return;
  if (keyset_)
    send(peers_.keyset, clock_was_set{});
  for (const auto& s : spawners_)
    send(s.handle, clock_was_set{});
}

void supervisor::on_network_change() {
  for (const auto& s : servers_)
    send(s.handle, network_changed{});
  for (const auto& s : spawners_)
    send(s.handle, network_changed{});
  send(peers_.steering, network_changed{});
}

void supervisor::feed_watchdog() {
  // Fed only while the pool answers too, not just this thread.
  request(peers_.steering, ping_limit, ping{})
    .then([](pong) { platform::readiness::watchdog(); },
          [](const caf::error& e) {
            log::error("watchdog", "the steering does not answer: {}",
                       static_cast<int>(e.code()));
          });
}

void supervisor::arm_timer() {
  auto next = next_look_;
  for (const auto& c : children_)
    if (c.restart_at)
      next = std::min(next, *c.restart_at);
  if (watchdog_interval_)
    next = std::min(next, next_watchdog_);
  if (next == ntp::mono_time::max())
    timer_->cancel();
  else
    timer_->arm(next);
}

void supervisor::stop(int code) {
  if (phase_ != phase::running)
    return;
  phase_ = phase::preparing;
  exit_code_ = code;
  platform::readiness::stopping();
  log::info("stopping", "code={}", code);
  // First of all the clock is left as it should be.
  request(peers_.steering, prepare_limit, prepare_stop{})
    .then([this](stop_prepared) { stop_children(); },
          [this](const caf::error&) { stop_children(); });
}

void supervisor::stop_children() {
  phase_ = phase::stopping;
  children_.remove_if([](const child& c) { return c.restart_at.has_value(); });
  std::for_each(children_.rbegin(), children_.rend(), [this](const child& c) {
    if (&c == state_keeper_)
      return;
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(c.address))
      anon_send_exit(strong, caf::exit_reason::user_shutdown);
  });
  stop_next_phase();
}

void supervisor::stop_next_phase() {
  if (children_.empty()) {
    quit();
    return;
  }
  if (phase_ == phase::stopping && children_.size() == 1
      && &children_.front() == state_keeper_) {
    phase_ = phase::saving;
    send(peers_.state_keeper, end_when_saved{});
  }
}

} // namespace concert::actors
