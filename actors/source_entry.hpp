#pragma once

#include "actors/source.hpp"

#include <set>
#include <string>
#include <vector>

namespace concert::actors {

struct spawner_options {
  config::source_config source;
  /// What an earlier run knew of this entry's servers, tokens refilled.
  std::vector<platform::saved_source> saved;
  /// That run ended so recently that they need not be asked in a burst.
  bool just_heard = false;
};

/// Spreads the first polls, and the first key exchanges, of many sources.
constexpr std::chrono::milliseconds start_spread{100};
/// A source that died younger is not started again at once, but after a rest.
constexpr std::chrono::seconds shortest_life{60};
constexpr std::chrono::seconds rest_after_failure{60};

/// One `[[source]]`: how the sources that it stands for start.
class source_entry {
public:
  explicit source_entry(spawner_options options);

  const config::source_config& config() const { return options_.source; }
  /// Another configuration of the same servers; sources that live hear of it
  /// by `reconfigured`.
  void set_config(const config::source_config& config) {
    options_.source = config;
  }
  const std::vector<platform::saved_source>& saved() const {
    return options_.saved;
  }
  /// "host:port" as configured.
  std::string name() const { return config().address.to_string(); }
  /// How many sources there should be at the same time.
  std::uint32_t wanted() const;
  /// Takes away those that must not be sources of a pool: our own, since a
  /// machine that serves in a pool must not become its own source.
  void leave_usable(std::vector<ntp::ip_address>& addresses,
                    const runtime& world) const;

  /// Whether asking the name service, or a key exchange, is in order.
  bool may_look_up() const;
  /// For a source that lives.
  source_reconfigured reconfigured(ntp::source_id id,
                                   const ntp::endpoint& server,
                                   const runtime& world) const;
  /// For a source that starts now.
  source_options options_for(const ntp::endpoint& server, runtime& world,
                             ntp::random_source& random);

private:
  ntp::source_registration registration_of(ntp::source_id id,
                                           const ntp::endpoint& server,
                                           const runtime& world) const;

  spawner_options options_;
  /// Addresses that have been asked: starting one of them again, for whatever
  /// reason, is no cause for another burst.
  std::set<ntp::ip_address> asked_;
};

} // namespace concert::actors
