#pragma once

#include "exporter/metrics.hpp"

#include <cstddef>
#include <deque>
#include <string>

namespace concert::exporter {

/// The last hour in numbers, for the plots of the status page; its memory is
/// bounded.
class history {
public:
  static constexpr double interval_s = 2;
  static constexpr std::size_t rows = 1800;
  static constexpr std::size_t max_sources = 32;

  /// Keeps what is plotted, unless the last row is younger than `interval_s`.
  /// Rows that lie in the future, as the clock was set back, are dropped. A
  /// daemon that does not answer leaves a gap.
  void add(const reading& r);

  /// `{"sources":[…],"rows":[[Unix time, offset, estimated error, bound, offset
  /// of each source…],…]}`; what is not known is null.
  std::string to_json() const;

  std::size_t size() const { return rows_.size(); }

private:
  struct row {
    double at_s = 0;
    double offset_s = 0; ///< these are NaN if not known
    double error_s = 0;
    double bound_s = 0;
  };
  /// The offsets of one source, one for each row.
  struct series {
    std::string name;
    std::deque<double> offsets_s; ///< NaN if not known
    std::size_t known = 0;        ///< how many are
  };

  void drop_front();
  void drop_back();
  series* find(const std::string& name);

  std::deque<row> rows_;
  std::deque<series> sources_;
};

} // namespace concert::exporter
