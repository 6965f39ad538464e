#pragma once

#include "ctl/actors_document.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace concert::inspect {

/// Who talked to whom for some time.
class graph {
public:
  explicit graph(ctl::actors_status actors);
  void add(const ctl::traced_message& message);
  /// For Graphviz: an edge for each pair with its messages and their rate, a
  /// dotted one from each parent.
  std::string dot(double seconds) const;

private:
  struct edge {
    std::map<std::string, std::uint64_t> types;
  };

  ctl::actors_status actors_;
  std::map<std::uint64_t, std::string> names_; ///< seen, living or not
  std::map<std::pair<std::uint64_t, std::uint64_t>, edge> edges_;
  std::uint64_t lost_ = 0;
};

} // namespace concert::inspect
