#pragma once

#include "tools/ntp_load/flood.hpp"
#include "tools/ntp_load/handshakes.hpp"
#include "tools/ntp_load/meter.hpp"

#include <optional>
#include <string>
#include <vector>

namespace concert::load {

/// One rate that a search tried.
struct search_step {
  double rate = 0;
  bool good = false;
  meter_result result;
};

/// What a meter has to tell.
struct meter_report {
  meter_result result;              ///< of the only run, or of the best step
  std::optional<sample_set> gap_ns; ///< transmit to receive stamp, calibrated
  std::vector<search_step> steps;   ///< of a search
  std::optional<double> best_rate;  ///< that a search found
  std::optional<ntp::aead_id> aead; ///< that the requests are sealed with
};

std::string plain_text(const options& o, const meter_report& r);
std::string json_text(const options& o, const meter_report& r);
std::string plain_text(const options& o, const flood_result& r);
std::string json_text(const options& o, const flood_result& r);
std::string plain_text(const options& o, const handshake_result& r);
std::string json_text(const options& o, const handshake_result& r);

/// One line about a step, as it ends.
std::string step_line(const search_step& s);

} // namespace concert::load
