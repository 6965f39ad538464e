#include "ntp_core/nts/key_rotation.hpp"

#include "ntp_core/crypto/random_octets.hpp"
#include "ntp_core/nts/secret_file.hpp"

#include <algorithm>

namespace concert::ntp {

using std::chrono::seconds;

namespace {

using key_list = std::vector<cookie_keys::key>;

constexpr secret_file_kind file_kind{"NTS keys", 1};

cookie_keys::key make_key(std::uint32_t id, random_source& random) {
  secret_array<cookie_keys::key_octets> octets;
  fill_random(octets, random);
  return {id, secret<cookie_keys::key_octets>{octets}};
}

key_list first_key(random_source& random) {
  const auto id = static_cast<std::uint32_t>(random.next());
  return {make_key(id, random)};
}

/// The first `count` keys, or all.
key_list first_keys(const key_list& keys, std::size_t count) {
  const auto end = static_cast<std::ptrdiff_t>(std::min(count, keys.size()));
  return {keys.begin(), keys.begin() + end};
}

} // namespace

key_rotation::key_rotation(const rotation_config& config, seconds now,
                           random_source& random)
  : key_rotation(config, now, first_key(random)) {
}

key_rotation::key_rotation(const rotation_config& config, seconds newest_since,
                           key_list newest_first)
  : config_(within_limits(config)),
    newest_since_(within_limits(newest_since)),
    counted_from_(newest_since_),
    keys_(std::make_shared<const cookie_keys>(std::move(newest_first))) {
  set_config(config);
}

void key_rotation::set_config(const rotation_config& config) {
  config_ = within_limits(config);
  const auto& keys = keys_->newest_first();
  if (keys.size() > config_.stale_keys + 1)
    keys_ = std::make_shared<const cookie_keys>(
      first_keys(keys, config_.stale_keys + 1));
}

bool key_rotation::on_deadline(seconds now, random_source& random) {
  now = within_limits(now);
  if (now >= newest_since_)
    counted_from_ = newest_since_;
  else
    counted_from_ = std::min(counted_from_, now);
  if (now < next_rotation())
    return false;
  const auto& old = keys_->newest_first();
  key_list keys;
  keys.reserve(old.size() + 1);
  keys.push_back(make_key(old.front().id + 1, random));
  const auto stale = first_keys(old, config_.stale_keys);
  keys.insert(keys.end(), stale.begin(), stale.end());
  keys_ = std::make_shared<const cookie_keys>(std::move(keys));
  newest_since_ = counted_from_ = now;
  return true;
}

secret_bytes key_rotation::serialize() const {
  const auto& keys = keys_->newest_first();
  secret_file_writer file{file_kind};
  file.number(static_cast<std::uint64_t>(newest_since_.count()));
  file.number(keys.front().id); // the others count down from it
  for (const auto& key : keys)
    file.octets(key.value.bytes());
  return file.finish();
}

tl::expected<key_rotation, errc>
key_rotation::parse(std::span<const std::byte> file,
                    const rotation_config& config) {
  auto reader = secret_file_reader::open(file, file_kind);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto since = reader->number<std::uint64_t>();
  auto id = reader->number<std::uint32_t>();
  if (since > static_cast<std::uint64_t>(latest_time.count()))
    return tl::unexpected{errc::file_contents};
  key_list keys;
  keys.reserve(reader->left() / cookie_keys::key_octets);
  while (reader->left() >= cookie_keys::key_octets)
    keys.push_back({id--, secret<cookie_keys::key_octets>{
                            reader->octets(cookie_keys::key_octets)}});
  if (!reader->complete() || keys.empty()
      || keys.size() > rotation_config::most_stale_keys + 1)
    return tl::unexpected{errc::file_contents};
  return key_rotation{config, seconds{static_cast<std::int64_t>(since)},
                      std::move(keys)};
}

} // namespace concert::ntp
