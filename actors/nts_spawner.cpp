#include "actors/nts_spawner.hpp"

#include "actors/remote_set.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// For the disk.
constexpr std::chrono::seconds jar_limit{10};

/// After a change of the network, exchanges come no faster than this.
constexpr std::chrono::seconds least_spacing{10};

/// So often the server of an earlier run's cookies is looked for: the name
/// service may come up later than we do.
constexpr int most_resumptions = 10;

constexpr std::size_t most_denied = 64;

/// "host-port", and a number where there are several.
std::string jar_name(const config::source_config& c, std::size_t index) {
  auto name = fmt::format("{}-{}", c.address.host, c.address.port);
  if (config::is_pool(c.mode))
    name += fmt::format("-{}", index + 1);
  for (char& x : name) {
    const bool plain = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z')
                       || (x >= '0' && x <= '9') || x == '.' || x == '-';
    if (!plain)
      x = '_';
  }
  return name;
}

/// Whether keys came from the same exchange.
bool is_of(const ntp::session_keys& keys, const ntp::nts_credentials& all) {
  return keys == all.keys || (all.alternate && keys == *all.alternate);
}

} // namespace

nts_spawner::nts_spawner(caf::actor_config& cfg, runtime& rt,
                         nts_spawner_options options)
  : actor_base(cfg, rt, "spawner", options.entry.source.address.to_string()),
    entry_(std::move(options.entry)),
    not_before_(options.not_before),
    clock_was_set_(options.clock_was_set),
    random_(rt.make_random()),
    timer_(make_deadline_timer()) {
  while (slots_.size() < entry_.wanted())
    add_slot();
  if (auto cipher = rt.make_cipher()) {
    cipher_ = std::move(*cipher);
  } else {
    cipher_problem_ = cipher.error().text;
    log::error("nts-unavailable", "source={} error=\"{}\"", entry_.name(),
               cipher_problem_);
  }
  set_down_handler([this](caf::down_msg& d) { on_source_down(d); });
}

nts_spawner::behavior_type nts_spawner::make_behavior() {
  return {
    [this](const wiring& w) { on_wiring(w); },
    [this](deadline) { go_on(); },
    [](const resolved&) {
      // Key exchanges hear their answers themselves.
    },
    [this](source_lost lost) { on_lost(lost); },
    [this](network_changed) { on_network_change(); },
    [this](const source_config_changed& change) { on_config(change.config); },
    [this](burst_wanted wish) {
      for (auto& s : slots_)
        if (s.source)
          send(s.source->handle, wish);
    },
    [this](clock_was_set) { clock_was_set_ = true; },
    [this](keys_wanted wanted) {
      if (auto* s = slot_of(wanted.id)) {
        s->wanted = wish::keys;
        go_on();
      }
    },
    [this](const cookies_left& left) { on_cookies(left); },
    [this](const exchange_ended& ended) { on_exchange_ended(ended); },
    [this](get_nts_sources) { return status(); },
  };
}

void nts_spawner::add_slot() {
  auto& s = slots_.emplace_back();
  s.jar_name = jar_name(entry_.config(), slots_.size() - 1);
  s.not_before
    = world().now()
      + ntp::nanoseconds_of(random_->uniform() * ntp::seconds_of(start_spread));
}

void nts_spawner::stopped() {
  for (auto& s : slots_) {
    s.exchange.reset();
    if (s.source)
      caf::anon_send_exit(s.source->handle, caf::exit_reason::user_shutdown);
    save_jar(s);
  }
  slots_.clear();
  timer_.reset();
  peers_ = {};
}

// -- cookies over a restart ---------------------------------------------------

void nts_spawner::save_jar(slot& s) {
  if (s.source)
    drop_doubtful_cookie(s);
  if (s.at && !s.credentials.cookies.empty())
    s.jar = ntp::cookie_jar{
      {entry_.config().address.host, s.at->server, s.at->address.port},
      std::move(s.credentials)};
  if (s.jar && peers_.state_keeper)
    anon_send(peers_.state_keeper,
              save_cookies{s.jar_name, ntp::serialize(*s.jar)});
}

void nts_spawner::drop_doubtful_cookie(slot& s) {
  auto& cookies = s.credentials.cookies;
  if (!cookies.empty())
    cookies.erase(cookies.begin());
}

void nts_spawner::on_wiring(const wiring& w) {
  peers_ = w;
  for (auto& s : slots_)
    if (s.source)
      send(s.source->handle, peers_);
  if (std::exchange(wired_, true) || !cipher_)
    return;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    take_jar(i);
}

