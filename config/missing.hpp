#pragma once

#include <cstddef>
#include <vector>

namespace concert::config {

/// The members of `from` that `other` lacks, each as often as it lacks it. Each
/// search starts where the last one ended: equal lists take linear time.
template <class T>
std::vector<T> missing(const std::vector<T>& from,
                       const std::vector<T>& other) {
  std::vector<T> result;
  std::vector<bool> used(other.size());
  std::size_t next = 0;
  const auto take = [&](const T& item) {
    for (std::size_t i = 0; i < other.size(); ++i) {
      const auto at = (next + i) % other.size();
      if (!used[at] && other[at] == item) {
        used[at] = true;
        next = at + 1;
        return true;
      }
    }
    return false;
  };
  for (const auto& item : from) {
    if (!take(item))
      result.push_back(item);
  }
  return result;
}

} // namespace concert::config
