#include "ntp_core/packet/extension.hpp"

#include "ntp_core/packet/bytes.hpp"

#include <algorithm>

namespace concert::ntp {

extension_field extension_fields::iterator::operator*() const {
  const auto length = read_big_endian<std::uint16_t>(rest_, 2);
  return {
    static_cast<extension_type>(read_big_endian<std::uint16_t>(rest_, 0)),
    rest_.subspan(4, length - std::size_t{4}),
  };
}

extension_fields::iterator& extension_fields::iterator::operator++() {
  rest_ = rest_.subspan(read_big_endian<std::uint16_t>(rest_, 2));
  return *this;
}

extension_fields::iterator extension_fields::iterator::operator++(int) {
  const auto before = *this;
  ++*this;
  return before;
}

bool extension_fields::contain(extension_type t) const {
  return std::any_of(begin(), end(),
                     [t](const extension_field& f) { return f.type == t; });
}

} // namespace concert::ntp
