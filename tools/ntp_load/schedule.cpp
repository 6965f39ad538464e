#include "tools/ntp_load/schedule.hpp"

#include <cmath>

namespace concert::load {

double schedule::exponential() {
  return -gap_ns_ * std::log(random_.uniform());
}

} // namespace concert::load