void nts_spawner::take_jar(std::size_t index) {
  request(peers_.state_keeper, jar_limit, take_cookies{slots_[index].jar_name})
    .then([this, index](const saved_cookies& saved) { on_jar(index, saved); },
          [this, index](const caf::error&) { on_jar(index, {}); });
}

void nts_spawner::on_jar(std::size_t index, const saved_cookies& saved) {
  if (index >= slots_.size())
    return; // fewer are wanted by now
  auto& s = slots_[index];
  s.jar_awaited = false;
  if (saved.jar) {
    auto jar = ntp::parse_cookie_jar(*saved.jar);
    if (jar && jar->origin.key_exchange == entry_.config().address.host
        && !jar->credentials.cookies.empty())
      s.jar = std::move(*jar);
  }
  go_on();
}

// -- another configuration ----------------------------------------------------

void nts_spawner::on_config(const config::source_config& config) {
  entry_.set_config(config);
  while (slots_.size() > entry_.wanted()) {
    if (slots_.back().source)
      end_source(slots_.back());
    slots_.pop_back();
  }
  const auto had = slots_.size();
  while (slots_.size() < entry_.wanted())
    add_slot();
  const auto& ignored = config.ignore;
  for (auto& s : slots_) {
    if (config.offline)
      s.exchange.reset();
    if (!s.source)
      continue;
    const auto& address = s.at->address;
    if (std::find(ignored.begin(), ignored.end(), address.address)
        != ignored.end())
      end_source(s);
    else
      send(s.source->handle,
           entry_.reconfigured(s.source->id, address, world()));
  }
  for (auto i = had; wired_ && cipher_ && i < slots_.size(); ++i)
    take_jar(i);
  go_on();
}

// -- what the sources tell ----------------------------------------------------

nts_spawner::slot* nts_spawner::slot_of(ntp::source_id id) {
  const auto it
    = std::find_if(slots_.begin(), slots_.end(), [&](const slot& s) {
        return s.source && s.source->id == id;
      });
  return it == slots_.end() ? nullptr : &*it;
}

void nts_spawner::on_cookies(const cookies_left& left) {
  auto* s = slot_of(left.id);
  if (s == nullptr || !is_of(left.credentials.keys, s->credentials))
    return; // or of keys that were replaced meanwhile
  s->credentials = left.credentials;
  if (!left.answered)
    return;
  s->backoff.on_good_answer();
  if (s->wanted == wish::other_server) {
    s->wanted = wish::none;
    denied_.erase(name_of(s->at->server));
    go_on();
  }
}

void nts_spawner::on_lost(source_lost lost) {
  auto* s = slot_of(lost.id);
  if (s == nullptr)
    return;
  switch (lost.why) {
    case loss::silent:
      if (s->wanted == wish::none)
        s->wanted = wish::other_server;
      deny(s->at->server);
      break;
    case loss::rejected:
      // Where there is but one server, the exchange would give it again.
      if (!is_pool())
        return;
      deny(s->at->server);
      end_source(*s);
      break;
    case loss::refused:
      log::warning("source-refused", "source={} address={}", entry_.name(),
                   s->at->address.to_string());
      if (!is_pool())
        s->rest_until = world().now() + remote_set::exclusion;
      deny(s->at->server);
      end_source(*s);
      break;
  }
  go_on();
}

void nts_spawner::on_source_down(const caf::down_msg& down) {
  const auto it
    = std::find_if(slots_.begin(), slots_.end(), [&](const slot& s) {
        return s.source && s.source->handle.address() == down.source;
      });
  if (it == slots_.end())
    return;
  log::error("source-died", "source={} address={} reason=\"{}\"", entry_.name(),
             it->at->address.to_string(), system().render(down.reason));
  const auto now = world().now();
  // What fails at once would fail again, and each time with a request.
  if (now - it->source->started < shortest_life)
    it->rest_until = now + rest_after_failure;
  it->source.reset();
  drop_doubtful_cookie(*it);
  go_on();
}

void nts_spawner::on_network_change() {
  const auto now = world().now();
  for (auto& s : slots_) {
    if (s.source)
      send(s.source->handle, network_changed{});
    if (!s.problem.empty())
      s.not_before
        = std::min(s.not_before, std::max(now, s.last_attempt + least_spacing));
  }
  go_on();
}

// -- what is to be done -------------------------------------------------------

