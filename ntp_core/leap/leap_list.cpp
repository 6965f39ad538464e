#include "ntp_core/leap/leap_list.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

namespace concert::ntp {

namespace {

using std::chrono::seconds;

/// From the NTP epoch to the Unix epoch. The file counts seconds since 1900
/// without eras.
constexpr seconds ntp_to_unix{2'208'988'800};
/// Beyond this (the year 5068) a number is a mistake, and sums stay in range.
constexpr std::int64_t latest_ntp_seconds = 100'000'000'000;
/// An event is announced for so long.
constexpr seconds announcement = std::chrono::hours{24};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Takes the next word off `rest`; empty at the end.
std::string_view take_word(std::string_view& rest) {
  const auto start = std::find_if_not(rest.begin(), rest.end(), is_blank);
  const auto end = std::find_if(start, rest.end(), is_blank);
  const std::string_view word{start, end};
  rest = {end, rest.end()};
  return word;
}

template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc{} && stop == end ? std::optional{value}
                                             : std::nullopt;
}

std::optional<seconds> parse_time(std::string_view word) {
  const auto value = parse_number<std::int64_t>(word);
  if (!value || *value < 0 || *value > latest_ntp_seconds)
    return std::nullopt;
  return seconds{*value} - ntp_to_unix;
}

/// Five words of at most eight hexadecimal digits; leading zeros may lack.
std::optional<sha1_digest> parse_hash(std::string_view rest) {
  sha1_digest digest{};
  for (std::size_t i = 0; i < digest.size(); i += 4) {
    const auto word = parse_number<std::uint32_t>(take_word(rest), 16);
    if (!word)
      return std::nullopt;
    for (std::size_t k = 0; k < 4; ++k)
      digest[i + k] = static_cast<std::byte>(*word >> (24 - 8 * k) & 0xff);
  }
  return take_word(rest).empty() ? std::optional{digest} : std::nullopt;
}

/// What the lines said, before it is judged as a whole.
struct contents {
  std::optional<seconds> updated;
  std::optional<seconds> expires;
  std::optional<sha1_digest> hash;
  std::vector<leap_entry> entries;
  std::string hashed; ///< what the hash is taken of

  void append_hashed(std::string_view text) {
    std::copy_if(text.begin(), text.end(), std::back_inserter(hashed),
                 [](char c) { return !is_blank(c); });
  }

  bool add_time(std::optional<seconds>& where, std::string_view text) {
    append_hashed(text);
    where = parse_time(take_word(text));
    return where && take_word(text).empty();
  }

  bool add_data(std::string_view text) {
    append_hashed(text);
    const auto since = parse_time(take_word(text));
    const auto offset = parse_number<std::int16_t>(take_word(text));
    if (!since || !offset || !take_word(text).empty())
      return false;
    entries.push_back({*since, seconds{*offset}});
    return true;
  }

  /// False when the line cannot be read.
  bool add_line(std::string_view line) {
    if (line.starts_with("#$"))
      return add_time(updated, line.substr(2));
    if (line.starts_with("#@"))
      return add_time(expires, line.substr(2));
    if (line.starts_with("#h")) {
      hash = parse_hash(line.substr(2));
      return hash.has_value();
    }
    const auto data = line.substr(0, line.find('#'));
    return std::all_of(data.begin(), data.end(), is_blank) || add_data(data);
  }
};

std::optional<errc> find_error(const contents& c, sha1_fn sha1) {
  if (!c.updated)
    return errc::leap_no_update;
  if (!c.expires)
    return errc::leap_no_expiry;
  if (c.entries.empty())
    return errc::leap_empty;
  if (!c.hash)
    return errc::leap_no_hash;
  if (sha1(std::as_bytes(std::span{c.hashed})) != *c.hash)
    return errc::leap_hash_mismatch;
  const auto unordered = std::adjacent_find(
    c.entries.begin(), c.entries.end(),
    [](const auto& a, const auto& b) { return a.since >= b.since; });
  if (unordered != c.entries.end())
    return errc::leap_order;
  return std::nullopt;
}

} // namespace

tl::expected<leap_list, errc> leap_list::parse(std::string_view text,
                                               sha1_fn sha1) {
  contents c;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!c.add_line(line))
      return tl::unexpected{errc::leap_syntax};
  }
  if (const auto error = find_error(c, sha1))
    return tl::unexpected{*error};
  leap_list list;
  list.updated_ = *c.updated;
  list.expires_ = *c.expires;
  list.entries_ = std::move(c.entries);
  return list;
}

leap_status leap_list::at(std::chrono::seconds now) const {
  leap_status status;
  const auto next
    = std::find_if(entries_.begin(), entries_.end(),
                   [now](const leap_entry& e) { return e.since > now; });
  if (next != entries_.begin())
    status.tai_offset = std::prev(next)->tai_offset;
  if (next == entries_.end())
    return status;
  status.next_event = next->since;
  if (status.tai_offset && next->since - now <= announcement) {
    const auto change = next->tai_offset - *status.tai_offset;
    if (change == seconds{1})
      status.leap = leap_indicator::insert_second;
    else if (change == seconds{-1})
      status.leap = leap_indicator::delete_second;
  }
  return status;
}

} // namespace concert::ntp
