#include "ntp_core/nts/ke_server_name.hpp"

#include "ntp_core/access/ip_address.hpp"

#include <algorithm>

namespace concert::ntp {

namespace {

// Not <cctype>, which asks the locale.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Letters, digits, hyphens inside; underscores, which DNS has and hosts should
/// not.
bool is_label(std::string_view label) {
  const auto fits = [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-'
         && label.back() != '-' && std::ranges::all_of(label, fits);
}

/// The last label starts with a letter: "127.1" and "0x7f000001" are addresses
/// to some resolvers.
bool is_domain_name(std::string_view name) {
  if (name.ends_with('.'))
    name.remove_suffix(1);
  if (name.size() > 253)
    return false;
  for (;;) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (!is_label(label))
      return false;
    if (dot == std::string_view::npos)
      return is_letter(label.front());
    name.remove_prefix(dot + 1);
  }
}

} // namespace

bool is_ke_server_name(std::string_view text) {
  if (text.find('%') != std::string_view::npos)
    return false;
  if (const auto address = ip_address::parse(text))
    return !address->is_unspecified();
  return is_domain_name(text);
}

} // namespace concert::ntp
