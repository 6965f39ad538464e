#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace concert::ntp {

/// The routes that a path has taken, and the asymmetry that each of them was
/// found to have. When the base delay jumps, nobody can tell whether the path
/// has become asymmetric or was so before: the clock goes on as it was, and
/// the new route's asymmetry is measured against it. That must not add up over
/// many changes. So a route that comes back gets its old asymmetry back, and
/// in the long run the routes' mean, weighted by the time spent on each, is
/// taken to be symmetric.
class path_anchors {
public:
  /// Time on a route passes, s.
  void spend(double dt) { now_.time_s += dt; }

  /// The route changes at `t_s`: remembers what was known of the old one.
  void leave(double base_s, double asymmetry_s, double t_s);
  /// A remembered route with a base within `width_s` of `base_s` is back: its
  /// asymmetry.
  std::optional<double> recall(double base_s, double width_s);

  /// Whether so many routes changed lately that it must be something else.
  bool is_restless(double t_s) const;

  /// Weighted mean of all routes' asymmetries, the present one having `now_s`;
  /// 0 while none has lasted a day.
  double mean_asymmetry_s(double now_s) const;
  /// All asymmetries are less by this: the clock was moved instead.
  void shift(double by_s);

private:
  struct route {
    double base_s = 0;
    double asymmetry_s = 0;
    double time_s = 0; ///< spent on it
  };

  static double weight(const route& r);

  route now_;
  std::vector<route> earlier_;
  double changes_ = 0; ///< lately, fading
  double changed_at_s_ = 0;
};

} // namespace concert::ntp
