#pragma once

#include "actors/simulation/noise.hpp"
#include "actors/simulation/simulated_server.hpp"
#include "actors/simulation/world_options.hpp"

#include <optional>

namespace concert::actors {

/// What a server's clock shows and what it says of itself, by true time:
/// `server_model_options` at work. Pure; time must not go back.
class server_model {
public:
  struct moment {
    served_moment served;
    bool silent = false;
  };

  server_model(const server_model_options& options, std::uint64_t seed);

  moment at(double t_s);

private:
  served_moment own(double t_s);

  server_model_options options_;
  std::optional<normal_process> wander_;
};

/// A `time_server` that does as its options say.
class modelled_server final : public simulated_server {
public:
  /// Throws `std::invalid_argument` for a leap of no known kind.
  modelled_server(const server_model_options& options, std::uint64_t seed);

  std::optional<std::vector<std::byte>>
  answer(std::span<const std::byte> request, const ntp::endpoint& client,
         true_time now) override;

private:
  server_model model_;
  time_server server_;
  int rate_every_;
  int asked_ = 0; ///< since the last RATE
};

} // namespace concert::actors
