#include "config/schema.hpp"
#include "ntp_core/nts/rotation_config.hpp"

namespace concert::config {

namespace {

constexpr std::int64_t most_stale_keys = ntp::rotation_config::most_stale_keys;
/// Some thirty years, which means never.
constexpr std::int64_t longest_interval = 1'000'000'000;

value_or_error<std::chrono::seconds> rotation_interval(const toml::node& node) {
  return integer(node, 60, longest_interval).map([](std::int64_t value) {
    return std::chrono::seconds{value};
  });
}

} // namespace

keyset_config read_keyset(table_reader& top) {
  keyset_config keyset;
  auto section = top.section("keyset", "[keyset]");
  section.optional("stale-key-count", keyset.stale_key_count,
                   integer_within<std::uint32_t>(0, most_stale_keys));
  section.optional("key-rotation-interval", keyset.key_rotation_interval,
                   rotation_interval);
  const auto* storage
    = section.optional("key-storage-path", keyset.key_storage_path, path);
  section.optional("cluster-secret-file", keyset.cluster_secret_file, path);
  if (storage != nullptr && keyset.cluster_secret_file)
    section.warning(storage->source(), "key-storage-path",
                    "has no effect: with `cluster-secret-file` there is "
                    "nothing to store");
  section.reject_unknown();
  return keyset;
}

} // namespace concert::config
