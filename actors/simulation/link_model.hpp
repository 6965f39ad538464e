#pragma once

#include "actors/simulation/noise.hpp"
#include "actors/simulation/random.hpp"
#include "actors/simulation/world_options.hpp"
#include "ntp_core/time/stamp.hpp"

#include <optional>
#include <vector>

/// How packets travel between us and one server: `link_options` at work. Pure:
/// true time in seconds since the start comes in, and must not go back.
namespace concert::actors {

/// What happens to one direction of a link just now.
struct link_condition {
  double base_s = 0; ///< without its movements
  double more_s = 0; ///< added to it
  double factor = 1; ///< of the jitter
  bool cut = false;
};

/// One direction of a link.
class link_direction {
public:
  link_direction(const direction_options& options, std::uint64_t seed);

  /// The delay of a packet that enters at `t_s`, > 0; nothing if it is lost.
  std::optional<double> delay_s(double t_s, const link_condition& now);

private:
  double floor_share(double t_s);
  double queueing_s(double t_s, double factor);

  direction_options options_;
  seeded_random random_;
  std::optional<memory_process> memory_;
  std::optional<normal_process> walk_;
  double walk_start_ = 0;
  double sine_phase_ = 0;
};

/// Both directions, and what happens to them.
class link_model {
public:
  enum class way : std::uint8_t { forward, backward };

  /// How the stamps of one of our polls are taken.
  struct stamping {
    ntp::stamp_kind kind = ntp::stamp_kind::kernel;
    double send_late_s = 0; ///< the packet leaves after the daemon's stamp
    double read_late_s = 0; ///< the daemon reads it after it arrived
  };

  /// Drawn congestion and routes are spread over `duration_s`. Throws
  /// `std::invalid_argument` for stamps of no known kind.
  link_model(const link_options& options, double duration_s,
             std::uint64_t seed);

  std::optional<double> delay_s(way which, double t_s);
  /// Whether the reply under way comes twice.
  bool duplicates();
  /// Of the poll that begins.
  stamping stamps();

private:
  struct congestion {
    double from_s;
    double until_s;
    way which;
  };
  struct route {
    double from_s;
    double forward_s;
    double backward_s;
  };

  void draw_congestion(double duration_s, seeded_random random);
  void draw_routes(double duration_s, seeded_random random);
  link_condition condition(way which, double t_s) const;

  link_options options_;
  ntp::stamp_kind stamps_;
  seeded_random seeds_;
  link_direction forward_;
  link_direction backward_;
  seeded_random random_;
  std::vector<congestion> congestions_; ///< by time, one at a time
  std::vector<route> routes_;           ///< by time
};

} // namespace concert::actors
