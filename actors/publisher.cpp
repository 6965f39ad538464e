#include "actors/publisher.hpp"

#include "actors/version.hpp"
#include "ctl/status.hpp"

#include <utility>

namespace concert::actors {

namespace log = platform::log;

/// A document in the making: those asked answer in any order.
struct publisher::collection {
  ctl::daemon_status status;
  std::vector<std::vector<ctl::nts_source_status>> nts_sources; ///< by spawner
  std::size_t missing = 0;
  document_sink done;
};

namespace {

constexpr std::chrono::seconds answer_limit{2};

} // namespace

publisher::publisher(caf::actor_config& cfg, runtime& rt,
                     config::observability_config config)
  : actor_base(cfg, rt, "publisher",
               config.observation_path.value_or("").string()),
    config_(std::move(config)),
    started_(rt.now()) {
}

publisher::behavior_type publisher::make_behavior() {
  open_port();
  return {
    [this](const wiring& w) { peers_ = w; },
    [this](const config_changed& c) { on_config(c); },
    [this](reader_connected& r) { collect(std::move(r.sink)); },
    [this](get_document) {
      auto promise = make_response_promise<document>();
      collect([promise](std::string json) mutable {
        promise.deliver(document{std::move(json)});
      });
      return promise;
    },
  };
}

void publisher::stopped() {
  port_.reset();
  peers_ = {};
}

void publisher::on_config(const config_changed& change) {
  const auto& wanted = change.config->observability;
  const bool moved
    = wanted.observation_path != config_.observation_path
      || wanted.observation_permissions != config_.observation_permissions;
  config_ = wanted;
  if (moved)
    open_port();
}

void publisher::open_port() {
  port_.reset();
  if (!config_.observation_path)
    return;
  auto opened = world().open_observation_port(
    config_.observation_path->string(), config_.observation_permissions,
    [tell = teller<reader_connected>()](document_sink sink) {
      tell({std::move(sink)});
    });
  if (opened)
    port_ = std::move(*opened);
  else
    log::error("observation-failed", "error=\"{}\"", opened.error().text);
}

void publisher::collect(document_sink done) {
  auto all = std::make_shared<collection>();
  all->done = std::move(done);
  all->status.version = version();
  all->status.build_commit = build_commit();
  all->status.build_commit_date = build_commit_date();
  all->status.uptime_s = ntp::seconds_of(world().now() - started_);
  all->status.servers.resize(peers_.servers.size());
  all->status.nts_ke_servers.resize(peers_.nts_ke_servers.size());
  all->nts_sources.resize(peers_.nts_sources.size());
  all->missing = peers_.servers.size() + peers_.nts_ke_servers.size()
                 + peers_.nts_sources.size() + (peers_.keyset ? 1 : 0) + 1;
  const auto count_down = [all] {
    if (--all->missing != 0)
      return;
    for (const auto& some : all->nts_sources)
      all->status.nts_sources.insert(all->status.nts_sources.end(),
                                     some.begin(), some.end());
    all->done(ctl::to_json(all->status));
  };
  const auto take = [all](const steering_status& s) {
    all->status.system = s.system;
    all->status.clock = s.clock;
    all->status.sources = s.sources;
    all->status.now = s.now;
    all->status.mono_now = s.mono_now;
  };
  request(peers_.steering, answer_limit, get_steering_status{})
    .then(
      [this, take, count_down](const steering_status& s) {
        last_status_ = s;
        take(s);
        count_down();
      },
      [this, take, count_down](const caf::error&) {
        auto stale = last_status_;
        stale.system.state_reason
          = "the steering does not answer; what follows is its last word";
        take(stale);
        count_down();
      });
  for (std::size_t i = 0; i < peers_.servers.size(); ++i)
    request(peers_.servers[i], answer_limit,
            get_server_status{config_.top_clients})
      .then(
        [all, count_down, i](const ctl::server_status& s) {
          all->status.servers[i] = s;
          count_down();
        },
        [all, count_down, i](const caf::error&) {
          all->status.servers[i].problem = "the server does not answer";
          count_down();
        });
  collect_nts(all, count_down);
}

void publisher::collect_nts(const std::shared_ptr<collection>& all,
                            const std::function<void()>& count_down) {
  for (std::size_t i = 0; i < peers_.nts_ke_servers.size(); ++i)
    request(peers_.nts_ke_servers[i], answer_limit, get_nts_ke_server_status{})
      .then(
        [all, count_down, i](const ctl::nts_ke_server_status& s) {
          all->status.nts_ke_servers[i] = s;
          count_down();
        },
        [all, count_down, i](const caf::error&) {
          all->status.nts_ke_servers[i].problem = "the server does not answer";
          count_down();
        });
  for (std::size_t i = 0; i < peers_.nts_sources.size(); ++i)
    request(peers_.nts_sources[i], answer_limit, get_nts_sources{})
      .then(
        [all, count_down, i](const nts_sources& found) {
          all->nts_sources[i] = found.all;
          count_down();
        },
        [count_down](const caf::error&) { count_down(); });
  if (peers_.keyset)
    request(peers_.keyset, answer_limit, get_keyset_status{})
      .then(
        [all, count_down](const ctl::keyset_status& s) {
          all->status.keyset = s;
          count_down();
        },
        [all, count_down](const caf::error&) {
          all->status.keyset.emplace().problem = "the keyset does not answer";
          count_down();
        });
}

} // namespace concert::actors
