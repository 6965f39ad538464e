#pragma once

#include "platform/error.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// The log: one line an event, "event-name key=value …". On stderr with the
/// "<N>" prefix that the journal understands, as journal fields when stderr is
/// the journal, or in a file (appended, reopened by `reopen`). Usable from any
/// thread and from the first line of main.
namespace concert::platform::log {

enum class level : std::uint8_t { trace, debug, info, warning, error, none };

/// Lines below `l` are not written; `none` writes no line at all.
void set_level(level l);
bool enabled(level l);
/// Sends the log to a file; errors leave it where it was.
result<void> to_file(const std::filesystem::path& path);
/// Sends it to stderr or the journal again, as at the start.
void to_standard_error();
/// Opens the file anew (after rotation), if the log is in one; errors leave it
/// where it was.
result<void> reopen();

/// Writes one line. `event` is the name, `text` the key=value pairs.
void write(level l, std::string_view event, std::string_view text);

template <class... Args>
void error(std::string_view event, fmt::format_string<Args...> f,
           Args&&... args) {
  write(level::error, event, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view event, fmt::format_string<Args...> f,
             Args&&... args) {
  write(level::warning, event, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void info(std::string_view event, fmt::format_string<Args...> f,
          Args&&... args) {
  write(level::info, event, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void debug(std::string_view event, fmt::format_string<Args...> f,
           Args&&... args) {
  if (enabled(level::debug))
    write(level::debug, event, fmt::format(f, std::forward<Args>(args)...));
}

/// Lets through one line per `interval` for what the network can cause, and
/// counts the rest.
class limiter {
public:
  explicit limiter(std::chrono::seconds interval) : interval_(interval) {}
  /// The number of lines suppressed since the last one, if one may be written
  /// at `now` (monotonic).
  std::optional<std::uint64_t> pass(std::chrono::nanoseconds now);

private:
  std::chrono::nanoseconds interval_;
  std::optional<std::chrono::nanoseconds> last_;
  std::uint64_t suppressed_ = 0;
};

} // namespace concert::platform::log