void nts_spawner::go_on() {
  if (!wired_ || !cipher_)
    return;
  const auto now = world().now();
  auto next = ntp::mono_time::max();
  for (auto& s : slots_) {
    if (const auto due = source_due(s); due && *due <= now)
      start_source(s);
    else if (due)
      next = std::min(next, *due);
  }
  for (auto& s : slots_)
    if (const auto due = exchange_due(s); due && *due <= now)
      start_exchange(s);
  for (auto& s : slots_)
    if (const auto due = exchange_due(s))
      next = std::min(next, *due);
  if (next == ntp::mono_time::max())
    timer_->cancel();
  else
    timer_->arm(next);
}

/// When a source starts with what there is.
std::optional<ntp::mono_time> nts_spawner::source_due(const slot& s) const {
  if (s.source || !s.at || s.credentials.cookies.empty())
    return {};
  return s.rest_until;
}

/// When the next exchange starts, unless another one must end first.
std::optional<ntp::mono_time> nts_spawner::exchange_due(const slot& s) const {
  const bool needed = s.source ? s.wanted != wish::none : !source_due(s);
  if (!needed || s.jar_awaited || s.exchange || !entry_.may_look_up())
    return {};
  if (is_pool()
      && std::any_of(slots_.begin(), slots_.end(),
                     [](const slot& other) { return other.exchange; }))
    return {};
  return std::max(s.not_before, s.rest_until);
}

void nts_spawner::start_exchange(slot& s) {
  const auto& c = entry_.config();
  key_exchange_options o;
  o.server = c.address;
  o.certificate_authorities = c.nts.certificate_authorities;
  o.judged_at = judged_at();
  o.client.aeads = c.nts.aeads;
  if (is_pool())
    o.client.deny = deny_list(s);
  if (s.at)
    o.preferred = s.at->address.address;
  else if (!is_pool() && !entry_.saved().empty())
    o.preferred = entry_.saved().front().address.address;
  if (s.at && s.wanted == wish::other_server)
    o.avoided = s.at->address.address;
  s.last_attempt = world().now();
  s.exchange_number = ++last_exchange_;
  auto done = [tell = teller<exchange_ended>(),
               number = s.exchange_number](key_exchange::outcome outcome) {
    tell({number, std::move(outcome)});
  };
  if (s.jar) {
    // Of the name service alone: no server is troubled.
    s.not_before = s.last_attempt + least_spacing;
    s.exchange
      = key_exchange::resume(world(), std::move(o), *s.jar, std::move(done));
  } else {
    s.not_before = s.last_attempt + s.backoff.on_attempt(*random_);
    s.exchange = key_exchange::start(world(), std::move(o), std::move(done));
  }
}

std::optional<std::chrono::seconds> nts_spawner::judged_at() {
  if (entry_.config().nts.time_check
        == config::certificate_time_check::after_first_sync
      && !clock_was_set_)
    return {};
  return std::chrono::duration_cast<std::chrono::seconds>(
    std::max(world().clock().read().unix_time, not_before_));
}

const std::string& nts_spawner::name_of(const std::string& server) const {
  return server.empty() ? entry_.config().address.host : server;
}

/// Servers that a pool should not give.
std::vector<std::string> nts_spawner::deny_list(const slot& s) {
  std::vector<std::string> names;
  for (const auto& other : slots_) {
    if (&other == &s)
      continue;
    if (other.at)
      names.push_back(name_of(other.at->server));
    else if (other.jar)
      names.push_back(name_of(other.jar->origin.server));
  }
  const auto now = world().now();
  for (const auto& [name, until] : denied_)
    if (until > now)
      names.push_back(name);
  return names;
}

/// The pool shall give us others for a while.
void nts_spawner::deny(const std::string& server) {
  if (!is_pool())
    return;
  const auto now = world().now();
  std::erase_if(denied_, [now](const auto& d) { return d.second <= now; });
  if (denied_.size() < most_denied)
    denied_[name_of(server)] = now + remote_set::exclusion;
}

// -- what an exchange brings --------------------------------------------------

void nts_spawner::on_exchange_ended(exchange_ended ended) {
  const auto it
    = std::find_if(slots_.begin(), slots_.end(), [&](const slot& s) {
        return s.exchange && s.exchange_number == ended.number;
      });
  if (it == slots_.end())
    return;
  auto& s = *it;
  s.exchange.reset();
  if (!ended.outcome) {
    on_failure(s, std::move(ended.outcome.error()));
  } else if (auto address = choose_address(s, *ended.outcome)) {
    on_keys(s, *address, std::move(*ended.outcome));
  } else {
    s.jar.reset();
    on_failure(s, std::move(address.error()));
  }
  go_on();
}

