#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/discipline/delay_watch.hpp"
#include "ntp_core/discipline/path_anchors.hpp"
#include "ntp_core/discipline/wander_bank.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace concert::ntp {

/// One exchange as the experts take it; times relative to an epoch and an
/// origin of the owner.
struct exchange {
  double at_s = 0;           ///< arrival, since the owner's epoch
  double forward_s = 0;      ///< T2 − T1, less the origin
  double backward_s = 0;     ///< T4 − T3, plus the origin
  double span_s = 0;         ///< from T1 to T4
  double stamp_variance = 0; ///< of one way, s²
  double root_distance_s = 0;

  double delay_s() const { return forward_s + backward_s; }
  double offset_s() const { return (forward_s - backward_s) / 2; }
};

/// What an expert did with an exchange.
enum class reception : std::uint8_t {
  used,
  held_back,  ///< contradicts the path; waits for a second one
  rerouted,   ///< the second of its kind: the path has become shorter
  lengthened, ///< the path has become longer
  jumped,     ///< the clock or the server has jumped
  impossible, ///< no asymmetry explains what this server says against others
};

/// A first guess of a path's queueing, s.
struct first_guess {
  double delay_s = 0; ///< smallest round trip
  double scale_s = 0; ///< of one way
};

/// One opinion of what queueing looks like (algorithm.md §4.3), with beliefs
/// about clock and paths that follow from it. All experts see all exchanges;
/// the evidence says whom to believe.
class noise_expert {
public:
  noise_expert(noise_shape shape, const oscillator_prior& prior);

  /// Adds a path by its first exchange. Unless it is the first, its asymmetry
  /// is as likely to be zero as that of the others.
  void add_path(const exchange& x, const first_guess& guess);
  /// Adds another way to see a server that is seen already; the beliefs are
  /// `dt` seconds older than `x`.
  void add_path(double dt, const exchange& x, const first_guess& guess);
  /// Adds a path that another expert of this shape knows by itself.
  /// `same_clock`: what that one takes for the path's asymmetry holds here.
  /// The beliefs are `dt` seconds older than `x`.
  void add_path(double dt, const exchange& x, const noise_expert& other,
                std::size_t its_path, bool same_clock);
  /// Begins with one path and a clock that an earlier run knew; the offset
  /// of `clock` is the origin.
  void recall(const clock_estimate& clock, const first_guess& guess,
              double asymmetry_s);
  void remove_path(std::size_t path);
  /// While a path is new its scale is given from outside.
  void set_scale(std::size_t path, double scale_s);

  /// Takes an exchange of a path `dt` seconds after the last one. `watch` has
  /// its delay already. A `fresh` path learns nothing yet.
  reception take(std::size_t path, double dt, const exchange& x,
                 const delay_watch& watch, bool fresh);

  /// Doubt from outside, s² and ratio².
  void inflate(double offset_variance, double frequency_variance);
  /// Moves the origin by `by` and the epoch.
  void shift(double by);

  const wander_bank& bank() const { return bank_; }
  std::size_t paths() const { return paths_.size(); }
  double log_weight() const { return log_weight_; }
  /// Mean one-way queueing (deviation for the Gaussian shape), s.
  double forward_scale_s(std::size_t path) const {
    return paths_[path].forward_s;
  }
  double backward_scale_s(std::size_t path) const {
    return paths_[path].backward_s;
  }
  /// Variance that the asymmetry of a path had at first, s².
  double asymmetry_variance(std::size_t path) const {
    return paths_[path].asymmetry_variance;
  }
  /// How much less than independent the samples of a path are, 0 to 1.
  double tempering(std::size_t path, double dt, const delay_watch& watch) const;

private:
  /// A change of the route that is not understood yet.
  struct route_change {
    double asymmetry_before_s = 0;
    /// Of a route with the same base, seen earlier.
    std::optional<double> asymmetry_known_s;
    double by_s = 0;      ///< of the round trip
    int samples_left = 0; ///< until it is looked at
    bool settled = false; ///< has been looked at once
  };
  struct path {
    double forward_s = 0;
    double backward_s = 0;
    double asymmetry_variance = 0;
    std::uint64_t samples = 0;
    bool dropped = false;  ///< the last exchange was too short
    bool violated = false; ///< the last exchange was beyond its delay's bound
    double last_at_s = 0;
    path_anchors anchors;
    std::optional<route_change> change;
  };

  double wall_s(const path& p, double one_sided, double softened,
                double gaussian) const;
  bool advance(std::size_t path, double dt, const exchange& x,
               const delay_watch& watch, bool fresh);
  std::optional<reception> watch_for_drop(std::size_t path, const exchange& x,
                                          const delay_watch& watch);
  double jump_of(std::size_t path, double dt, const exchange& x);
  void measure_newcomer(double dt, const exchange& x);
  void leak(double dt);
  bool lengthen(std::size_t path, const exchange& x, const delay_watch& watch,
                double tempering);
  void shorten(std::size_t path, const exchange& x, const delay_watch& watch,
               double drop);
  void change_route(path& p, std::size_t path, double base_s, double change_s,
                    double at_s);
  void doubt_new_route(const path& p, std::size_t path);
  void settle_change(path& p, std::size_t path);
  void move_anchor(double by);
  bool keep_bounded(std::size_t path, const exchange& x);
  noise_law law(double scale_s, double stamp_variance, double tempering,
                double& log_correction) const;
  void learn(path& p, std::size_t path, const exchange& x, double most);
  std::vector<double> common_asymmetry() const;
  void reanchor();

  noise_shape shape_;
  wander_bank bank_;
  std::vector<path> paths_;
  double log_weight_ = 0;
  bool violated_ = false; ///< the same, of the last exchange of any path
};

} // namespace concert::ntp
