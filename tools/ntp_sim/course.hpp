#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace concert::sim {

/// A quantity over time, kept as least and greatest value of each of so many
/// equal spans: what a picture can show of any number of points.
class series {
public:
  static constexpr std::size_t bins = 1000;

  series(double from_s, double until_s);

  /// Times outside [from, until] are left out.
  void add(double time_s, double value);

  struct span {
    double low = 0;
    double high = 0;
    bool empty = true;
  };
  const std::vector<span>& spans() const { return spans_; }
  /// Middle of a span, s.
  double time_s(std::size_t i) const;

private:
  double from_s_;
  double width_s_;
  std::vector<span> spans_;
};

/// What `--plot` shows of one run; all values are of the clock against the
/// truth, s: positive = the clock is fast.
struct course {
  course(double from_s, double until_s);

  double from_s;
  double until_s;
  series error;
  series belief;     ///< what the daemon thinks the error is
  series sure_low;   ///< belief − estimated_error
  series sure_high;  ///< belief + estimated_error
  series bound_low;  ///< belief − max_error
  series bound_high; ///< belief + max_error
  std::map<std::string, series> sources; ///< the clock against each
};

} // namespace concert::sim
