#pragma once

#include "tools/ntp_load/ke_attempt.hpp"
#include "tools/ntp_load/options.hpp"
#include "tools/ntp_load/sample_set.hpp"

#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace concert::load {

/// What a run of key exchanges found.
struct handshake_result {
  double duration_s = 0;
  std::uint64_t done = 0;                        ///< with keys and cookies
  std::uint64_t failed = 0;                      ///< all kinds
  std::map<std::string, std::uint64_t> failures; ///< by what went wrong
  sample_set time_ns; ///< from the start of connecting to the cookies
  double busy = 0;    ///< share of the time in which there was work
  double cpu_s = 0;

  /// Whether the server might do more.
  bool is_limited() const { return busy > 0.97; }
  double rate() const {
    return duration_s > 0 ? static_cast<double>(done) / duration_s : 0;
  }
};

/// The server that the options name; reads certificates.
platform::result<ke_target> open_ke_target(const ke_options& o);

/// What became of a key exchange; the listener's answer tells whether more are
/// wanted.
using ke_listener
  = std::function<bool(tl::expected<nts_session, ke_attempt::failure>)>;

/// Makes one key exchange after another, `connections` at a time, in this
/// thread.
handshake_result
run_handshakes(const ke_target& target, std::uint32_t connections,
               double duration_s, const volatile std::sig_atomic_t& stop,
               const ke_listener& on_end,
               const std::function<void(const handshake_result&)>& told);

/// So many sessions with the server, or why the first that failed did.
platform::result<std::vector<nts_session>>
open_sessions(const ke_target& target, std::size_t count,
              const volatile std::sig_atomic_t& stop);

} // namespace concert::load
