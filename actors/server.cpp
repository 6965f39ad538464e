#include "actors/server.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::chrono::seconds last_retry{64};
constexpr std::chrono::seconds answer_limit{2};

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
responder_config_of(runtime& rt, const config::server_config& c,
                    const ntp::access_table& access) {
  auto result = std::make_shared<ntp::responder_config>();
  result->access = access;
  result->deny_action = refusal_of(c.denylist.deny);
  result->allow_action = refusal_of(c.allowlist.deny);
  result->versions = 0;
  for (const auto v : c.accept_ntp_versions)
    result->versions |= static_cast<std::uint8_t>(1U << v);
  if (c.require_nts)
    result->require_nts = refusal_of(*c.require_nts);
  result->rate = {
    .slots = c.rate_limiting_cache_size,
    .spacing = c.rate_limiting_cutoff,
    .burst = c.rate_limiting_burst,
    .leak = c.rate_limiting_leak,
    .kiss = c.rate_limiting_kiss,
  };
  result->clients = c.client_table_size;
  result->interleaved = c.interleaved;
  result->answer_symmetric_active = c.answer_symmetric_active;
  result->own_endpoints = own_endpoints(rt, c.listen);
  return result;
}

/// Whether what is kept of one client must stay with one worker.
bool keeps_clients(const config::server_config& c) {
  const bool limits
    = c.rate_limiting_cache_size > 0 && c.rate_limiting_cutoff.count() > 0;
  return limits || (c.interleaved && c.client_table_size > 0);
}

/// One client may have been at several workers, if their number changed.
void keep_top(std::vector<ntp::client_count>& clients, std::size_t most) {
  std::map<ntp::ip_address, std::uint64_t> sums;
  for (const auto& c : clients)
    sums[c.client] += c.requests;
  clients.clear();
  for (const auto& [client, requests] : sums)
    clients.push_back({client, requests});
  std::stable_sort(
    clients.begin(), clients.end(),
    [](const auto& a, const auto& b) { return a.requests > b.requests; });
  clients.resize(std::min(clients.size(), most));
}

/// The ports of two interfaces may share an address.
std::string name_of(const config::server_config& c) {
  auto name = c.listen.to_string();
  if (!c.interface.empty())
    name += "%" + c.interface;
  return name;
}

} // namespace

server::server(caf::actor_config& cfg, runtime& rt, server_options options)
  : actor_base(cfg, rt, "server", name_of(options.config)),
    options_(std::move(options)),
    timer_(make_deadline_timer()) {
  on_config();
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
      on_config();
      open_ports();
    },
    [this](network_changed) { open_ports(); },
    [this](const get_server_status& ask) { return on_status(ask); },
  };
}

void server::stopped() {
  for (auto& worker : workers_)
    anon_send(worker, close_port{options_.id});
  workers_.clear();
  timer_.reset();
}

void server::on_config() {
  const auto& c = options_.config;
  access_ = ntp::access_table{c.denylist.prefixes, c.allowlist.prefixes,
                              c.filter_order};
}

server_port_options server::port_options() {
  using config::dispatch_kind;
  const auto& c = options_.config;
  const bool by_queue
    = c.dispatch == dispatch_kind::receive_queue
      || (c.dispatch == dispatch_kind::automatic && !keeps_clients(c)
          && world().receive_queues() >= workers_.size());
  return {
    .socket = {.interface = c.interface,
               .receive_buffer = c.receive_buffer,
               .send_buffer = c.send_buffer},
    .dispatch = by_queue ? platform::dispatch_rule::receive_queue
                         : platform::dispatch_rule::client_address,
  };
}

void server::open_ports() {
  const auto config = responder_config_of(world(), options_.config, access_);
  const auto options = port_options();
  for (auto& worker : workers_) {
    send(worker,
         open_port{options_.id, options_.config.listen, options, config});
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
      log::info("server-listening", "address={}", name_of(options_.config));
    complained_ = false;
    retry_ = std::chrono::seconds{1};
    return;
  }
  if (!complained_)
    log::error("server-not-listening", "address={} error=\"{}\"",
               name_of(options_.config), report.problem);
  complained_ = true;
  timer_->arm(world().now() + retry_);
  retry_ = std::min(retry_ * 2, last_retry);
}

server::status_promise server::on_status(const get_server_status& ask) {
  struct collection {
    ctl::server_status status;
    std::size_t missing = 0;
    status_promise promise;
  };
  auto all = std::make_shared<collection>();
  all->promise = make_response_promise<ctl::server_status>();
  all->status.address = options_.config.listen;
  all->status.interface = options_.config.interface;
  all->status.listening = !workers_.empty();
  all->missing = workers_.size();
  const auto count_down = [all, most = ask.top_clients] {
    if (--all->missing != 0)
      return;
    keep_top(all->status.top_clients, most);
    all->promise.deliver(std::move(all->status));
  };
  for (auto& worker : workers_)
    request(worker, answer_limit, get_port_report{options_.id, ask.top_clients})
      .then(
        [all, count_down](const port_report& r) {
          all->status.counters += r.counters;
          if (r.listening)
            all->status.address = r.local;
          else
            all->status.listening = false;
          if (!r.problem.empty())
            all->status.problem = r.problem;
          if (r.transmit_delay_s)
            all->status.transmit_delay_s = r.transmit_delay_s;
          auto& top = all->status.top_clients;
          top.insert(top.end(), r.top_clients.begin(), r.top_clients.end());
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
