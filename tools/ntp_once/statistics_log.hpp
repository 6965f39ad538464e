#pragma once

#include "ntp_core/association/measurement.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "platform/error.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace concert::once {

/// One update of the clock, for the log.
struct update {
  ntp::ntp_timestamp now;
  std::string_view source;
  ntp::measurement sample;
  ntp::system_snapshot system; ///< after it
  std::optional<double> true_error_s;
};

/// The names of the columns, after "# ".
std::string statistics_header();
/// Values by the header's columns, one blank between them: seconds, but
/// frequency in ppm; "-" where a value is not known.
std::string statistics_line(const update& u);

/// A file that grows by a line for each update.
class statistics_log {
public:
  /// Appends to `path`, after a header; "-" is standard output.
  static platform::result<statistics_log> open(const std::string& path);

  /// False when it cannot be written (full disk, closed pipe).
  bool add(const update& u);

private:
  struct closer {
    void operator()(FILE* file) const {
      if (file != stdout)
        std::fclose(file);
    }
  };

  explicit statistics_log(FILE* file) : file_(file) {}
  bool write(const std::string& line);

  std::unique_ptr<FILE, closer> file_;
};

} // namespace concert::once
