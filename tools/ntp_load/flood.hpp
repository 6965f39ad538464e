#pragma once

#include "platform/error.hpp"
#include "tools/ntp_load/options.hpp"

#include <csignal>
#include <cstdint>
#include <functional>

namespace concert::load {

struct flood_result {
  double duration_s = 0;
  std::optional<double> wanted_rate;
  std::uint64_t sent = 0;    ///< requests
  std::uint64_t batches = 0; ///< of one client each
  std::uint64_t refused = 0; ///< requests, by the kernel
  std::uint64_t clients = 0; ///< different source addresses, at most
  double cpu_s = 0;

  double rate() const {
    return duration_s > 0 ? static_cast<double>(sent) / duration_s : 0;
  }
};

/// Sends batches of requests, each from the next client, as segments of one
/// message. The answers are dropped unread; the server's counters tell them.
platform::result<flood_result>
run_flood(const options& o, bool foreign_source,
          const volatile std::sig_atomic_t& stop,
          const std::function<void(const flood_result&)>& told);

} // namespace concert::load
