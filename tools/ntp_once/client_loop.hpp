#pragma once

#include "ntp_core/association/association.hpp"
#include "ntp_core/discipline/steering.hpp"
#include "platform/clock.hpp"
#include "tools/ntp_once/plain_socket.hpp"

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::once {

/// One server, as the loop sees it.
struct source {
  ntp::source_registration registration;
  ntp::association_config config;
  ntp::association machine;
  std::vector<ntp::endpoint> spares; ///< other addresses of the same server
  std::size_t unasked = 0;           ///< how many of them were never asked
  std::optional<plain_socket> socket = std::nullopt;
  /// Goes out with the next report.
  std::optional<ntp::measurement> sample = std::nullopt;
  std::uint32_t polls = 0;  ///< of this address that have ended
  bool gone = false;        ///< refused us for good
  std::string trouble = {}; ///< why the last poll failed here, for people
};

/// What the owner of a loop may want to hear.
struct loop_listener {
  /// The steering has taken a sample.
  std::function<void(const source&, const ntp::measurement&)> measured;
  std::function<void(const ntp::steering_event&)> said;
};

/// The core, driven by one thread and `poll`: associations and the steering
/// say what they want and until when they can wait; this carries it out.
class client_loop {
public:
  /// `clock` and `random` must outlive this.
  client_loop(platform::clock& clock, ntp::random_source& random,
              const ntp::steering_config& config, loop_listener listener);

  /// The first of `addresses` is asked, the others are spares. Its first poll
  /// comes within 0.15 s.
  void add(std::string name, std::vector<ntp::endpoint> addresses,
           const ntp::association_config& config);
  /// Does what is due, then waits for what comes next: at most until `limit`
  /// and at most half a second, so that a caller's signals are seen in time.
  void turn(ntp::mono_time limit);
  /// Goes on with another address of the same server, if there is one, and
  /// never again with the present one if that `refused`. Only addresses that
  /// were never asked get a burst.
  void move_on(source& s, bool refused);
  /// Leaves the clock as it should be without us.
  void stop();

  std::deque<source>& sources() { return sources_; }
  const std::deque<source>& sources() const { return sources_; }
  const ntp::steering& steering() const { return steering_; }
  ntp::clock_reading read() const { return clock_.read(); }

private:
  ntp::mono_time now() const { return clock_.read().mono; }

  void handle_deadlines();
  void wait(ntp::mono_time limit);
  void on_ready(source& s, short events);
  void carry_out(source& s, const ntp::association_actions& actions);
  void send_request(source& s, const ntp::send_packet& packet);
  void report(source& s);

  void carry_out(const ntp::steering_actions& actions);
  void set_frequency(const ntp::set_frequency& wish);
  void step(const ntp::step_clock& wish);
  void check_foreign_hand();

  platform::clock& clock_;
  ntp::random_source& random_;
  loop_listener listener_;
  bool read_only_;
  ntp::frequency base_;
  std::optional<ntp::frequency> frequency_set_; ///< what the clock took
  bool slewing_ = false;
  ntp::steering steering_;
  std::deque<source> sources_;
  std::uint64_t last_id_ = 0;
  plain_socket keeper_ = plain_socket::keeper();
  std::array<std::byte, 1024> buffer_{};
};

} // namespace concert::once
