#include "actors/simulation/simulation.hpp"

#include "actors/start_conditions.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace concert::actors {

namespace {

/// So many messages or events in one instant can only be a circle.
constexpr std::uint64_t livelock = 1'000'000;
constexpr std::chrono::seconds document_limit{10};

caf::detail::test_actor_clock::time_point actor_time(ntp::mono_time t) {
  return caf::detail::test_actor_clock::time_point{t.time_since_epoch()};
}

/// The simulated clock may show a time before this program was built.
start_conditions conditions_of(const config::daemon_config& config,
                               const std::filesystem::path& path) {
  start_conditions start;
  start.config_path = path;
  start.state_file = config.state_file.value_or("");
  start.precision = simulated_clock::resolution;
  start.workers = std::max(config.server_workers, 1U);
  return start;
}

} // namespace

simulation::life::life() {
  config.set("scheduler.policy", caf::atom("testing"));
  system = std::make_unique<caf::actor_system>(config);
  scheduler
    = &dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
}

simulation::simulation(std::uint64_t seed, const simulated_clock_options& clock,
                       simulated_runtime::filters make_filters)
  : world_(seed, clock, std::move(make_filters)) {
}

simulation::~simulation() {
  try {
    kill_daemon();
  } catch (const std::runtime_error&) {
    // Actors that go round in circles would be waited for without end.
    std::terminate();
  }
}

void simulation::start(config::daemon_config config,
                       const std::filesystem::path& path) {
  kill_daemon();
  observation_path_ = config.observability.observation_path.value_or("");
  running_ = std::make_unique<life>();
  ended_ = false;
  exit_code_.reset();
  set_actor_clock();
  const auto start = conditions_of(config, path);
  auto options = options_of(std::move(config), start);
  options.ended = [this](int code) {
    ended_ = true;
    exit_code_ = code;
  };
  spawn_actor<supervisor>(*running_->system, world_, std::move(options));
  settle();
}

void simulation::kill_daemon() {
  if (!running_)
    return;
  for (const auto& address : running_->known)
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
      caf::anon_send_exit(strong, caf::exit_reason::kill);
  settle();
  if (running_)
    end_life();
  exit_code_.reset();
}

/// The system's end waits for all actors and runs none.
void simulation::end_life() {
  ended_ = false;
  running_->scheduler->clock().cancel_all();
  world_.daemon_died();
  running_->known.clear();
  running_.reset();
}

void simulation::set_actor_clock() {
  running_->scheduler->clock().current_time = actor_time(world_.now());
}

// -- time ---------------------------------------------------------------------

void simulation::note(caf::resumable& job) {
  auto* actor = dynamic_cast<caf::abstract_actor*>(&job);
  if (actor == nullptr)
    return;
  auto& known = running_->known;
  if (known.size() <= actor->id())
    known.resize(actor->id() + 1);
  if (!known[actor->id()])
    known[actor->id()] = actor->address();
}

void simulation::settle() {
  if (!running_)
    return;
  auto& jobs = running_->scheduler->jobs;
  for (std::uint64_t count = 0; !jobs.empty(); ++count) {
    if (count > livelock)
      throw std::runtime_error{"the actors do not come to rest"};
    note(*jobs.front());
    running_->scheduler->run_once();
    ++steps_;
  }
  if (ended_ && running_->system->registry().running() == 0)
    end_life();
}

std::optional<true_time> simulation::next_event() const {
  auto next = world_.next();
  if (!running_)
    return next;
  const auto& limits = running_->scheduler->clock().schedule();
  if (limits.empty())
    return next;
  const ntp::mono_time due{limits.begin()->first.time_since_epoch()};
  const auto at = world_.time_of(due);
  return next ? std::min(*next, at) : at;
}

void simulation::run_due() {
  std::uint64_t count = 0;
  const auto check = [&count] {
    if (++count > livelock)
      throw std::runtime_error{"time does not go on"};
  };
  while (world_.run_one()) {
    settle();
    check();
  }
  if (!running_)
    return;
  set_actor_clock();
  while (run_limit()) {
    settle();
    check();
  }
}

/// The next time-out of a request between actors, if it is due.
bool simulation::run_limit() {
  if (!running_)
    return false;
  auto& clock = running_->scheduler->clock();
  return !clock.schedule().empty()
         && clock.schedule().begin()->first <= clock.now()
         && clock.trigger_timeout();
}

void simulation::run_until(true_time end) {
  settle();
  for (;;) {
    const auto next = next_event();
    if (!next || *next > end)
      break;
    world_.advance(*next);
    run_due();
  }
  if (world_.time() < end)
    world_.advance(end);
  if (running_)
    set_actor_clock();
}

// -- looking and meddling -----------------------------------------------------

std::vector<caf::strong_actor_ptr> simulation::actors(std::string_view kind) {
  std::vector<caf::strong_actor_ptr> result;
  if (!running_)
    return result;
  for (const auto& stats : world_.registry().list()) {
    if (stats->who.kind != kind || stats->who.id >= running_->known.size())
      continue;
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(
          running_->known[stats->who.id]))
      result.push_back(std::move(strong));
  }
  return result;
}

const ntp::steering* simulation::core() {
  if (!running_)
    return nullptr;
  if (steering_.stats && !steering_.stats->ended)
    return steering_.core;
  steering_ = {};
  for (const auto& stats : world_.registry().list()) {
    if (stats->who.kind != "steering"
        || stats->who.id >= running_->known.size())
      continue;
    const auto strong
      = caf::actor_cast<caf::strong_actor_ptr>(running_->known[stats->who.id]);
    const auto* actor = dynamic_cast<const steering*>(
      caf::actor_cast<caf::abstract_actor*>(strong));
    if (actor != nullptr)
      steering_ = {stats, &actor->core()};
  }
  return steering_.core;
}

bool simulation::kill(std::string_view kind, std::size_t index) {
  const auto found = actors(kind);
  if (index >= found.size())
    return false;
  caf::anon_send_exit(found[index], caf::exit_reason::kill);
  settle();
  return true;
}

std::optional<std::string> simulation::document() {
  auto answer = std::make_shared<std::optional<std::string>>();
  if (!world_.observe(observation_path_, [answer](std::string text) {
        *answer = std::move(text);
      }))
    return {};
  settle();
  if (!*answer)
    run_for(document_limit);
  return *answer;
}

} // namespace concert::actors
