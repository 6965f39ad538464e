#pragma once

#include "tools/ntp_sim/scenario_file.hpp"
#include "tools/ntp_sim/tally.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concert::sim {

/// Which filters the daemon uses.
enum class filter_kind : std::uint8_t {
  osb,        ///< the daemon's own
  kalman,     ///< delay-weighted Kalman
  regression, ///< as `regression_discipline` says
};
std::string_view name_of(filter_kind k);

/// What is wanted of one run beside its tally.
struct extras {
  std::optional<std::filesystem::path> plot;
  std::optional<double> plot_from_s; ///< default: where the statistics begin
  std::optional<std::filesystem::path> trace;
  bool cost = false; ///< measure what the filters cost
};

/// Runs a scenario with one seed: a tally for each daemon of its chain. The
/// picture and the trace are those of the last one. Temporary files lie in
/// `folder`. Throws `std::runtime_error` with a sentence when it cannot.
std::vector<tally> simulate(const scenario_file& file, std::uint64_t seed,
                            filter_kind filters, const extras& wanted,
                            const std::filesystem::path& folder);

} // namespace concert::sim
