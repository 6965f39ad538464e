#include "tools/ntp_inspect/top_view.hpp"

#include "ctl/format.hpp"
#include "ctl/text.hpp"
#include "tools/ntp_inspect/quantile.hpp"
#include "tools/ntp_inspect/views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace concert::inspect {

namespace {

constexpr std::size_t name_columns = 34;

/// One actor, between two looks.
struct work {
  const ctl::actor_status* actor = nullptr;
  double rate = 0; ///< messages, 1/s
  std::optional<double> wait_p50;
  std::optional<double> wait_p99;
  std::optional<double> handling_p50;
  std::optional<double> handling_p99;
};

work work_of(const ctl::actor_status& now, const ctl::actor_status* before,
             double seconds) {
  static const ctl::actor_status nothing;
  const auto& b = before == nullptr ? nothing : *before;
  const auto wait = since(now.wait, b.wait);
  const auto handling = since(now.handling_time, b.handling_time);
  const auto handled = now.handled > b.handled ? now.handled - b.handled : 0;
  return {&now,
          seconds > 0 ? static_cast<double>(handled) / seconds : 0,
          quantile(wait, 0.5),
          quantile(wait, 0.99),
          quantile(handling, 0.5),
          quantile(handling, 0.99)};
}

/// The greater, the further to the top.
double rank(const work& w, sort_key sort) {
  switch (sort) {
    case sort_key::depth:
      return static_cast<double>(w.actor->mailbox_depth);
    case sort_key::rate:
      return w.rate;
    case sort_key::wait:
      return w.wait_p99.value_or(-1);
    case sort_key::handling:
      return w.handling_p99.value_or(-1);
    case sort_key::restarts:
      return w.actor->restarts;
    case sort_key::id:
      break;
  }
  return -static_cast<double>(w.actor->id);
}

std::string duration(std::optional<double> s) {
  return s && std::isinf(*s) ? "> 1 s" : ctl::span(s);
}

std::string line(const std::array<std::string, 10>& cells) {
  return fmt::format(
    "{:>5} {} {:>7} {:>9} {:>8} {:>8} {:>8} {:>8} {:>4} {}", cells[0],
    ctl::left(ctl::shortened(cells[1], name_columns), name_columns), cells[2],
    cells[3], cells[4], cells[5], cells[6], cells[7], cells[8], cells[9]);
}

std::string line_of(const work& w) {
  const auto& a = *w.actor;
  return line({std::to_string(a.id), label(a), std::to_string(a.mailbox_depth),
               fmt::format("{:.1f}", w.rate), duration(w.wait_p50),
               duration(w.wait_p99), duration(w.handling_p50),
               duration(w.handling_p99), std::to_string(a.restarts),
               is_stuck(a) ? fmt::format("STUCK {} in {}",
                                         ctl::span(a.handling_s), a.handling)
                           : a.handling});
}

} // namespace

std::vector<top_line> top_view(const ctl::actors_status& before,
                               const ctl::actors_status& now, double seconds,
                               sort_key sort, std::size_t rows,
                               std::size_t columns) {
  std::map<std::uint64_t, const ctl::actor_status*> known;
  for (const auto& a : before.actors)
    known.emplace(a.id, &a);
  std::vector<work> all;
  double rate = 0;
  std::uint64_t waiting = 0;
  for (const auto& a : now.actors) {
    const auto it = known.find(a.id);
    all.push_back(
      work_of(a, it == known.end() ? nullptr : it->second, seconds));
    rate += all.back().rate;
    waiting += a.mailbox_depth;
  }
  const auto stuck
    = std::count_if(now.actors.begin(), now.actors.end(), is_stuck);
  // Who is stuck comes first, whatever is asked for.
  std::stable_sort(all.begin(), all.end(), [&](const auto& x, const auto& y) {
    return std::tuple{is_stuck(*x.actor), rank(x, sort)}
           > std::tuple{is_stuck(*y.actor), rank(y, sort)};
  });
  std::vector<top_line> result{
    {fmt::format("{} actors, {:.1f} messages/s, {} waiting, {} stuck{}",
                 all.size(), rate, waiting, stuck,
                 now.enabled ? "" : "; the inspector is switched off"),
     stuck > 0},
    {line({"id", "actor", "mailbox", "msg/s", "wait p50", "p99", "hand p50",
           "p99", "rst", "now"}),
     false}};
  for (const auto& w : all)
    result.push_back({line_of(w), is_stuck(*w.actor)});
  if (rows != 0 && result.size() > rows)
    result.resize(rows);
  if (columns != 0)
    for (auto& l : result)
      l.text = ctl::shortened(l.text, columns);
  return result;
}

} // namespace concert::inspect
