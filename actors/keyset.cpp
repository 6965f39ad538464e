#include "actors/keyset.hpp"

#include "actors/log_time.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::chrono::seconds answer_limit{5};
/// The wall clock may jump, which no timer notices.
constexpr std::chrono::seconds longest_wait{3600};
/// Against a storm of timers while both clocks do not quite agree.
constexpr std::chrono::milliseconds shortest_wait{100};

bool same(const key_supply::shared_keys& a, const key_supply::shared_keys& b) {
  if (!a || !b)
    return a == b;
  return a->newest_first() == b->newest_first();
}

} // namespace

keyset::keyset(caf::actor_config& cfg, runtime& rt, keyset_options options)
  : actor_base(cfg, rt, "keyset", ""),
    options_(std::move(options)),
    timer_(make_deadline_timer()) {
}

keyset::behavior_type keyset::make_behavior() {
  make_supply();
  look();
  return {
    [this](const wiring& w) {
      workers_ = w.workers;
      servers_ = w.nts_ke_servers;
      distribute();
    },
    [this](deadline) { look(); },
    [this](reload) {
      supply_->reload();
      look();
    },
    [this](const keyset_config_changed& c) { on_config(c.config); },
    [this](clock_was_set) { on_clock_set(); },
    [this](clock_stepped) { look(); },
    [this](get_keyset_status) { return status(); },
  };
}

void keyset::stopped() {
  timer_.reset();
  workers_.clear();
  servers_.clear();
}

void keyset::make_supply() {
  if (options_.config.cluster_secret_file)
    supply_ = make_cluster_keys(options_.config, options_.clock_was_set);
  else
    supply_ = make_random_keys(options_.config, options_.memory,
                               world().make_random());
}

void keyset::on_config(const config::keyset_config& config) {
  const bool other_kind = config.cluster_secret_file.has_value()
                          != options_.config.cluster_secret_file.has_value();
  options_.config = config;
  if (other_kind)
    make_supply();
  else
    supply_->set_config(config);
  look();
}

void keyset::on_clock_set() {
  options_.clock_was_set = true;
  supply_->clock_was_set();
  look();
}

void keyset::look() {
  const std::chrono::nanoseconds now = world().clock().read().unix_time;
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  auto keys = supply_->at(second);
  const auto next = std::min(supply_->next_change(), second + longest_wait);
  timer_->arm(world().now()
              + std::max<std::chrono::nanoseconds>(next - now, shortest_wait));
  if (same(keys, keys_))
    return;
  keys_ = std::move(keys);
  log_keys();
  distribute();
}

void keyset::log_keys() const {
  const auto s = status();
  log::info("cookie-keys-changed", "kind={} keys={} next={}",
            s.cluster ? "cluster" : "random", s.keys,
            s.next_rotation ? log_time(*s.next_rotation) : "unknown");
}

/// Workers come first: nobody shall get a cookie that a worker cannot open. One
/// that does not answer has died, and its successor comes with new wiring.
void keyset::distribute() {
  const auto number = ++distributions_;
  const auto missing = std::make_shared<std::size_t>(workers_.size());
  const auto one_less = [this, number, missing] {
    if (--*missing == 0 && number == distributions_)
      give_to_servers();
  };
  for (const auto& worker : workers_)
    request(worker, answer_limit, cookie_keys_changed{keys_})
      .then([one_less](cookie_keys_taken) { one_less(); },
            [one_less](const caf::error&) { one_less(); });
  if (workers_.empty())
    give_to_servers();
}

void keyset::give_to_servers() {
  for (const auto& server : servers_)
    request(server, answer_limit, cookie_keys_changed{keys_})
      .then([](cookie_keys_taken) {},
            [](const caf::error&) {
              // As with a worker.
            });
}

ctl::keyset_status keyset::status() const {
  auto result = supply_->status();
  if (keys_)
    result.keys = static_cast<std::uint32_t>(keys_->newest_first().size());
  return result;
}

} // namespace concert::actors
