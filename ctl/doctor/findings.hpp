#pragma once

#include "ctl/doctor/facts.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concert::ctl {

/// How bad a finding is; the values are in the order of weight.
enum class weight : std::uint8_t { ok, note, warning, problem };
/// "ok".
std::string_view to_string(weight w);

/// What one check found.
struct finding {
  weight how = weight::ok;
  std::string_view subject; ///< "other daemons"
  std::string text;         ///< a sentence
  std::string advice;       ///< what to do; empty: nothing
};

/// Judges the machine, the worst first.
std::vector<finding> examine(const machine_facts& facts);

} // namespace concert::ctl
