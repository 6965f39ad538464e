#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring> // explicit_bzero
#include <span>

namespace concert::ntp {

/// Up to `Capacity` octets that nobody else may see: overwritten when they are
/// given up. Never goes to a log.
template <std::size_t Capacity>
class secret {
public:
  secret() = default;
  /// Takes the first `Capacity` octets of `bytes`.
  explicit secret(std::span<const std::byte> bytes)
    : size_(std::min(bytes.size(), Capacity)) {
    std::copy_n(bytes.begin(), size_, bytes_.begin());
  }
  secret(const secret&) = default;
  secret& operator=(const secret&) = default;
  ~secret() { explicit_bzero(bytes_.data(), bytes_.size()); }

  std::span<const std::byte> bytes() const {
    return std::span{bytes_}.first(size_);
  }
  bool empty() const { return size_ == 0; }

  /// Not in constant time: for tests and changes of configuration.
  friend bool operator==(const secret& a, const secret& b) {
    return std::ranges::equal(a.bytes(), b.bytes());
  }

private:
  std::array<std::byte, Capacity> bytes_{};
  std::size_t size_ = 0;
};

} // namespace concert::ntp
