#pragma once

#include "actors/simulation/simulation.hpp"
#include "ctl/observation.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A daemon on a simulated machine with three good servers, and short ways to
/// look at it.
namespace concert::actors::testing {

using namespace std::chrono_literals;

/// A clock 0.25 s and 40 ppm wrong.
inline const simulated_clock_options wrong_clock{.initial_offset_s = 0.25,
                                                 .frequency_error = 40e-6,
                                                 .wander = 1e-9,
                                                 .seed = 7};

/// A directory of its own, gone at the end.
class scratch {
public:
  scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch();
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// `[[source]]` for one server.
std::string server_source(const std::string& address,
                          const std::string& more = "");
/// `[[source]]` for a pool.
std::string pool_source(const std::string& name, int count,
                        const std::string& more = "");

class machine {
public:
  static constexpr const char* a = "192.0.2.1";
  static constexpr const char* b = "192.0.2.2";
  static constexpr const char* c = "192.0.2.3";
  static constexpr const char* listen = "10.0.0.2:123";
  static constexpr const char* client = "198.51.100.7";

  explicit machine(std::uint64_t seed = 1,
                   const simulated_clock_options& clock = wrong_clock);

  /// Sources a, b and c, each 5 to 7 ms away, and one server.
  static std::string usual_config();

  void write_config(const std::string& text);
  void start(const std::string& text = usual_config());
  /// Writes a new configuration and sends SIGHUP.
  void reload(const std::string& text);
  void stop();
  std::filesystem::path state_file() const;
  /// Everything that was logged so far.
  std::string log() const;
  bool logged(std::string_view what) const;

  simulation& sim() { return sim_; }
  simulated_clock& clock() { return sim_.clock(); }
  time_server& server(const std::string& address) {
    return sim_.network().server(address);
  }
  void run_for(std::chrono::nanoseconds d) { sim_.run_for(d); }
  /// Runs until `done()`, looking each second; false if that took too long.
  bool run_until(std::chrono::seconds limit, const std::function<bool()>& done);

  ctl::observation status();
  std::string state() { return status().system.state; }
  /// The state of the source at an address; empty if there is none.
  std::string source_state(const std::string& address);
  std::vector<std::string> source_addresses();
  /// Clock − truth, s.
  double error() { return *clock().true_error_s(); }
  /// The largest |clock − truth| while time passes, looked at each second.
  double worst_error(std::chrono::seconds span);
  /// What a client sees of our server; nothing if there is no answer.
  std::optional<client_query> ask_server();

private:
  scratch scratch_;
  simulation sim_;
};

} // namespace concert::actors::testing
