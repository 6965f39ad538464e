#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

namespace concert::ctl {

namespace {

/// So that a line with usual values has 80 columns.
constexpr std::size_t name_columns = 24;

std::string reach(const observed_source& source) {
  return source.reachability ? fmt::format("{:03o}", *source.reachability)
                             : "-";
}

} // namespace

std::string sources_view(const observation& o) {
  if (o.sources.empty())
    return "No sources.\n" + truncation(o);
  constexpr auto to_right = table::align::right;
  table t{{{""},
           {"source"},
           {"st", to_right},
           {"poll", to_right},
           {"reach", to_right},
           {"last", to_right},
           {"source's clock", to_right},
           {"+/-", to_right},
           {"delay", to_right}},
          1};
  for (const observed_source& s : o.sources) {
    t.row({std::string{mark(s)}, shortened(short_name(s), name_columns),
           count(s.stratum.value_or(0) == 0 ? std::nullopt : s.stratum),
           poll_interval(s), reach(s), age(s.last_sample_age_s),
           ahead_or_behind(s.offset_s), span(s.uncertainty_s),
           span(s.delay_s)});
    constexpr std::size_t indent = 6;
    if (const auto text = explanation(s, name_columns); !text.empty())
      t.note(std::string(indent, ' ') + wrapped(text, 80 - indent, indent));
  }
  return t.text()
         + "* selected  + candidate  x falseticker  ? unreachable  ! unusable\n"
         + truncation(o);
}

} // namespace concert::ctl
