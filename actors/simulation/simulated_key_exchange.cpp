#include "actors/simulation/simulated_key_exchange.hpp"

#include "actors/simulation/simulated_ke_channel.hpp"

#include <utility>

namespace concert::actors {

namespace {

constexpr std::chrono::milliseconds way{5};

ntp::endpoint endpoint_of(const std::string& text) {
  return ntp::endpoint::parse(text).value();
}

} // namespace

class simulated_key_exchange::listener final : public ke_listener {
public:
  listener(const ntp::endpoint& local,
           std::shared_ptr<const ke_listener_events> events)
    : local_(local),
      events_(std::move(events)) {}
  const ntp::endpoint& local() const override { return local_; }

private:
  ntp::endpoint local_;
  std::shared_ptr<const ke_listener_events> events_;
};

void simulated_key_exchange::serve(const std::string& endpoint,
                                   acceptor accepted) {
  places_[endpoint_of(endpoint)].accepted = std::move(accepted);
}

void simulated_key_exchange::fail(const std::string& endpoint,
                                  std::optional<ke_channel_end> how) {
  places_[endpoint_of(endpoint)].failure = std::move(how);
}

std::unique_ptr<ke_channel>
simulated_key_exchange::connect(const std::string& client,
                                const std::string& listen) {
  simulated_ke_wire wire;
  wire.client = endpoint_of(client);
  wire.server = endpoint_of(listen);
  wire.delay = way;
  wire.seed = seeds_.next();
  const auto found = listeners_.find(wire.server);
  if (found == listeners_.end() || found->second.expired())
    wire.failure = {ke_ending::unreachable, {}, "connection refused"};
  else
    wire.limit = limits_[wire.server];
  return connect_simulated_ke_channel(
    events_, wire, [this, at = wire.server, from = wire.client](auto channel) {
      arrive(at, from, std::move(channel));
    });
}

void simulated_key_exchange::arrive(const ntp::endpoint& at,
                                    const ntp::endpoint& client,
                                    std::unique_ptr<ke_channel> channel) {
  const auto events = listeners_[at].lock();
  if (events && events->admit(client))
    events->accepted(std::move(channel));
}

std::unique_ptr<ke_channel>
simulated_key_exchange::connect(ke_connection wish,
                                const ntp::ip_address& own) {
  simulated_ke_wire wire;
  wire.client = {own, ++last_port_};
  wire.server = wish.address;
  wire.delay = way;
  wire.limit = wish.limit;
  wire.seed = seeds_.next();
  wishes_.push_back(std::move(wish));
  wish_times_.push_back(events_.now());
  acceptor accepted = [](auto) {
    // nop
  };
  const auto found = places_.find(wire.server);
  if (found == places_.end() || !found->second.accepted)
    wire.failure = {ke_ending::unreachable, {}, "connection refused"};
  else
    accepted = found->second.accepted;
  if (found != places_.end() && found->second.failure)
    wire.failure = found->second.failure;
  return connect_simulated_ke_channel(events_, wire, std::move(accepted));
}

platform::result<std::unique_ptr<ke_listener>>
simulated_key_exchange::listen(const ke_listener_options& options,
                               ke_listener_events events) {
  auto& known = listeners_[options.local];
  if (!known.expired())
    return tl::unexpected{
      platform::error{platform::errc::in_use,
                      options.local.to_string() + " is in use already"}};
  auto shared = std::make_shared<const ke_listener_events>(std::move(events));
  known = shared;
  limits_[options.local] = options.limit;
  return std::make_unique<listener>(options.local, std::move(shared));
}

} // namespace concert::actors
