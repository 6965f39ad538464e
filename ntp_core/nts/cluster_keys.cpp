#include "ntp_core/nts/cluster_keys.hpp"

#include "ntp_core/packet/bytes.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace concert::ntp {

using std::chrono::seconds;

namespace {

constexpr std::string_view salt = "concert cookie key";

std::span<const std::byte> without_line_end(std::span<const std::byte> text) {
  while (!text.empty()
         && (text.back() == std::byte{'\n'} || text.back() == std::byte{'\r'}))
    text = text.first(text.size() - 1);
  return text;
}

} // namespace

tl::expected<cluster_keys, errc>
cluster_keys::make(std::span<const std::byte> file,
                   const rotation_config& config, hkdf_fn hkdf) {
  const auto secret = without_line_end(file);
  if (secret.size() < shortest_cluster_secret)
    return tl::unexpected{errc::secret_too_short};
  return cluster_keys{secret, config, hkdf};
}

cluster_keys::cluster_keys(std::span<const std::byte> secret,
                           const rotation_config& config, hkdf_fn hkdf)
  : secret_(secret.begin(), secret.end()),
    config_(within_limits(config)),
    hkdf_(hkdf) {
}

cookie_keys::key cluster_keys::key_of(std::uint64_t period) const {
  std::array<std::byte, 8> info{};
  write_big_endian(info, 0, period);
  secret_array<cookie_keys::key_octets> octets;
  hkdf_(secret_, std::as_bytes(std::span{salt}), info, octets);
  return {static_cast<std::uint32_t>(period),
          secret<cookie_keys::key_octets>{octets}};
}

cluster_keys::timed_keys cluster_keys::at(seconds now) const {
  const auto period
    = static_cast<std::uint64_t>(within_limits(now) / config_.interval);
  std::vector<cookie_keys::key> keys;
  keys.reserve(config_.stale_keys + 2);
  keys.push_back(key_of(period));
  keys.push_back(key_of(period + 1));
  const auto stale = std::min<std::uint64_t>(config_.stale_keys, period);
  for (std::uint64_t age = 1; age <= stale; ++age)
    keys.push_back(key_of(period - age));
  return {std::make_shared<const cookie_keys>(std::move(keys)),
          config_.interval * static_cast<std::int64_t>(period + 1)};
}

} // namespace concert::ntp
