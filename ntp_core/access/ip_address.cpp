#include "ntp_core/access/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace concert::ntp {

namespace {

using v6_octets = std::array<std::uint8_t, 16>;

/// An unsigned number of at most `max`, all of `text`, digits only.
std::optional<std::uint32_t> parse_number(std::string_view text,
                                          std::uint32_t max, int base = 10) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end || value > max)
    return std::nullopt;
  return value;
}

/// Four decimal numbers without leading zeros, which some programs read as
/// octal.
std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos)
      return std::nullopt;
    const auto part = text.substr(0, dot);
    const auto value = parse_number(part, 255);
    if (!value || (part.size() > 1 && part[0] == '0'))
      return std::nullopt;
    octets[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return octets;
}

/// Colon-separated groups of one side of a "::"; the last may be IPv4 if
/// `v4_tail`. Returns how many octets were written.
std::optional<std::size_t> parse_groups(std::string_view text, bool v4_tail,
                                        v6_octets& out) {
  std::size_t size = 0;
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && v4_tail && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || size > out.size() - 4)
        return std::nullopt;
      std::copy(v4->begin(), v4->end(), out.begin() + size);
      return size + 4;
    }
    const auto value = parse_number(part, 0xffff, 16);
    if (!value || part.size() > 4 || size > out.size() - 2)
      return std::nullopt;
    out[size++] = static_cast<std::uint8_t>(*value >> 8);
    out[size++] = static_cast<std::uint8_t>(*value & 0xff);
    if (last)
      break;
    text.remove_prefix(colon + 1);
    if (text.empty()) // a lone colon at the end
      return std::nullopt;
  }
  return size;
}

/// RFC 4291 §2.2.
std::optional<v6_octets> parse_v6(std::string_view text) {
  v6_octets head{};
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto size = parse_groups(text, true, head);
    return size == head.size() ? std::optional{head} : std::nullopt;
  }
  v6_octets tail{};
  const auto head_size = parse_groups(text.substr(0, gap), false, head);
  const auto tail_size = parse_groups(text.substr(gap + 2), true, tail);
  // The gap stands for at least one group.
  if (!head_size || !tail_size || *head_size + *tail_size > head.size() - 2)
    return std::nullopt;
  std::copy_n(tail.begin(), *tail_size, head.end() - *tail_size);
  return head;
}

bool is_v4_mapped(const v6_octets& o) {
  return std::all_of(o.begin(), o.begin() + 10, [](auto x) { return x == 0; })
         && o[10] == 0xff && o[11] == 0xff;
}

std::string v4_text(const v6_octets& o) {
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0)
      text += '.';
    text += std::to_string(o[i]);
  }
  return text;
}

/// A run of groups that "::" stands for.
struct zero_run {
  std::size_t start = 8;
  std::size_t length = 0;
};

/// RFC 5952 §4.2: the longest run of two or more zero groups, the first of
/// equals.
zero_run longest_zero_run(const std::array<std::uint32_t, 8>& groups) {
  zero_run best;
  zero_run run;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] != 0) {
      run.length = 0;
      continue;
    }
    if (run.length++ == 0)
      run.start = i;
    if (run.length > best.length && run.length >= 2)
      best = run;
  }
  return best;
}

/// RFC 5952 §4.
std::string v6_text(const v6_octets& o) {
  std::array<std::uint32_t, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = std::uint32_t{o[2 * i]} << 8 | o[2 * i + 1];
  const auto gap = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == gap.start) {
      text += "::";
      i += gap.length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':')
      text += ':';
    std::array<char, 4> digits{};
    const auto end
      = std::to_chars(digits.begin(), digits.end(), groups[i], 16).ptr;
    text.append(digits.begin(), end);
  }
  return text;
}

/// The bit-mask of octet `i` in a prefix of `length` bits.
std::uint8_t mask_of(std::size_t i, std::size_t length) {
  const auto bits = std::clamp<std::size_t>(length, 8 * i, 8 * i + 8) - 8 * i;
  return static_cast<std::uint8_t>(0xff00 >> bits);
}

ip_address masked(const ip_address& address, std::size_t length) {
  auto octets = address.octets();
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] &= mask_of(i, length);
  if (address.is_v4())
    return ip_address::v4({octets[0], octets[1], octets[2], octets[3]});
  return ip_address::v6(octets);
}

} // namespace

ip_address ip_address::v4(const std::array<std::uint8_t, 4>& octets) {
  ip_address a;
  std::copy(octets.begin(), octets.end(), a.octets_.begin());
  return a;
}

ip_address ip_address::v6(const std::array<std::uint8_t, 16>& octets,
                          std::uint32_t scope_id) {
  if (is_v4_mapped(octets))
    return v4({octets[12], octets[13], octets[14], octets[15]});
  ip_address a;
  a.octets_ = octets;
  a.scope_id_ = scope_id;
  a.v4_ = false;
  return a;
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto octets = parse_v4(text);
    return octets ? std::optional{v4(*octets)} : std::nullopt;
  }
  std::uint32_t scope_id = 0;
  if (const auto percent = text.find('%'); percent != std::string_view::npos) {
    const auto scope = parse_number(text.substr(percent + 1),
                                    std::numeric_limits<std::uint32_t>::max());
    if (!scope)
      return std::nullopt;
    scope_id = *scope;
    text = text.substr(0, percent);
  }
  const auto octets = parse_v6(text);
  return octets ? std::optional{v6(*octets, scope_id)} : std::nullopt;
}

bool ip_address::is_loopback() const {
  if (v4_)
    return octets_[0] == 127;
  constexpr v6_octets one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return octets_ == one;
}

bool ip_address::is_unspecified() const {
  return octets_ == v6_octets{};
}

std::string ip_address::to_string() const {
  if (v4_)
    return v4_text(octets_);
  auto text = v6_text(octets_);
  if (scope_id_ != 0)
    text += '%' + std::to_string(scope_id_);
  return text;
}

std::string endpoint::to_string() const {
  const auto host = address.to_string();
  return (address.is_v4() ? host : '[' + host + ']') + ':'
         + std::to_string(port);
}

std::optional<endpoint> endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  const bool bracketed
    = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  const auto port = parse_number(text.substr(colon + 1), 0xffff);
  // Without brackets one could not tell the port from the last group.
  if (!port || bracketed != (host.find(':') != std::string_view::npos))
    return std::nullopt;
  const auto address = ip_address::parse(host);
  if (!address)
    return std::nullopt;
  return endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::optional<ip_prefix> ip_prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  const auto host = text.substr(0, slash);
  const auto address = ip_address::parse(host);
  if (!address || address->scope_id() != 0)
    return std::nullopt;
  const bool mapped
    = address->is_v4() && host.find(':') != std::string_view::npos;
  const std::uint32_t skipped = mapped ? 96 : 0;
  const std::uint32_t width = address->is_v4() ? 32 : 128;
  const auto length = parse_number(text.substr(slash + 1), width + skipped);
  if (!length || *length < skipped)
    return std::nullopt;
  const auto bits = static_cast<std::uint8_t>(*length - skipped);
  return ip_prefix{masked(*address, bits), bits};
}

bool ip_prefix::contains(const ip_address& address) const {
  return address.is_v4() == network.is_v4()
         && masked(address, length).octets() == network.octets();
}

std::string ip_prefix::to_string() const {
  return network.to_string() + '/' + std::to_string(length);
}

} // namespace concert::ntp
