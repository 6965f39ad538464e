#pragma once

#include <cmath>
#include <vector>

namespace concert::actors::testing {

inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values)
    sum += v;
  return sum / static_cast<double>(values.size());
}

/// Mean of the products of both lists' distances from their means.
inline double covariance(const std::vector<double>& a,
                         const std::vector<double>& b) {
  const double mean_a = mean(a);
  const double mean_b = mean(b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / static_cast<double>(a.size());
}

inline double deviation(const std::vector<double>& values) {
  return std::sqrt(covariance(values, values));
}

inline double correlation(const std::vector<double>& a,
                          const std::vector<double>& b) {
  return covariance(a, b) / (deviation(a) * deviation(b));
}

} // namespace concert::actors::testing