/// The first one that no other source has, or why there is none.
tl::expected<ntp::ip_address, std::string>
nts_spawner::choose_address(const slot& s, const exchanged_keys& keys) {
  const auto& name = name_of(keys.server);
  if (is_pool() && !(s.at && name == name_of(s.at->server))) {
    const auto unwanted = deny_list(s);
    if (std::find(unwanted.begin(), unwanted.end(), name) != unwanted.end())
      return tl::unexpected{"the pool gave " + name + " again"};
  }
  auto addresses = keys.addresses;
  entry_.leave_usable(addresses, world());
  const auto& ignored = entry_.config().ignore;
  for (const auto& a : addresses) {
    const bool taken
      = std::any_of(slots_.begin(), slots_.end(), [&](const slot& other) {
          return &other != &s && other.at && other.at->address.address == a;
        });
    if (!taken && std::find(ignored.begin(), ignored.end(), a) == ignored.end())
      return a;
  }
  deny(keys.server);
  return tl::unexpected{"no address of " + name + " can be used"};
}

void nts_spawner::on_keys(slot& s, const ntp::ip_address& address,
                          exchanged_keys keys) {
  s.problem.clear();
  s.wanted = wish::none;
  if (s.jar) {
    s.jar.reset();
    log::info("cookies-kept", "source={} server={} cookies={}", entry_.name(),
              name_of(keys.server), keys.credentials.cookies.size());
  } else {
    ++s.exchanges;
    s.last_exchange = world().now();
    s.backoff.on_keys();
    log::info("key-exchange", "source={} server={} aead={} cookies={}",
              entry_.name(), name_of(keys.server),
              to_string(keys.credentials.keys.aead),
              keys.credentials.cookies.size());
  }
  const place next{{address, keys.port}, std::move(keys.server)};
  const bool same = s.source && s.at->address == next.address;
  if (s.source && !same)
    end_source(s);
  s.at = next;
  s.credentials = std::move(keys.credentials);
  if (same)
    send(s.source->handle, credentials_given{s.credentials});
}

void nts_spawner::on_failure(slot& s, std::string problem) {
  s.problem = std::move(problem);
  if (!s.jar)
    ++s.failures;
  else if (++s.resumptions == most_resumptions)
    s.jar.reset();
  log::warning("key-exchange-failed",
               "source={} error=\"{}\" next_try_s={:.0f}", entry_.name(),
               s.problem,
               std::max(0.0, ntp::seconds_of(s.not_before - world().now())));
}

void nts_spawner::start_source(slot& s) {
  auto o = entry_.options_for(s.at->address, world(), *random_);
  o.nts = source_nts{cipher_, s.credentials, nts_spawner_actor{this}};
  log::info("source-added", "source={} address={}", o.registration.name,
            o.registration.address.to_string());
  const auto id = o.registration.id;
  auto handle
    = spawn_actor<source>(system(), world(), std::move(o), spawner_actor{this});
  monitor(handle);
  send(handle, peers_);
  s.source = member{id, std::move(handle), world().now()};
}

/// Ends it with all that there was for it.
void nts_spawner::end_source(slot& s) {
  demonitor(s.source->handle.address());
  send_exit(s.source->handle, caf::exit_reason::user_shutdown);
  s.source.reset();
  s.at.reset();
  s.credentials = {};
  s.wanted = wish::none;
}

// -- status -------------------------------------------------------------------

nts_sources nts_spawner::status() {
  nts_sources result;
  const auto now = world().now();
  for (const auto& s : slots_) {
    auto& one = result.all.emplace_back();
    one.name = entry_.name();
    if (s.at) {
      one.address = s.at->address;
      one.server = s.at->server;
      one.aead = s.credentials.keys.aead;
      const auto& cookies = s.credentials.cookies;
      one.cookies = static_cast<std::uint32_t>(cookies.size());
      one.cookie_length = cookies.empty() ? 0 : cookies.front().size();
    }
    one.exchanging = s.exchange != nullptr;
    one.exchanges = s.exchanges;
    one.failures = s.failures;
    if (s.last_exchange)
      one.last_exchange_age_s = ntp::seconds_of(now - *s.last_exchange);
    one.problem = cipher_ ? s.problem : cipher_problem_;
    if (const auto due = cipher_ ? exchange_due(s) : std::nullopt)
      one.next_exchange_s = std::max(0.0, ntp::seconds_of(*due - now));
  }
  return result;
}

} // namespace concert::actors
