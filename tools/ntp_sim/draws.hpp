#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concert::sim {

/// What a seed draws for the values of a scenario. A draw depends on the seed
/// and on the name of what is drawn, not on the order of asking: a key more or
/// less in a file leaves the others as they were.
class draws {
public:
  explicit draws(std::uint64_t seed, std::string place = {})
    : seed_(seed),
      place_(std::move(place)) {
    // nop
  }

  /// The draws of a part: "server 2", then "link" within it.
  draws within(std::string_view part) const {
    return draws{seed_, place_ + "/" + std::string{part}};
  }

  /// In [0, 1).
  double uniform(std::string_view name) const {
    // FNV-1a over the name, then the finalizer of SplitMix64.
    std::uint64_t h = 0xcbf29ce484222325;
    const auto add = [&h](std::string_view text) {
      for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    };
    add(place_);
    add("/");
    add(name);
    h = mixed(h + mixed(seed_));
    return static_cast<double>(h >> 11) * 0x1p-53;
  }

  /// A number that looks like no other one.
  static std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

private:
  std::uint64_t seed_;
  std::string place_;
};

} // namespace concert::sim
