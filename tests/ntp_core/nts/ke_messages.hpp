#pragma once

#include "ntp_core/nts/record.hpp"
#include "tests/ntp_core/support/octets.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>
#include <vector>

namespace concert::ntp::test {

using type = ke_record_type;

/// A record; several are joined by `+`.
inline octets record(type t, bool critical, std::string_view body = {}) {
  octets out;
  append_record(out, t, critical, std::as_bytes(std::span{body}));
  return out;
}

inline octets record(type t, bool critical, const octets& body) {
  octets out;
  append_record(out, t, critical, body);
  return out;
}

inline octets list(type t, bool critical,
                   std::initializer_list<std::uint16_t> numbers) {
  octets out;
  append_numbers(out, t, critical, {numbers.begin(), numbers.size()});
  return out;
}

inline octets end_record() {
  return record(type::end_of_message, true);
}

struct owned_record {
  type t{};
  bool critical = false;
  octets body;

  bool operator==(const owned_record&) const = default;
};

/// The records of a whole message, without its last one, which must be an empty
/// End of Message.
inline std::vector<owned_record> split(std::span<const std::byte> bytes) {
  ke_record_reader reader{1 << 16};
  std::vector<owned_record> records;
  while (!bytes.empty()) {
    const auto r = reader.next(bytes);
    REQUIRE(r);
    REQUIRE(r->has_value());
    octets body;
    body.assign((*r)->body.begin(), (*r)->body.end());
    records.push_back({(*r)->type, (*r)->critical, std::move(body)});
  }
  REQUIRE(!records.empty());
  CHECK(records.back() == owned_record{type::end_of_message, true, {}});
  records.pop_back();
  return records;
}

/// The numbers of a list's body.
inline std::vector<std::uint16_t> numbers(const octets& body) {
  std::vector<std::uint16_t> result;
  for (std::size_t i = 0; i < ke_count_numbers(body); ++i)
    result.push_back(ke_number(body, i));
  return result;
}

} // namespace concert::ntp::test
