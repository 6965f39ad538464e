#include "actors/spawner.hpp"

#include "actors/source.hpp"
#include "ntp_core/crypto/reference_id.hpp"
#include "platform/hash.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::int8_t link_min_poll = 4; ///< 16 s, on our own link
constexpr std::int8_t far_min_poll = 6;  ///< 64 s, beyond it
constexpr std::int8_t usual_max_poll = 10;

/// Spreads the first polls of many sources.
constexpr std::chrono::milliseconds start_spread{100};

/// A source that died younger is not started again at once.
constexpr std::chrono::seconds shortest_life{60};
constexpr std::chrono::seconds rest_after_failure{60};

std::uint32_t wanted(const config::source_config& c) {
  return c.mode == config::source_mode::pool ? c.count : 1;
}

ntp::association_config association_of(const config::source_config& c,
                                       bool on_link, double tokens) {
  ntp::association_config a;
  a.version = c.ntp_version;
  const auto least = on_link ? link_min_poll : far_min_poll;
  a.max_poll
    = c.max_poll.value_or(std::max(usual_max_poll, c.min_poll.value_or(least)));
  a.min_poll = c.min_poll.value_or(std::min(least, a.max_poll));
  a.initial_poll
    = std::clamp(c.initial_poll.value_or(a.min_poll), a.min_poll, a.max_poll);
  a.iburst = c.iburst;
  a.interleaved = c.interleaved;
  a.burst_tokens = tokens;
  return a;
}

} // namespace

spawner::spawner(caf::actor_config& cfg, runtime& rt, spawner_options options)
  : actor_base(cfg, rt, "spawner", options.source.address.to_string()),
    options_(std::move(options)),
    random_(rt.make_random()),
    remotes_(wanted(options_.source), options_.source.ignore, *random_),
    timer_(make_deadline_timer()) {
  std::vector<ntp::ip_address> addresses;
  for (const auto& s : options_.saved) {
    addresses.push_back(s.address.address);
    if (options_.just_heard)
      asked_.insert(s.address.address);
  }
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
    // A machine that serves in a pool must not become its own source.
    if (options_.source.mode == config::source_mode::pool)
      std::erase_if(addresses, [own = world().own_addresses()](const auto& a) {
        return !a.is_loopback()
               && std::find(own.begin(), own.end(), a) != own.end();
      });
    remotes_.on_addresses(addresses, now);
  } else {
    log::warning("name-failed", "source={} error=\"{}\"",
                 options_.source.address.to_string(),
                 answer.answer.error().text);
    remotes_.on_failure(now);
  }
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
      log::warning("source-refused", "source={} address={}",
                   options_.source.address.to_string(), address.to_string());
      remotes_.on_useless(address, now);
      break;
  }
  if (ends)
    end_source(address);
  refill();
}

void spawner::end_source(const ntp::ip_address& address) {
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
  log::error("source-died", "source={} address={} reason=\"{}\"",
             options_.source.address.to_string(), it->first.to_string(),
             system().render(down.reason));
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
  if (remotes_.wants_resolution(now))
    world().resolve(options_.source.address.host,
                    [tell = teller<resolved>()](auto answer) {
                      tell(resolved{std::move(answer)});
                    });
  arm_retry();
}

void spawner::start_source(const ntp::ip_address& address) {
  const auto& c = options_.source;
  source_options o;
  o.registration.id = {world().next_id()};
  o.registration.name = c.address.to_string();
  o.registration.address = {address, c.address.port};
  o.registration.reference_id = ntp::reference_id_of(address, &platform::md5);
  o.registration.prefer = c.prefer;
  o.registration.noselect = c.noselect;
  o.registration.offset_correction_s = c.offset_s;
  const auto saved = std::find_if(
    options_.saved.begin(), options_.saved.end(),
    [&](const auto& s) { return s.address == o.registration.address; });
  o.association
    = association_of(c, world().is_on_link(address),
                     saved == options_.saved.end() ? 8 : saved->burst_tokens);
  if (asked_.size() > remote_set::max_known)
    asked_.clear();
  if (!asked_.insert(address).second)
    o.association.iburst = false;
  o.association.online = world().has_route(address);
  o.registration.min_poll = o.association.min_poll;
  o.registration.max_poll = o.association.max_poll;
  o.start_delay
    = ntp::nanoseconds_of(random_->uniform() * ntp::seconds_of(start_spread));
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
  if (const auto next = remotes_.next_deadline())
    timer_->arm(*next);
  else
    timer_->cancel();
}

} // namespace concert::actors
