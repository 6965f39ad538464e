#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace concert::exporter {

enum class text_format : std::uint8_t {
  prometheus,  ///< Prometheus' text format 0.0.4
  openmetrics, ///< OpenMetrics 1.0
};

enum class metric_type : std::uint8_t { gauge, counter, info, histogram };

/// What the samples of one name have in common.
struct family {
  std::string_view name; ///< without "_total", "_info" and "_bucket"
  metric_type type = metric_type::gauge;
  std::string_view unit; ///< the end of the name, or empty
  std::string_view help; ///< without quotes, backslashes and line ends
};

using label_list
  = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Writes samples as text for a scraper. Samples of one family must come one
/// after the other; a second one with the same labels is left out, as it would
/// spoil the whole text for its reader. Labels without a value are left out.
class exposition {
public:
  explicit exposition(text_format format) : format_{format} {}

  /// A value that is no finite number is written as one is: NaN, +Inf, -Inf.
  void add(const family& f, label_list labels, double value);
  void add(const family& f, label_list labels, std::uint64_t value);

  /// One bucket of a histogram: how many were at most `limit`, which may be
  /// infinite. Limits must rise.
  void bucket(const family& f, label_list labels, double limit,
              std::uint64_t at_most);

  /// The text; nothing may be added after it.
  std::string take() &&;

private:
  void begin(const family& f);
  void write(const family& f, std::string_view suffix, label_list labels,
             std::string_view limit, std::string_view value);

  text_format format_;
  std::string text_;
  std::string_view current_;                   ///< the family's name
  std::set<std::string, std::less<>> written_; ///< its label sets
};

/// A number as both formats write it: shortest that reads back the same.
std::string number_text(double value);

/// The value of Content-Type.
std::string_view content_type(text_format format);

/// What a client that sends this Accept header is to get.
text_format format_for(std::string_view accept);

} // namespace concert::exporter
