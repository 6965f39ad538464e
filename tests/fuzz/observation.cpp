// Any text is an observation document or an error, and what was read can be
// shown.

#include "ctl/observation.hpp"

#include "ctl/shadow_document.hpp"
#include "ctl/view/views.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace ctl = concert::ctl;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto shadow = ctl::part_of(text, "shadow"))
    if (const auto watched = ctl::read_shadow(*shadow))
      ctl::compare_view(*watched);
  if (const auto seen = ctl::read_observation(text)) {
    ctl::status_view(*seen);
    ctl::tracking_view(*seen);
    ctl::servers_view(*seen);
    ctl::nts_view(*seen);
  }
  return 0;
}
