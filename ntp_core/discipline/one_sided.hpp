#pragma once

namespace concert::ntp {

/// How queueing adds to one way of one exchange.
enum class noise_shape {
  one_sided, ///< never below the base: exponential, with a long tail
  softened,  ///< one-sided with a blurred wall
  gaussian,  ///< symmetric, with a wide part
};

/// The law of one measurement y = u + e + n, where u is what the state
/// predicts: e is queueing, n normal noise of the stamps (algorithm.md §4.3).
struct noise_law {
  noise_shape shape = noise_shape::one_sided;
  /// Mean of e for the one-sided shapes, deviation for the Gaussian one, s.
  double scale_s = 0;
  double stamp_variance = 0; ///< of n, s²
};

/// What is known of u after y was seen.
struct matched_moments {
  double mean = 0;
  double variance = 0;
  double log_evidence = 0; ///< log of the density of y
};

/// Moments of u ~ N(`mean`, `variance`) given `y`, in closed form; any finite
/// input gives finite output. `variance` > 0, `law.scale_s` > 0.
matched_moments match_moments(double mean, double variance, double y,
                              const noise_law& law);

/// Variance of the normal part that the law adds to that of the state: the
/// blur of the wall. Part of `variance` above.
double blur_variance(const noise_law& law);

} // namespace concert::ntp
