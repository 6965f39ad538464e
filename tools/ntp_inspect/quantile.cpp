#include "tools/ntp_inspect/quantile.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace concert::inspect {

namespace {

constexpr double first_end_s = 256e-9;

} // namespace

std::optional<double> quantile(const ctl::duration_histogram& h, double q) {
  const auto all = std::accumulate(h.begin(), h.end(), 0.0);
  if (all == 0)
    return {};
  double passed = 0;
  for (std::size_t i = 0; i + 1 < h.size(); ++i) {
    passed += static_cast<double>(h[i]);
    if (passed >= q * all)
      return std::ldexp(first_end_s, static_cast<int>(i));
  }
  return std::numeric_limits<double>::infinity();
}

ctl::duration_histogram since(const ctl::duration_histogram& now,
                              const ctl::duration_histogram& before) {
  ctl::duration_histogram result{};
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = now[i] > before[i] ? now[i] - before[i] : 0;
  return result;
}

} // namespace concert::inspect
