#include "ntp_core/nts/secret_file.hpp"

#include "ntp_core/access/siphash.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace concert::ntp {

namespace {

using octet_view = std::span<const std::byte>;

constexpr std::size_t name_size = 8;
constexpr std::size_t version_offset = name_size;
constexpr std::size_t length_offset = version_offset + 4;
constexpr std::size_t contents_offset = length_offset + 4;
constexpr std::size_t checksum_size = 8;

/// Hashes 8 octets at a time, so that no copy of secrets is left behind.
std::uint64_t checksum(octet_view bytes) {
  std::uint64_t sum = 0;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min<std::size_t>(8, bytes.size()));
    std::array<std::uint64_t, 1> word{};
    for (const auto octet : part)
      word[0] = word[0] << 8 | std::to_integer<std::uint64_t>(octet);
    sum = siphash({sum, part.size()}, word);
    bytes = bytes.subspan(part.size());
  }
  return sum;
}

bool has_name(octet_view file, const secret_file_kind& kind) {
  const auto name = std::as_bytes(std::span{kind.name});
  const auto known = std::min(file.size(), name.size());
  return std::ranges::equal(file.first(known), name.first(known));
}

} // namespace

secret_file_writer::secret_file_writer(const secret_file_kind& kind) {
  assert(kind.name.size() == name_size);
  octets(std::as_bytes(std::span{kind.name}));
  number(kind.version);
  number(std::uint32_t{0}); // the length, when it is known
}

void secret_file_writer::octets(octet_view bytes) {
  file_.insert(file_.end(), bytes.begin(), bytes.end());
}

void secret_file_writer::text(std::string_view text) {
  assert(text.size() <= 0xffff);
  number(static_cast<std::uint16_t>(text.size()));
  octets(std::as_bytes(std::span{text}));
}

secret_bytes secret_file_writer::finish() {
  write_big_endian(std::span<std::byte>{file_}, length_offset,
                   static_cast<std::uint32_t>(file_.size() - contents_offset));
  number(checksum(file_));
  return std::move(file_);
}

tl::expected<secret_file_reader, errc>
secret_file_reader::open(octet_view file, const secret_file_kind& kind) {
  if (!has_name(file, kind))
    return tl::unexpected{errc::file_kind};
  if (file.size() < contents_offset + checksum_size)
    return tl::unexpected{errc::file_truncated};
  const auto end = file.size() - checksum_size;
  const auto contents = file.subspan(contents_offset, end - contents_offset);
  if (read_big_endian<std::uint32_t>(file, length_offset) > contents.size())
    return tl::unexpected{errc::file_truncated};
  if (read_big_endian<std::uint64_t>(file, end) != checksum(file.first(end)))
    return tl::unexpected{errc::file_damaged};
  if (read_big_endian<std::uint32_t>(file, version_offset) != kind.version)
    return tl::unexpected{errc::file_version};
  return secret_file_reader{contents};
}

octet_view secret_file_reader::octets(std::size_t count) {
  if (count > rest_.size()) {
    short_ = true;
    rest_ = {};
    return {};
  }
  const auto bytes = rest_.first(count);
  rest_ = rest_.subspan(count);
  return bytes;
}

std::string secret_file_reader::text() {
  const auto bytes = octets(number<std::uint16_t>());
  std::string text(bytes.size(), '\0');
  std::ranges::transform(bytes, text.begin(),
                         [](std::byte b) { return static_cast<char>(b); });
  return text;
}

} // namespace concert::ntp
