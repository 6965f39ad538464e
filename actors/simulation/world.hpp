#pragma once

#include "actors/simulation/simulation.hpp"
#include "actors/simulation/world_options.hpp"

#include <functional>
#include <memory>

namespace concert::actors {

/// The daemon in a world made of options: builds it, lets the listed events
/// happen, and shows the truth.
class world {
public:
  using filters = std::function<std::unique_ptr<ntp::discipline>()>;

  /// What is drawn (routes, congestion) is spread over `duration_s`. The same
  /// seed makes the same world whatever the daemon does: clock, links and
  /// servers draw from streams of their own. Nothing is logged unless the level
  /// of the log is set afterwards. Throws `std::invalid_argument` for an
  /// address, stamps or a leap that do not exist.
  world(const world_options& options, double duration_s, std::uint64_t seed,
        filters make_filters = ntp::make_discipline);
  ~world();

  void start(config::daemon_config config, const std::filesystem::path& path);
  /// A machine that slept or stood wakes later: look at `time_s`.
  void run_until(double time_s);
  double time_s() const;

  /// Clock − truth, s.
  double clock_error_s() const;
  /// Rate of the clock as corrected − 1, ratio.
  double frequency_error() const;
  /// Requests that the daemon sent so far.
  std::uint64_t packets() const;
  /// What the daemon believes, without asking an actor; null while it is down.
  const ntp::steering* core() const;
  /// For `core`.
  ntp::clock_reading read() const;
  /// What it serves now.
  served_moment served() const;
  simulation& sim() { return *simulation_; }

private:
  struct parts;

  void happen(const machine_event& event);
  void restart();

  std::unique_ptr<simulation> simulation_;
  std::unique_ptr<parts> parts_;
};

} // namespace concert::actors
