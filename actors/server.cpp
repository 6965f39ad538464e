#include "actors/server.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::chrono::seconds last_retry{64};
constexpr std::chrono::seconds answer_limit{2};

ntp::access_list list_of(const config::filter_config& f) {
  return ntp::access_list{f.prefixes};
}

ntp::refusal refusal_of(bool deny) {
  return deny ? ntp::refusal::deny : ntp::refusal::ignore;
}

/// Every endpoint that a packet from this server itself could come from.
std::vector<ntp::endpoint> own_endpoints(runtime& rt,
                                         const ntp::endpoint& listen) {
  if (!listen.address.is_unspecified())
    return {listen};
  std::vector<ntp::endpoint> all;
  for (const auto& address : rt.own_addresses())
    all.push_back({address, listen.port});
  return all;
}

std::shared_ptr<const ntp::responder_config>
responder_config_of(runtime& rt, const config::server_config& c) {
  auto result = std::make_shared<ntp::responder_config>();
  result->deny = list_of(c.denylist);
  result->deny_action = refusal_of(c.denylist.deny);
  result->allow = list_of(c.allowlist);
  result->allow_action = refusal_of(c.allowlist.deny);
  result->versions = 0;
  for (const auto v : c.accept_ntp_versions)
    result->versions |= static_cast<std::uint8_t>(1U << v);
  if (c.require_nts)
    result->require_nts = refusal_of(*c.require_nts);
  result->rate.slots = c.rate_limiting_cache_size;
  result->rate.spacing = c.rate_limiting_cutoff;
  result->own_endpoints = own_endpoints(rt, c.listen);
  return result;
}

} // namespace

server::server(caf::actor_config& cfg, runtime& rt, server_options options)
  : actor_base(cfg, rt, "server", options.config.listen.to_string()),
    options_(std::move(options)),
    timer_(make_deadline_timer()) {
}

server::behavior_type server::make_behavior() {
  return {
    [this](const wiring& w) {
      workers_ = w.workers;
      open_ports();
    },
    [this](deadline) { open_ports(); },
    [this](const server_config_changed& c) {
      options_.config = c.config;
      open_ports();
    },
    [this](network_changed) { open_ports(); },
    [this](get_server_status) { return on_status(); },
  };
}

void server::stopped() {
  for (auto& worker : workers_)
    anon_send(worker, close_port{options_.id});
  workers_.clear();
  timer_.reset();
}

void server::open_ports() {
  const auto config = responder_config_of(world(), options_.config);
  for (auto& worker : workers_) {
    send(worker, open_port{options_.id, options_.config.listen, config});
    request(worker, answer_limit, get_port_report{options_.id})
      .then([this](const port_report& r) { check_port(r); },
            [](const caf::error&) {
              // The supervisor sees a worker that does not live.
            });
  }
}

void server::check_port(const port_report& report) {
  if (report.listening) {
    if (complained_)
      log::info("server-listening", "address={}",
                options_.config.listen.to_string());
    complained_ = false;
    retry_ = std::chrono::seconds{1};
    return;
  }
  if (!complained_)
    log::error("server-not-listening", "address={} error=\"{}\"",
               options_.config.listen.to_string(), report.problem);
  complained_ = true;
  timer_->arm(world().now() + retry_);
  retry_ = std::min(retry_ * 2, last_retry);
}

server::status_promise server::on_status() {
  struct collection {
    ctl::server_status status;
    std::size_t missing = 0;
    status_promise promise;
  };
  auto all = std::make_shared<collection>();
  all->promise = make_response_promise<ctl::server_status>();
  all->status.address = options_.config.listen;
  all->status.listening = !workers_.empty();
  all->missing = workers_.size();
  const auto count_down = [all] {
    if (--all->missing == 0)
      all->promise.deliver(std::move(all->status));
  };
  for (auto& worker : workers_)
    request(worker, answer_limit, get_port_report{options_.id})
      .then(
        [all, count_down](const port_report& r) {
          all->status.counters += r.counters;
          if (r.listening)
            all->status.address = r.local;
          else
            all->status.listening = false;
          if (!r.problem.empty())
            all->status.problem = r.problem;
          count_down();
        },
        [all, count_down](const caf::error&) {
          all->status.problem = "a worker does not answer";
          count_down();
        });
  if (workers_.empty())
    all->promise.deliver(std::move(all->status));
  return all->promise;
}

} // namespace concert::actors
