#pragma once

#include <array>
#include <cstddef>
#include <cstring> // explicit_bzero
#include <memory>
#include <vector>

namespace concert::ntp {

/// Overwrites memory before it is given back.
template <class T>
class wiping_allocator {
public:
  using value_type = T;

  wiping_allocator() = default;
  template <class U>
  explicit wiping_allocator(const wiping_allocator<U>& /*other*/) {}

  T* allocate(std::size_t count) { return std::allocator<T>{}.allocate(count); }
  void deallocate(T* values, std::size_t count) {
    explicit_bzero(values, count * sizeof(T));
    std::allocator<T>{}.deallocate(values, count);
  }

  friend bool operator==(const wiping_allocator&, const wiping_allocator&) {
    return true;
  }
};

/// Octets that nobody else may see, in any number: overwritten when they are
/// given up, and where they were when they had to move. Never goes to a log.
using secret_bytes = std::vector<std::byte, wiping_allocator<std::byte>>;

/// A buffer for secrets that functions of others fill: overwritten at its end.
template <std::size_t Size>
struct secret_array : std::array<std::byte, Size> {
  secret_array() : std::array<std::byte, Size>{} {}
  secret_array(const secret_array&) = default;
  secret_array& operator=(const secret_array&) = default;
  ~secret_array() { explicit_bzero(this->data(), Size); }
};

} // namespace concert::ntp
