#include "platform/state_file.hpp"

#include "platform/private_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

namespace concert::platform {

namespace {

constexpr std::string_view header = "concert-state 1\n";
constexpr std::size_t size_limit = 1 << 20;
/// The frequency that no clock exceeds (see `set_frequency` of the clock).
constexpr double frequency_limit = 0.1;

/// CRC-32 of Ethernet and zip.
std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i)
      crc = (crc >> 1) ^ (0xedb88320 & (0U - (crc & 1)));
  }
  return ~crc;
}

std::string crc_line(std::string_view body) {
  return fmt::format("crc32 {:08x}\n", crc32(body));
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

bool is_amount(double value) {
  return std::isfinite(value) && value >= 0;
}

/// Far beyond what any clock and path can do; the filters divide by some of
/// these.
bool is_sane(const ntp::path_memory& p) {
  const auto& c = p.clock;
  const double limit = std::sqrt(c.variance_s2 * c.frequency_variance);
  return std::abs(c.offset_s) <= 1e3 && std::abs(c.frequency) <= frequency_limit
         && c.variance_s2 > 0 && c.variance_s2 <= 1e6
         && c.frequency_variance > 0 && c.frequency_variance <= 1
         && std::abs(c.covariance_s) <= 1.001 * limit && c.wander >= 0
         && c.wander <= 1 && p.base_delay_s > 0 && p.base_delay_s <= 1e3
         && p.mean_excess_s >= 0 && p.mean_excess_s <= 1e3
         && std::abs(p.asymmetry_s) <= 1e3;
}

bool is_sane(const saved_source& s) {
  return is_amount(s.burst_tokens) && is_one_line(s.name)
         && (!s.path || is_sane(*s.path));
}

/// What both the writer and the reader insist on.
bool is_sane(const saved_state& s) {
  return (!s.oscillator || std::abs(s.oscillator->ratio) <= frequency_limit)
         && is_amount(s.frequency_deviation) && s.time.count() >= 0
         && is_amount(s.accumulated_steps_s) && is_one_line(s.boot_id)
         && std::all_of(s.sources.begin(), s.sources.end(),
                        [](const saved_source& o) { return is_sane(o); });
}

/// A line of its own after that of the source.
void write_path(std::back_insert_iterator<std::string> out,
                const ntp::path_memory& p) {
  const auto& c = p.clock;
  fmt::format_to(out, "path {} {} {} {} {} {} {} {} {} {} {} {} {}\n",
                 c.at.since_origin().units(), c.origin.units(),
                 static_cast<int>(p.sent), static_cast<int>(p.received),
                 c.offset_s, c.frequency, c.variance_s2, c.covariance_s,
                 c.frequency_variance, c.wander, p.base_delay_s,
                 p.mean_excess_s, p.asymmetry_s);
}

std::string to_text(const saved_state& s) {
  std::string body;
  const auto out = std::back_inserter(body);
  if (s.oscillator)
    fmt::format_to(out, "oscillator {}\n", s.oscillator->ratio);
  fmt::format_to(out, "frequency-deviation {}\n", s.frequency_deviation);
  fmt::format_to(out, "time {}\n", s.time.count());
  fmt::format_to(out, "boot-id {}\n", s.boot_id);
  fmt::format_to(out, "started-this-boot {}\n", s.started_this_boot ? 1 : 0);
  fmt::format_to(out, "accumulated-steps {}\n", s.accumulated_steps_s);
  for (const auto& source : s.sources) {
    fmt::format_to(out, "source {} {} {}\n", source.address.to_string(),
                   source.burst_tokens, source.name);
    if (source.path)
      write_path(out, *source.path);
  }
  return std::string{header} + crc_line(body) + body;
}

/// Takes the text up to the next `end` off the front.
std::string_view take(std::string_view& text, char end) {
  const auto size = std::min(text.find(end), text.size());
  const auto front = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return front;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  return code == std::errc{} && stop == end;
}

bool read_source(std::string_view text, std::vector<saved_source>& out) {
  saved_source source;
  const auto address = ntp::endpoint::parse(take(text, ' '));
  if (!address || !read_number(take(text, ' '), source.burst_tokens))
    return false;
  source.address = *address;
  source.name = text;
  out.push_back(std::move(source));
  return true;
}

bool read_kind(std::string_view text, ntp::stamp_kind& kind) {
  int number = 0;
  if (!read_number(text, number) || number < 0
      || number > static_cast<int>(ntp::stamp_kind::daemon))
    return false;
  kind = static_cast<ntp::stamp_kind>(number);
  return true;
}

bool read_path(std::string_view text, std::vector<saved_source>& sources) {
  std::int64_t at = 0;
  std::int64_t origin = 0;
  ntp::path_memory p;
  if (sources.empty() || !read_number(take(text, ' '), at)
      || !read_number(take(text, ' '), origin)
      || !read_kind(take(text, ' '), p.sent)
      || !read_kind(take(text, ' '), p.received))
    return false;
  p.clock.at = ntp::raw_time::from_units(at);
  p.clock.origin = ntp::ntp_duration::from_units(origin);
  for (auto* value :
       {&p.clock.offset_s, &p.clock.frequency, &p.clock.variance_s2,
        &p.clock.covariance_s, &p.clock.frequency_variance, &p.clock.wander,
        &p.base_delay_s, &p.mean_excess_s, &p.asymmetry_s})
    if (!read_number(take(text, ' '), *value))
      return false;
  sources.back().path = p;
  return text.empty();
}

bool read_line(std::string_view line, saved_state& s) {
  const auto key = take(line, ' ');
  if (key == "oscillator")
    return read_number(line, s.oscillator.emplace().ratio);
  if (key == "frequency-deviation")
    return read_number(line, s.frequency_deviation);
  if (key == "time") {
    std::int64_t ns = 0;
    const bool read = read_number(line, ns);
    s.time = std::chrono::nanoseconds{ns};
    return read;
  }
  if (key == "boot-id") {
    s.boot_id = line;
    return true;
  }
  if (key == "started-this-boot") {
    s.started_this_boot = line == "1";
    return line == "0" || line == "1";
  }
  if (key == "accumulated-steps")
    return read_number(line, s.accumulated_steps_s);
  if (key == "path")
    return read_path(line, s.sources);
  return key == "source" && read_source(line, s.sources);
}

/// Nothing when the text fails any check.
std::optional<saved_state> from_text(std::string_view text) {
  if (!text.starts_with(header))
    return std::nullopt;
  text.remove_prefix(header.size());
  const auto crc_size = std::min(text.find('\n'), text.size() - 1) + 1;
  const auto body = text.substr(std::min(crc_size, text.size()));
  if (text.substr(0, crc_size) != crc_line(body))
    return std::nullopt;
  saved_state s;
  for (auto rest = body; !rest.empty();)
    if (!read_line(take(rest, '\n'), s))
      return std::nullopt;
  if (!is_sane(s))
    return std::nullopt;
  return s;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

result<saved_state> load_state(const std::filesystem::path& path) {
  const auto file = read_private_file(path, size_limit);
  if (!file)
    return tl::unexpected(file.error());
  auto state = from_text(as_text(*file));
  if (!state)
    return tl::unexpected(
      error{errc::corrupt, "the state file " + path.string()
                             + " is damaged or of another "
                             + "version; it will be made anew"});
  return std::move(*state);
}

result<void> save_state(const std::filesystem::path& path,
                        const saved_state& state) {
  const auto what = "cannot write " + path.string();
  const auto text = to_text(state);
  if (!is_sane(state) || text.size() > size_limit)
    return tl::unexpected(
      error{errc::invalid, what + ": the state makes no sense"});
  return write_private_file(path, std::as_bytes(std::span{text}));
}

std::string boot_id() {
  const auto file
    = read_private_file("/proc/sys/kernel/random/boot_id", size_limit);
  const auto text = file ? as_text(*file) : std::string_view{};
  return std::string{text.substr(0, text.find('\n'))};
}

} // namespace concert::platform
