#pragma once

#include "exporter/history.hpp"
#include "exporter/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace concert::exporter {

/// What the daemon said last.
struct collected {
  std::uint64_t number = 0; ///< of the collection, from 1 on
  reading what;
  std::string document; ///< the observation document; empty if none came
  std::string problem;  ///< why not
};

/// Where the daemon is asked.
struct daemon_sockets {
  std::filesystem::path observation;
  std::optional<std::filesystem::path> control; ///< unset: not asked
};

/// Asks the daemon once a second on a thread of its own, so that no number of
/// clients makes more work for it, and no daemon that hangs holds them up.
class collector {
public:
  static constexpr std::chrono::milliseconds interval{1000};
  /// How long the daemon may take for one answer.
  static constexpr std::chrono::milliseconds patience{2500};

  /// Has asked once when it returns.
  explicit collector(daemon_sockets sockets);
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  /// Gives up at once what it is waiting for.
  ~collector();

  std::shared_ptr<const collected> latest() const;
  std::string history_json() const;

private:
  void run();
  void collect();
  void log_change(const collected& now);

  daemon_sockets sockets_;
  int stop_; ///< an eventfd; readable: the end
  std::uint64_t collections_ = 0;
  std::string told_;         ///< the problem that was logged last
  mutable std::mutex mutex_; ///< of the next two
  std::shared_ptr<const collected> latest_;
  history history_;
  std::thread thread_;
};

} // namespace concert::exporter
