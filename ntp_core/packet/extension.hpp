#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace concert::ntp {

/// The extension field types that the core knows (RFC 8915 §7.5).
enum class extension_type : std::uint16_t {
  unique_identifier = 0x0104,
  nts_cookie = 0x0204,
  nts_cookie_placeholder = 0x0304,
  nts_authenticator = 0x0404,
};

/// Octets of an extension field beside its body: type and length.
inline constexpr std::size_t extension_overhead = 4;

/// One extension field (RFC 7822 §3); a view into the packet.
struct extension_field {
  extension_type type{};
  std::span<const std::byte> body; ///< without type and length
};

/// The extension fields of a packet, in order. Their lengths were checked when
/// the packet was parsed.
class extension_fields {
public:
  class iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = extension_field;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = extension_field;

    iterator() = default;

    explicit iterator(std::span<const std::byte> rest) : rest_(rest) {}

    extension_field operator*() const;
    iterator& operator++();
    iterator operator++(int);

    bool operator==(const iterator& o) const {
      return rest_.size() == o.rest_.size();
    }

  private:
    std::span<const std::byte> rest_;
  };

  extension_fields() = default;

  /// Takes fields whose lengths are known to be good.
  explicit extension_fields(std::span<const std::byte> checked)
    : bytes_(checked) {}

  bool empty() const { return bytes_.empty(); }

  iterator begin() const { return iterator{bytes_}; }

  iterator end() const { return iterator{}; }

  /// Whether a field of type `t` is present.
  bool contain(extension_type t) const;

private:
  std::span<const std::byte> bytes_;
};

} // namespace concert::ntp
