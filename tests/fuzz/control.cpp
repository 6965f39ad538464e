// Any line is either a request or a refusal, and either an answer or an error;
// what was read is written so that it reads the same.

#include "ctl/schema.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace ctl = concert::ctl;
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  std::uint64_t id = 0;
  if (const auto request = ctl::read_request(line, id)) {
    std::uint64_t again = 0;
    const auto same = ctl::read_request(ctl::to_json(*request), again);
    // Escapes are shorter than what they are written as.
    if (again != id || (same ? *same != *request : size * 6 < ctl::max_request))
      std::abort();
  }
  if (const auto answer = ctl::read_control_answer(line)) {
    const auto same
      = ctl::read_control_answer(ctl::to_json(answer->id, answer->answer));
    if (!same ? size * 6 < ctl::max_answer : same->id != answer->id)
      std::abort();
  }
  return 0;
}
