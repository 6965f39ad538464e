#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <utility>

namespace concert::ntp {

/// A list of at most `Capacity` values without allocation: what the state
/// machines return their actions in. Pushing beyond the capacity is a bug of
/// the machine, not a matter of input.
template <class T, std::size_t Capacity>
class fixed_list {
public:
  void push(T value) {
    assert(size_ < Capacity);
    if (size_ < Capacity)
      items_[size_++] = std::move(value);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  auto begin() { return items_.begin(); }
  auto end() { return items_.begin() + static_cast<std::ptrdiff_t>(size_); }
  auto begin() const { return items_.begin(); }
  auto end() const {
    return items_.begin() + static_cast<std::ptrdiff_t>(size_);
  }
  const T& operator[](std::size_t i) const { return items_[i]; }

private:
  std::array<T, Capacity> items_{};
  std::size_t size_ = 0;
};

} // namespace concert::ntp
