#pragma once

#include "ntp_core/access/ip_address.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace concert::load {

enum class exit_code : std::uint8_t {
  ok = 0,      ///< measured, or sent
  no = 1,      ///< no good answer came, or no rate was carried
  usage = 2,   ///< the command line cannot be understood
  refused = 3, ///< the system refused something, or the target is not ours
};

enum class command : std::uint8_t { meter, flood, handshakes };

/// The server to exchange keys with.
struct ke_options {
  ntp::endpoint address;
  std::string name; ///< that its certificate must be for
  std::vector<std::filesystem::path> authorities; ///< besides the system's
};

/// The command line of ntp-load.
struct options {
  command what = command::meter;
  ntp::endpoint target;
  bool own_target = false; ///< the user vouches for it
  std::uint64_t clients = 1;
  std::optional<ntp::ip_prefix> prefix; ///< of the clients
  std::uint8_t version = 4;
  std::optional<int> cpu;
  std::optional<double> rate; ///< 1/s
  double duration_s = 10;
  bool json = false;
  bool quiet = false;

  // The rest is for the meter.
  std::optional<std::uint32_t> window; ///< closed loop with so many in flight
  bool poisson = false;
  bool interleaved = false;
  bool same_clock = false;
  double warm_up_s = 0.5;
  double timeout_s = 0.5; ///< after which an answer is lost
  std::uint32_t size = 48;
  std::optional<std::uint32_t> sample; ///< stamp 1 request in so many
  bool search = false;
  double step_s = 2;
  double max_loss = 0.001; ///< share
  bool nts = false;
  std::uint32_t sessions = 16; ///< key exchanges before the first request
  std::uint32_t verify = 1;    ///< check 1 authenticator in so many

  ke_options ke;                  ///< for NTS, and the target of handshakes
  std::uint32_t connections = 16; ///< handshakes at a time

  // And for the flood.
  std::uint32_t batch = 64; ///< requests of one client in a row

  /// Where the clients' addresses come from; nothing = the system chooses.
  std::optional<ntp::ip_prefix> client_prefix() const;
};

/// Why there is nothing to do: help and version have code 0 and go to standard
/// output, the rest to standard error.
struct usage_answer {
  int code = 0;
  std::string text;
};

/// Reads the arguments (without the program's name).
tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments);

} // namespace concert::load
