#include "actors/publisher.hpp"

#include "actors/inspector.hpp"
#include "actors/trace_follower.hpp"
#include "actors/version.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/status.hpp"
#include "ctl/text.hpp"

#include <algorithm>
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

constexpr std::chrono::seconds answer_limit{1};
/// For who reads and writes files.
constexpr std::chrono::seconds files_limit{10};

ctl::control_answer refuse(ctl::control_refusal why, std::string text) {
  return {{}, ctl::control_problem{why, std::move(text)}, false};
}

/// {"program", "version", "protocol", "rights"}
ctl::control_answer hello(const control_peer& peer) {
  return {ctl::json_object([&](ctl::json_writer& out) {
            out.field("program", "ntp-daemon");
            out.field("version", version());
            out.field("protocol", ctl::control_version);
            out.field("rights", peer.has_rights);
          }),
          {},
          false};
}

} // namespace

publisher::publisher(caf::actor_config& cfg, runtime& rt,
                     const config::shared_config& config,
                     ntp::mono_time started)
  : actor_base(cfg, rt, "publisher",
               config->observability.observation_path.value_or("").string()),
    config_(config->observability),
    control_(config->control),
    started_(started),
    timer_(make_deadline_timer()) {
}

publisher::behavior_type publisher::make_behavior() {
  open_port();
  open_control_port();
  // In virtual time nothing takes any.
  if (world().threads())
    timer_->arm(world().now() + stuck_watch::interval);
  return {
    [this](const wiring& w) { peers_ = w; },
    [this](deadline) { look(); },
    [this](const config_changed& c) { on_config(c); },
    [this](reader_connected& r) { collect(std::move(r.sink)); },
    [this](const control_received& r) { on_control(r); },
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
  timer_.reset();
  for (const auto& follower : std::exchange(followers_, {}))
    anon_send_exit(follower, caf::exit_reason::user_shutdown);
  port_.reset();
  control_port_.reset();
  peers_ = {};
}

void publisher::look() {
  stuck_watch_.look(world().registry());
  timer_->arm(world().now() + stuck_watch::interval);
}

void publisher::on_config(const config_changed& change) {
  const auto& wanted = change.config->observability;
  const bool moved
    = wanted.observation_path != config_.observation_path
      || wanted.observation_permissions != config_.observation_permissions;
  config_ = wanted;
  if (moved)
    open_port();
  const auto& control = change.config->control;
  const bool control_moved
    = control.path != control_.path || control.group != control_.group;
  // Faults on purpose are allowed, or not, by what the daemon started with.
  const bool faults = control_.fault_injection;
  control_ = control;
  control_.fault_injection = faults;
  if (control_moved)
    open_control_port();
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

void publisher::open_control_port() {
  control_port_.reset();
  if (!control_.path)
    return;
  auto opened = world().open_control_port(control_, teller<control_received>());
  if (opened)
    control_port_ = std::move(*opened);
  else
    log::warning("control-failed", "error=\"{}\"", opened.error().text);
}

void publisher::on_control(const control_received& received) {
  using enum ctl::control_verb;
  const auto& sink = received.sink;
  const auto who
    = fmt::format("uid={} pid={}", received.peer.uid, received.peer.pid);
  switch (received.request.what) {
    case hello:
      sink(actors::hello(received.peer));
      return;
    case status:
      return collect([sink](std::string json) {
        sink({std::move(json), {}, false});
      });
    case ctl::control_verb::actors:
    case ctl::control_verb::interface_map:
    case inject:
      sink(inspect(world(), control_, received.request));
      return;
    case trace:
      return follow(received);
    case ctl::control_verb::burst:
      sink(this->burst(received.request.source));
      return;
    case step:
      return ask_steering(received, step_wanted{who});
    case ctl::control_verb::force_sync:
      return ask_steering(received, actors::force_sync{who});
    default:
      return ask_config_manager(received);
  }
}

void publisher::ask_config_manager(const control_received& received) {
  request(peers_.config_manager, files_limit,
          change_wanted{received.request, received.peer})
    .then(
      [sink = received.sink](const ctl::control_answer& given) { sink(given); },
      [sink = received.sink](const caf::error&) {
        sink(refuse(ctl::control_refusal::failed,
                    "the configuration manager does not answer; whether "
                    "the change was made is not known"));
      });
}

template <class Wish>
void publisher::ask_steering(const control_received& received, Wish wish) {
  request(peers_.steering, answer_limit, std::move(wish))
    .then(
      [sink = received.sink](const ctl::control_answer& given) { sink(given); },
      [sink = received.sink](const caf::error&) {
        sink(
          refuse(ctl::control_refusal::failed, "the steering does not answer"));
      });
}

/// {"sources": how many entries were told}
ctl::control_answer publisher::burst(const std::string& source) {
  std::size_t told = 0;
  for (const auto& [name, spawner] : peers_.sources) {
    // "host" stands for "host:port".
    const auto host = name.substr(0, name.rfind(':'));
    if (!source.empty() && source != name && source != host
        && '[' + source + ']' != host)
      continue;
    send(spawner, burst_wanted{});
    ++told;
  }
  if (told == 0)
    return refuse(ctl::control_refusal::not_found,
                  source.empty()
                    ? "there are no sources"
                    : "there is no source " + ctl::printable(source));
  return {fmt::format(R"({{"sources":{}}})", told), {}, false};
}

/// Whether there may be one more trace, the follower says itself.
void publisher::follow(const control_received& received) {
  const auto alive = world().registry().find({trace_follower::own_kind});
  std::erase_if(followers_, [&](const caf::actor& f) {
    return std::none_of(alive.begin(), alive.end(),
                        [&](const auto& a) { return a->who.id == f.id(); });
  });
  // It lives as long as somebody has its handle.
  followers_.push_back(caf::actor_cast<caf::actor>(spawn_actor<trace_follower>(
    system(), world(), received.request, received.sink)));
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
    all->status.shadow = s.shadow;
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
