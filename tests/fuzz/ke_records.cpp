// Whatever octets arrive: in whatever pieces, they are the same records, each
// within the limits of its type and of its message, and written again they are
// the octets that they were read from.

#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/nts/record.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace concert::ntp {

namespace {

constexpr std::size_t limit = 4096;

void require(bool condition) {
  if (!condition)
    std::abort();
}

struct outcome {
  std::vector<std::byte> written; ///< all records, again
  std::vector<std::size_t> ends;  ///< of each in there
  std::optional<ke_error> error;

  bool operator==(const outcome&) const = default;
};

void check(const ke_record& r) {
  if (r.type == ke_record_type::new_cookie)
    require(r.body.size() <= longest_kept_cookie);
  if (r.type == ke_record_type::ntp_server)
    require(r.body.size() <= 255);
  const auto count = ke_count_numbers(r.body);
  require(count == 0 || 2 * count == r.body.size());
}

outcome read(std::span<const std::byte> bytes, std::size_t piece) {
  ke_record_reader reader{limit};
  outcome o;
  while (!bytes.empty()) {
    auto part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    for (;;) {
      const auto r = reader.next(part);
      if (!r) {
        o.error = r.error();
        return o;
      }
      if (!*r)
        break;
      check(**r);
      append_record(o.written, (*r)->type, (*r)->critical, (*r)->body);
      o.ends.push_back(o.written.size());
      require(o.written.size() <= limit);
    }
    require(part.empty());
  }
  return o;
}

} // namespace

/// The first octet is the size of pieces to compare with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const auto bytes = std::as_bytes(std::span{data, size}).subspan(1);
  const auto whole = read(bytes, bytes.size() + 1);
  require(whole == read(bytes, std::size_t{data[0]} + 1));
  require(whole == read(bytes, 1));
  require(whole.written.size() <= bytes.size());
  require(
    std::equal(whole.written.begin(), whole.written.end(), bytes.begin()));
  return 0;
}

} // namespace concert::ntp
