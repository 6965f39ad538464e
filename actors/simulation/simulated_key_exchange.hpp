#pragma once

#include "actors/runtime.hpp"
#include "actors/simulation/event_queue.hpp"
#include "actors/simulation/random.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::actors {

/// NTS-KE in the simulated network: who listens where, and who connects.
class simulated_key_exchange {
public:
  using acceptor = std::function<void(std::unique_ptr<ke_channel>)>;

  simulated_key_exchange(event_queue& events, seeded_random& seeds)
    : events_(events),
      seeds_(seeds) {}

  /// Somebody listens at an endpoint of the network.
  void serve(const std::string& endpoint, acceptor accepted);
  /// What happens to those who connect there; nothing = all is well.
  void fail(const std::string& endpoint, std::optional<ke_channel_end> how);
  /// What the daemon wanted so far.
  const std::vector<ke_connection>& wishes() const { return wishes_; }
  /// And when, one for one.
  const std::vector<true_time>& wish_times() const { return wish_times_; }

  /// A client in the network connects to the daemon's listener.
  std::unique_ptr<ke_channel> connect(const std::string& client,
                                      const std::string& listen);

  // -- for the runtime --------------------------------------------------------

  std::unique_ptr<ke_channel> connect(ke_connection wish,
                                      const ntp::ip_address& own);
  platform::result<std::unique_ptr<ke_listener>>
  listen(const ke_listener_options& options, ke_listener_events events);

private:
  class listener;
  struct place {
    acceptor accepted;
    std::optional<ke_channel_end> failure;
  };

  void arrive(const ntp::endpoint& at, const ntp::endpoint& client,
              std::unique_ptr<ke_channel> channel);

  event_queue& events_;
  seeded_random& seeds_; ///< of the keys of connections
  std::map<ntp::endpoint, place> places_;
  std::map<ntp::endpoint, std::weak_ptr<const ke_listener_events>> listeners_;
  std::map<ntp::endpoint, std::chrono::milliseconds> limits_;
  std::vector<ke_connection> wishes_;
  std::vector<true_time> wish_times_;
  std::uint16_t last_port_ = 40000;
};

} // namespace concert::actors
