#pragma once

#include "actors/actor_base.hpp"
#include "platform/line_file.hpp"

#include <memory>
#include <optional>
#include <string>

namespace concert::actors {

/// Writes the measurement and tracking logs: JSON lines, appended. On a thread
/// of its own, as disks may be slow. The steering keeps count of what is not
/// written yet, so that a disk that hangs costs lines and no memory.
class recorder final : public actor_base<recorder_actor, placement::detached> {
public:
  recorder(caf::actor_config& cfg, runtime& rt,
           const config::observability_config& config);

  behavior_type make_behavior() override;

private:
  struct record {
    std::unique_ptr<platform::line_file> file; ///< null: not wanted
    bool failed = false;                       ///< as said last
    std::uint64_t lost = 0;                    ///< lines since then
  };

  void stopped() override;
  void configure(const config::observability_config& config);
  static void set_path(record& of,
                       const std::optional<std::filesystem::path>& path);
  static void append(record& to, std::string line);

  record measurements_;
  record tracking_;
};

} // namespace concert::actors
