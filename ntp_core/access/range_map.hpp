#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace concert::ntp {

/// What holds from `first` up to the next one's `first`.
template <class Key, class Value>
struct range_start {
  Key first{};
  Value value{};
};

/// Finds the value that holds for a key, for keys that are cut into ranges.
/// The starts stand in blocks of `Width`; of each block, the level above keeps
/// the first, and so on up to a single block, so that a search reads one block
/// a level and only the lowest levels can be out of the cache. Immutable after
/// construction.
template <class Key, class Value, std::size_t Width>
class range_map {
public:
  using start = range_start<Key, Value>;

  /// Everywhere the default value; a single range needs no highest key.
  range_map() : range_map(std::vector{start{}}, Key{}) {}

  /// Takes starts in rising order, the first at the lowest key; no key is above
  /// `highest`.
  range_map(const std::vector<start>& starts, const Key& highest) {
    std::vector<Key> keys;
    keys.reserve(starts.size());
    values_.reserve(starts.size());
    for (const auto& s : starts) {
      keys.push_back(s.first);
      values_.push_back(s.value);
    }
    add_level(keys, highest);
    while (levels_.front().blocks.size() > 1) {
      std::vector<Key> firsts;
      for (const auto& b : levels_.front().blocks)
        firsts.push_back(b.keys.front());
      add_level(firsts, highest);
    }
  }

  Value at(const Key& key) const {
    std::size_t i = 0;
    for (const auto& l : levels_)
      // Only a key that is the highest passes the fillers of the last block.
      i = std::min(i * Width + l.blocks[i].up_to(key), l.size) - 1;
    return values_[i];
  }

  /// The number of ranges.
  std::size_t size() const { return values_.size(); }

private:
  struct alignas(64) block {
    std::array<Key, Width> keys{};

    /// How many of the keys are `key` or below it; without a branch to guess.
    std::size_t up_to(const Key& key) const {
      std::size_t count = 0;
      for (const auto& k : keys)
        count += k <= key ? 1 : 0;
      return count;
    }
  };

  struct level {
    std::vector<block> blocks;
    std::size_t size = 0; ///< of its keys; fillers follow in the last block
  };

  void add_level(const std::vector<Key>& keys, const Key& highest) {
    level l{std::vector<block>((keys.size() + Width - 1) / Width), keys.size()};
    for (auto& b : l.blocks)
      b.keys.fill(highest);
    for (std::size_t i = 0; i < keys.size(); ++i)
      l.blocks[i / Width].keys[i % Width] = keys[i];
    levels_.insert(levels_.begin(), std::move(l));
  }

  std::vector<level> levels_; // from the top down
  std::vector<Value> values_;
};

} // namespace concert::ntp
