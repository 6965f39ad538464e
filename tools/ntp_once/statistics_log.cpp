#include "tools/ntp_once/statistics_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <ctime>

namespace concert::once {

namespace {

/// "2026-11-23T03:19:00.123456Z", for the years 1970 to 2106.
std::string iso_time(ntp::ntp_timestamp time) {
  constexpr std::chrono::seconds middle{1LL << 31};
  const auto unix = time.to_unix(middle);
  const auto whole = std::chrono::floor<std::chrono::seconds>(unix);
  const auto us
    = std::chrono::floor<std::chrono::microseconds>(unix - whole).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(static_cast<std::time_t>(whole.count())), us);
}

} // namespace

std::string statistics_header() {
  return "time source offset delay estimate frequency estimated-error "
         "max-error stability wander selected state true-error";
}

std::string statistics_line(const update& u) {
  const auto& s = u.system;
  const auto seconds = [](std::optional<double> v) {
    return v ? fmt::format("{:+.9f}", *v) : std::string{"-"};
  };
  // Before the first agreement nothing is known of the clock.
  const auto error = [&](double v) {
    return s.last_update ? fmt::format("{:.3e}", v) : std::string{"-"};
  };
  return fmt::format(
    "{} {} {} {:.9f} {} {:+.6f} {} {} {} {:.2e} {} {} {}", iso_time(u.now),
    u.source, seconds(u.sample.offset().seconds()), u.sample.delay().seconds(),
    seconds(s.last_update ? std::optional{s.offset_s} : std::nullopt),
    s.frequency * 1e6, error(s.estimated_error_s), error(s.max_error_s),
    error(s.stability_s), s.wander, s.selected_sources, to_string(s.state),
    seconds(u.true_error_s));
}

platform::result<statistics_log> statistics_log::open(const std::string& path) {
  FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "a");
  if (file == nullptr)
    return tl::unexpected(platform::system_error("cannot open " + path, errno));
  statistics_log log{file};
  if (!log.write("# " + statistics_header() + "\n"))
    return tl::unexpected(
      platform::system_error("cannot write " + path, errno));
  return log;
}

bool statistics_log::add(const update& u) {
  return write(statistics_line(u) + "\n");
}

bool statistics_log::write(const std::string& line) {
  return std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size()
         && std::fflush(file_.get()) == 0;
}

} // namespace concert::once
