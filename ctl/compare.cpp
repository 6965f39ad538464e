#include "ctl/client.hpp"
#include "ctl/commands.hpp"
#include "ctl/observation.hpp"
#include "ctl/shadow_document.hpp"
#include "ctl/view/views.hpp"

namespace concert::ctl {

outcome run_compare(const options& o) {
  const auto part
    = find_socket(o)
        .and_then([](const auto& place) { return ask(place); })
        .and_then([](const auto& text) { return part_of(text, "shadow"); });
  if (!part)
    return {static_cast<int>(exit_code::unreachable),
            {},
            "ntp-ctl: " + part.error().text + '\n'};
  const auto shadow = read_shadow(*part);
  if (!shadow)
    return {static_cast<int>(exit_code::no),
            {},
            "ntp-ctl: " + shadow.error().text + '\n'};
  const auto code = static_cast<int>(exit_code::ok);
  switch (o.form) {
    case output_form::json:
      return {code, *part + '\n', {}};
    case output_form::csv:
      return {code, compare_csv(*shadow), {}};
    case output_form::plain:
      break;
  }
  return {code, compare_view(*shadow), {}};
}

} // namespace concert::ctl
