#pragma once

#include "actors/simulation/world_options.hpp"
#include "tools/ntp_sim/measures.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace concert::sim {

/// A span of true time, s.
struct window {
  double from_s = 0;
  double until_s = 0;
};

/// One scenario as a seed sees it; the keys of its file are described in
/// tests/scenarios/README.md.
struct scenario {
  std::string name;
  std::string title;
  std::string group;
  double duration_s = 0;
  double settle_s = 0; ///< statistics begin here
  std::int8_t min_poll = 6;
  std::int8_t max_poll = 10;
  bool iburst = true;
  int chain = 1;       ///< daemons in a row
  bool sources = true; ///< the daemon is told of each server
  std::string config;  ///< ntp.toml laid over the one that is made
  /// |error| below which the clock counts as locked, s.
  std::optional<double> lock_level_s;
  int look_s = 1; ///< between looks at the daemon's own figures
  bool costly = false;
  bool aside = false;
  bool baselines = false;
  actors::world_options world;
  reference_figures reference;
  std::vector<limit> limits;
  std::vector<window> exceptions; ///< the bound need not hold there
};

} // namespace concert::sim
