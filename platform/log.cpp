#include "platform/log.hpp"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

namespace concert::platform::log {

namespace {

enum class destination : std::uint8_t { standard_error, journal, file };

std::atomic<level> threshold{level::info};
std::mutex mutex;
/// Below: guarded by `mutex`.
destination target = destination::standard_error;
int file = -1;
std::string file_path;
bool looked_for_journal = false;

/// syslog's severities.
int severity(level l) {
  switch (l) {
    case level::error:
      return 3;
    case level::warning:
      return 4;
    case level::info:
      return 6;
    default:
      return 7;
  }
}

std::string_view name_of(level l) {
  constexpr std::string_view names[]
    = {"trace", "debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(l)];
}

/// Whether systemd connected our stderr with the journal: it tells device and
/// inode, since a child may have got another stderr with the same environment.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat found {};
  return stream && fstat(STDERR_FILENO, &found) == 0
         && fmt::format("{}:{}", found.st_dev, found.st_ino) == stream;
}

/// Text without control characters, C1 ones in UTF-8 included: a line of the
/// log stays one line, and a terminal that shows it obeys nobody.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size()
                    && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else if (c1)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    else
      out += text[i];
  }
  return out;
}

std::string field(std::string_view key, std::string_view value) {
  std::string out = "CONCERT_";
  for (const char c : key.substr(0, 48)) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool fits = lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += lower ? static_cast<char>(c - 'a' + 'A') : fits ? c : '_';
  }
  out += '=';
  out += value;
  return out;
}

/// One journal field for each key=value; a value in quotes may hold spaces.
void append_fields(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const auto equals = text.find('=');
    const auto space = text.find(' ');
    if (equals == std::string_view::npos)
      return;
    if (space < equals) {
      text.remove_prefix(space + 1);
      continue;
    }
    const auto key = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    const bool quoted = text.starts_with('"');
    if (quoted)
      text.remove_prefix(1);
    const auto end = std::min(text.find(quoted ? '"' : ' '), text.size());
    if (!key.empty())
      out.push_back(field(key, text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool to_journal(level l, std::string_view event, std::string_view text) {
  std::vector<std::string> fields{fmt::format("PRIORITY={}", severity(l)),
                                  fmt::format("EVENT={}", event),
                                  fmt::format("MESSAGE={} {}", event, text)};
  append_fields(text, fields);
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (auto& f : fields)
    parts.push_back({f.data(), f.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

/// One `write` a line, so that lines of several writers do not mix.
void write_line(int fd, const std::string& line) {
  [[maybe_unused]] const auto ignored = ::write(fd, line.data(), line.size());
}

std::string file_line(level l, std::string_view event, std::string_view text) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {} {}\n",
                     utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec,
                     now.tv_nsec / 1'000'000, name_of(l), event, text);
}

/// With `mutex` locked.
result<void> append_to(const std::string& path) {
  const int opened = open(
    path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
  if (opened < 0)
    return tl::unexpected(
      system_error("cannot open the log file " + path, errno));
  if (file >= 0)
    close(file);
  file = opened;
  file_path = path;
  target = destination::file;
  return {};
}

} // namespace

void set_level(level l) {
  threshold.store(l, std::memory_order_relaxed);
}

bool enabled(level l) {
  return l >= threshold.load(std::memory_order_relaxed);
}

result<void> to_file(const std::filesystem::path& path) {
  const std::lock_guard lock{mutex};
  return append_to(path.string());
}

void to_standard_error() {
  const std::lock_guard lock{mutex};
  if (target != destination::file)
    return;
  close(std::exchange(file, -1));
  target = destination::standard_error;
  looked_for_journal = false;
}

result<void> reopen() {
  const std::lock_guard lock{mutex};
  return target == destination::file ? append_to(file_path) : result<void>{};
}

void write(level l, std::string_view event, std::string_view text) {
  if (!enabled(l))
    return;
  const auto clean = printable(text);
  const std::lock_guard lock{mutex};
  if (!std::exchange(looked_for_journal, true)
      && target == destination::standard_error && stderr_is_journal())
    target = destination::journal;
  if (target == destination::file)
    return write_line(file, file_line(l, event, clean));
  if (target == destination::journal && to_journal(l, event, clean))
    return;
  write_line(STDERR_FILENO,
             fmt::format("<{}>{} {}\n", severity(l), event, clean));
}

std::optional<std::uint64_t> limiter::pass(std::chrono::nanoseconds now) {
  if (last_ && now - *last_ < interval_) {
    ++suppressed_;
    return std::nullopt;
  }
  last_ = now;
  return std::exchange(suppressed_, 0);
}

} // namespace concert::platform::log
