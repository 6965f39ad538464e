#include "ntp_core/discipline/clock_state.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace concert::ntp {

namespace {

/// Below this a variance is rounding, s² or ratio².
constexpr double least_variance = 1e-26;
/// More paths than this are never kept in one belief.
constexpr std::size_t largest = 2 + 2 * 12;
constexpr double absurd_variance = 1e6;

double sign_of(direction way) {
  return way == direction::forward ? 1 : -1;
}

/// The state holds for the arrival; a request left `span_s` before it.
double lever_of(direction way, double span_s) {
  return way == direction::forward ? -span_s : 0;
}

} // namespace

clock_state::clock_state(double f, double frequency_variance)
  : m_{f, 0},
    p_{frequency_variance, 0, 0, 0} {
}

void clock_state::set_covariance(std::size_t i, std::size_t j, double v) {
  row(i)[j] = v;
  row(j)[i] = v;
}

void clock_state::add_path(double a, double a_variance, double b,
                           double b_variance) {
  const auto n = size();
  std::vector<double> p((n + 2) * (n + 2));
  for (std::size_t i = 0; i < n; ++i)
    std::copy_n(row(i), n, p.data() + i * (n + 2));
  p_ = std::move(p);
  m_.push_back(a);
  m_.push_back(b);
  row(n)[n] = a_variance;
  row(n + 1)[n + 1] = b_variance;
}

void clock_state::remove_path(std::size_t path) {
  const auto n = size();
  const auto gone = asymmetry(path);
  const auto kept = [gone](std::size_t i) { return i < gone || i > gone + 1; };
  std::vector<double> p;
  p.reserve((n - 2) * (n - 2));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      if (kept(i) && kept(j))
        p.push_back(row(i)[j]);
  const auto first = m_.begin() + static_cast<std::ptrdiff_t>(gone);
  m_.erase(first, first + 2);
  p_ = std::move(p);
}

void clock_state::replace(std::size_t i, double value, double variance) {
  for (std::size_t j = 0; j < size(); ++j)
    set_covariance(i, j, 0);
  row(i)[i] = variance;
  m_[i] = value;
}

void clock_state::predict(double dt, double wander, double delay_drift,
                          double jump) {
  const auto n = size();
  double* f = row(frequency);
  double* o = row(offset);
  m_[offset] += m_[frequency] * dt;
  o[offset] += 2 * dt * f[offset] + dt * dt * f[frequency]
               + wander * dt * dt * dt / 3 + jump;
  for (std::size_t j = 2; j < n; ++j)
    set_covariance(offset, j, o[j] + dt * f[j]);
  set_covariance(frequency, offset,
                 f[offset] + dt * f[frequency] + wander * dt * dt / 2);
  f[frequency] += wander * dt;
  for (std::size_t j = 3; j < n; j += 2)
    row(j)[j] += delay_drift * dt;
}

double clock_state::expected(std::size_t path, direction way,
                             double span_s) const {
  return sign_of(way) * (m_[offset] + m_[asymmetry(path)]) + m_[base(path)]
         + lever_of(way, span_s) * m_[frequency];
}

double clock_state::seen_variance(std::size_t path) const {
  const auto a = asymmetry(path);
  return row(offset)[offset] + row(a)[a] + 2 * row(offset)[a];
}

double clock_state::update(std::size_t path, direction way, double span_s,
                           double y, const noise_law& law) {
  const auto n = size();
  const auto a = asymmetry(path);
  const auto b = base(path);
  const double sign = sign_of(way);
  const double lever = lever_of(way, span_s);
  std::array<double, largest> g; // covariance with what is measured
  for (std::size_t i = 0; i < n; ++i)
    g[i] = sign * (row(offset)[i] + row(a)[i]) + row(b)[i]
           + lever * row(frequency)[i];
  const double mu = expected(path, way, span_s);
  const double known
    = std::max(0.0, sign * (g[offset] + g[a]) + g[b] + lever * g[frequency]);
  const double v = known + std::max(blur_variance(law), 1e-20);
  const auto matched = match_moments(mu, v, y, law);
  const double gain = (matched.mean - mu) / v;
  // Slightly negative when two explanations compete: then doubt grows.
  const double shrink = (1 - matched.variance / v) / v;
  for (std::size_t i = 0; i < n; ++i) {
    m_[i] += g[i] * gain;
    const double gi = g[i] * shrink;
    double* r = row(i);
    for (std::size_t j = 0; j < n; ++j)
      r[j] -= gi * g[j];
    r[i] = std::max(r[i], least_variance);
  }
  return matched.log_evidence;
}

void clock_state::condition(const std::vector<double>& h, double y,
                            double variance) {
  const auto n = size();
  std::array<double, largest> g{};
  double s = variance;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      g[i] += row(i)[j] * h[j];
    s += h[i] * g[i];
    y -= h[i] * m_[i];
  }
  for (std::size_t i = 0; i < n; ++i) {
    m_[i] += g[i] * y / s;
    for (std::size_t j = 0; j < n; ++j)
      row(i)[j] -= g[i] * g[j] / s;
    row(i)[i] = std::max(row(i)[i], least_variance);
  }
}

void clock_state::clear() {
  std::fill(m_.begin(), m_.end(), 0);
  std::fill(p_.begin(), p_.end(), 0);
}

void clock_state::add_mean(const clock_state& s, double w) {
  for (std::size_t i = 0; i < size(); ++i)
    m_[i] += w * s.m_[i];
}

void clock_state::add_spread(const clock_state& s, double w) {
  const auto n = size();
  std::array<double, largest> d;
  for (std::size_t i = 0; i < n; ++i)
    d[i] = s.m_[i] - m_[i];
  for (std::size_t i = 0; i < n; ++i) {
    double* r = row(i);
    const double* from = s.row(i);
    for (std::size_t j = 0; j < n; ++j)
      r[j] += w * (from[j] + d[i] * d[j]);
  }
}

bool clock_state::is_sound() const {
  const auto finite = [](double v) { return std::isfinite(v); };
  return std::all_of(m_.begin(), m_.end(), finite)
         && std::all_of(p_.begin(), p_.end(), finite)
         && row(offset)[offset] <= absurd_variance;
}

} // namespace concert::ntp
