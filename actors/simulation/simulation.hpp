#pragma once

#include "actors/simulated_runtime.hpp"
#include "actors/supervisor.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concert::actors {

/// The daemon in a simulated world: all its actors on the calling thread, in
/// virtual time.
class simulation {
public:
  simulation(std::uint64_t seed, const simulated_clock_options& clock,
             simulated_runtime::filters make_filters = ntp::make_discipline);
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  ~simulation();

  simulated_runtime& world() { return world_; }
  simulated_clock& clock() { return world_.machine_clock(); }
  simulated_network& network() { return world_.network(); }

  /// Starts the daemon as its main program does, with what its state file says.
  /// `path` is the configuration for reloads.
  void start(config::daemon_config config, const std::filesystem::path& path);
  /// The daemon's process dies: no actor does anything more.
  void kill_daemon();
  bool is_running() const { return running_ != nullptr; }
  /// How the daemon ended, once all its actors have.
  std::optional<int> exit_code() const { return exit_code_; }

  /// Lets true time pass.
  void run_for(std::chrono::nanoseconds d) { run_until(world_.time() + d); }
  void run_until(true_time end);
  /// Lets the actors handle all their messages, while no time passes.
  void settle();
  /// Messages handled so far.
  std::uint64_t steps() const { return steps_; }

  /// The living actors of a kind, oldest first.
  std::vector<caf::strong_actor_ptr> actors(std::string_view kind);
  /// The core of the steering that lives; null if there is none.
  const ntp::steering* core();
  /// Kills an actor; false if there is no such one.
  bool kill(std::string_view kind, std::size_t index = 0);
  /// Tells something to an actor of a kind.
  template <class Handle, class Message>
  bool tell(std::string_view kind, Message message, std::size_t index = 0) {
    const auto found = actors(kind);
    if (index >= found.size())
      return false;
    caf::anon_send(caf::actor_cast<Handle>(found[index]), std::move(message));
    settle();
    return true;
  }

  /// The observation document; nothing if nobody gives one within 10 s.
  std::optional<std::string> document();

private:
  /// One life of the daemon.
  struct life {
    life();
    caf::actor_system_config config;
    std::unique_ptr<caf::actor_system> system;
    caf::scheduler::test_coordinator* scheduler = nullptr;
    std::vector<caf::actor_addr> known; ///< all actors so far, by id
  };

  /// The steering found last; ours while it has not ended.
  struct found_steering {
    std::shared_ptr<const actor_stats> stats;
    const ntp::steering* core = nullptr;
  };

  void note(caf::resumable& job);
  void end_life();
  std::optional<true_time> next_event() const;
  void run_due();
  bool run_limit();
  void set_actor_clock();

  simulated_runtime world_;
  std::string observation_path_;
  std::unique_ptr<life> running_;
  found_steering steering_;
  bool ended_ = false; ///< the supervisor has
  std::optional<int> exit_code_;
  std::uint64_t steps_ = 0;
};

} // namespace concert::actors
