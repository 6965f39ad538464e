#include "actors/simulation/world.hpp"

#include "actors/simulation/server_model.hpp"
#include "platform/log.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace concert::actors {

namespace {

/// The daemon has so long to end.
constexpr std::chrono::seconds end_limit{1};

simulated_clock_options clock_of(const machine_options& m, std::uint64_t seed) {
  return {
    .initial_offset_s = m.offset_s,
    .frequency_error = m.frequency,
    .wander = m.wander,
    .seed = seed,
    .temperature = {.sine = m.sine,
                    .sine_period_s = m.sine_period_s,
                    .square = m.square,
                    .square_period_s = m.square_period_s,
                    .square_lag_s = m.square_lag_s},
  };
}

ntp::ip_address address_of(const std::string& text) {
  const auto address = ntp::ip_address::parse(text);
  if (!address)
    throw std::invalid_argument{"\"" + text + "\" is no address"};
  return *address;
}

} // namespace

struct world::parts {
  explicit parts(std::uint64_t seed) : seeds(seed) {}

  seeded_random seeds;
  std::vector<machine_event> events; ///< by time
  std::size_t happened = 0;
  config::daemon_config config;
  std::filesystem::path path;
};

world::world(const world_options& options, double duration_s,
             std::uint64_t seed, filters make_filters)
  : parts_(std::make_unique<parts>(seed)) {
  platform::log::set_level(platform::log::level::none);
  const auto daemon_seed = parts_->seeds.next();
  const auto clock_seed = parts_->seeds.next();
  simulation_ = std::make_unique<simulation>(
    daemon_seed, clock_of(options.machine, clock_seed),
    std::move(make_filters));
  auto& network = simulation_->network();
  for (const auto& s : options.servers) {
    (void)address_of(s.address);
    const auto link_seed = parts_->seeds.next();
    const auto server_seed = parts_->seeds.next();
    network.link(s.address,
                 std::make_unique<link_model>(s.link, duration_s, link_seed));
    network.place(s.address, std::make_shared<modelled_server>(s, server_seed));
  }
  for (const auto& n : options.names)
    for (const auto& address : n.addresses)
      network.name(n.host).addresses.push_back(address_of(address));
  parts_->events = options.machine.events;
  std::stable_sort(
    parts_->events.begin(), parts_->events.end(),
    [](const auto& a, const auto& b) { return a.at_s < b.at_s; });
}

world::~world() = default;

void world::start(config::daemon_config config,
                  const std::filesystem::path& path) {
  parts_->config = config;
  parts_->path = path;
  simulation_->start(std::move(config), path);
}

void world::run_until(double time_s) {
  auto& events = parts_->events;
  auto& next = parts_->happened;
  for (; next < events.size() && events[next].at_s <= time_s; ++next) {
    simulation_->run_until(ntp::nanoseconds_of(events[next].at_s));
    happen(events[next]);
  }
  simulation_->run_until(ntp::nanoseconds_of(time_s));
}

void world::happen(const machine_event& event) {
  auto& clock = simulation_->clock();
  const auto gap = ntp::nanoseconds_of(event.value);
  switch (event.what) {
    case machine_event::kind::step:
      clock.foreign_step(ntp::ntp_duration::from_seconds(event.value));
      break;
    case machine_event::kind::step_oscillator:
      clock.shift_oscillator(event.value);
      break;
    case machine_event::kind::frequency:
      clock.change_oscillator(event.value);
      break;
    case machine_event::kind::suspend:
      simulation_->world().suspend(gap);
      break;
    case machine_event::kind::pause:
      simulation_->world().pause(gap);
      break;
    case machine_event::kind::restart:
      restart();
      break;
  }
}

void world::restart() {
  simulation_->world().signal(SIGTERM);
  simulation_->run_for(end_limit);
  simulation_->start(parts_->config, parts_->path);
}

double world::time_s() const {
  // Divided, so that whole seconds are whole.
  return static_cast<double>(simulation_->world().time().count()) / 1e9;
}

double world::clock_error_s() const {
  return *simulation_->clock().true_error_s();
}

double world::frequency_error() const {
  return simulation_->clock().frequency_error();
}

std::uint64_t world::packets() const {
  return simulation_->network().requests();
}

const ntp::steering* world::core() const {
  return simulation_->core();
}

ntp::clock_reading world::read() const {
  return simulation_->clock().read();
}

served_moment world::served() const {
  const auto* steering = core();
  if (steering == nullptr)
    return {};
  const auto now = read();
  const auto served = steering->snapshot(now).served;
  served_moment result;
  result.error_s
    = (served.disciplined(now.wall) - simulation_->clock().truth()).seconds();
  result.root_delay_s = served.root_delay.seconds();
  result.root_dispersion_s = served.root_dispersion_s(now.wall);
  if (served.valid && served.leap != ntp::leap_indicator::unsynchronized)
    result.stratum = served.stratum;
  return result;
}

} // namespace concert::actors
