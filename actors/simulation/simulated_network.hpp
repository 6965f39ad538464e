#pragma once

#include "actors/runtime.hpp"
#include "actors/simulation/link_model.hpp"
#include "actors/simulation/random.hpp"
#include "actors/simulation/simulated_clock.hpp"
#include "actors/simulation/simulated_server.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace concert::actors {

/// How packets travel between us and one address, for tests that change it by
/// hand; a `link_model` can more.
struct network_path {
  double forward_s = 5e-3; ///< to there, at least
  double backward_s = 5e-3;
  double jitter_s = 50e-6; ///< mean of the queueing on top, each way
  double loss = 0;         ///< probability that a packet is lost, each way
  bool cut = false;        ///< nothing gets through
  ntp::stamp_kind stamps = ntp::stamp_kind::kernel;
};

/// What a name stands for.
struct name_record {
  std::vector<ntp::ip_address> addresses; ///< empty = no such name
  bool hangs = false; ///< the name servers do not answer: an error after 15 s
};

/// A request of a simulated client to the daemon's server.
struct client_query {
  std::optional<ntp::packet_header> reply;
  double offset_s = 0; ///< the server's clock − truth, by the client's stamps
};

/// The network around the daemon: servers, clients, names and addresses.
class simulated_network {
public:
  /// `note` hears every packet, for the trace.
  simulated_network(event_queue& events, simulated_clock& clock,
                    seeded_random& random,
                    std::function<void(std::span<const std::byte>)> note);
  ~simulated_network();

  /// The server at an address, made when it is asked for first.
  time_server& server(const std::string& address);
  /// Puts any server at an address, in place of a `time_server`.
  void place(const std::string& address,
             std::shared_ptr<simulated_server> server);
  network_path& path(const std::string& address);
  /// Puts a model in place of the path to an address.
  void link(const std::string& address, std::unique_ptr<link_model> model);
  name_record& name(const std::string& host) { return names_[host]; }
  /// When a name was asked for.
  const std::vector<true_time>& lookups(const std::string& host) {
    return lookups_[host];
  }

  std::vector<ntp::ip_address> own_addresses{
    ntp::ip_address::v4({127, 0, 0, 1}), ntp::ip_address::v4({10, 0, 0, 2})};
  std::set<ntp::ip_address> on_link;
  bool has_route = true;
  bool ports_in_use = false; ///< no server port can be opened
  int out_of_memory = 0;     ///< so many of the next sockets throw when opened

  /// Our machine has slept until now: what came meanwhile is lost.
  void woke() { awake_since_ = events_.now(); }
  /// Requests that the daemon sent so far.
  std::uint64_t requests() const { return requests_; }

  /// Lets a client ask the daemon's server; the answer comes as time passes.
  /// The transmit stamp of `request` is set at random.
  std::shared_ptr<const client_query> ask(const std::string& listen,
                                          const std::string& client,
                                          ntp::packet_header request = {});
  /// The same with any datagram. The answer is empty until there is one.
  std::shared_ptr<const std::vector<std::byte>>
  ask(const std::string& listen, const std::string& client,
      std::vector<std::byte> datagram);

  // -- for the runtime --------------------------------------------------------

  platform::result<std::unique_ptr<poll_socket>>
  open_poll_socket(const ntp::endpoint& server,
                   std::function<void()> on_readable);
  platform::result<std::unique_ptr<server_port>>
  open_server_port(const ntp::endpoint& listen,
                   std::function<void()> on_readable);
  void resolve(const std::string& host, platform::resolver::callback done);

private:
  struct mailbox;
  struct listener;
  class client_end;
  class server_end;

  struct route {
    network_path path;
    std::unique_ptr<link_model> model;
  };

  link_model::stamping stamping_of_poll(const route& r);
  /// How long a packet is under way; nothing if it is lost.
  std::optional<true_time> travel(route& r, link_model::way which,
                                  true_time at);
  void send(const ntp::endpoint& to, std::vector<std::byte> bytes,
            const std::shared_ptr<mailbox>& from);
  void arrive(const ntp::endpoint& to, const std::vector<std::byte>& bytes,
              const std::shared_ptr<mailbox>& from, true_time at);
  void deliver(std::vector<std::byte> bytes, const std::shared_ptr<mailbox>& to,
               true_time at);
  using reply_handler = std::function<void(std::span<const std::byte>)>;
  ntp::endpoint new_client(const std::string& address);
  void send_to_us(const std::string& listen, const ntp::endpoint& from,
                  std::vector<std::byte> bytes, reply_handler on_reply);
  void reply_to_client(const ntp::endpoint& client,
                       std::vector<std::byte> bytes);

  event_queue& events_;
  simulated_clock& clock_;
  seeded_random& random_;
  std::uint64_t requests_ = 0;
  true_time awake_since_{};
  std::function<void(std::span<const std::byte>)> note_;
  std::map<ntp::ip_address, std::shared_ptr<simulated_server>> servers_;
  std::map<ntp::ip_address, route> routes_;
  std::map<std::string, name_record> names_;
  std::map<std::string, std::vector<true_time>> lookups_;
  std::vector<std::weak_ptr<listener>> listeners_;
  /// Clients that wait, by their endpoint.
  std::map<ntp::endpoint, reply_handler> waiting_;
};

} // namespace concert::actors
