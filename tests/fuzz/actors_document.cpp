// Any text is an inspector's document or an error; what was read is written so
// that it reads the same.

#include "ctl/actors_document.hpp"

#include "ctl/schema.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace ctl = concert::ctl;

template <class T>
static void check(std::string_view text,
                  ctl::result<T> (*read)(std::string_view)) {
  const auto first = read(text);
  if (!first)
    return;
  const auto written = ctl::to_json(*first);
  const auto again = read(written);
  // What is absent is written with a default value, which may be too long.
  if (again ? ctl::to_json(*again) != written
            : written.size() <= ctl::max_answer)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check(text, ctl::read_actors);
  check(text, ctl::read_traced_message);
  check(text, ctl::read_interfaces);
  return 0;
}
