#include "ctl/json_writer.hpp"
#include "tools/ntp_sim/row.hpp"

namespace concert::sim {

namespace {

using ctl::json_writer;

void write_reference(json_writer& w, const reference_figures& r) {
  w.object("reference", [&] {
    w.field("bound", r.bound);
    w.object("chrony", [&] {
      w.field("rms", r.chrony.rms);
      w.field("max", r.chrony.max);
      w.field("p999", r.chrony.p999);
      w.field("frequency", r.chrony.frequency);
      w.field("first_lock", r.chrony.first_lock);
      w.field("first_lock_worst", r.chrony.first_lock_worst);
      w.field("packets", r.chrony.packets);
    });
    w.object("prototype", [&] {
      w.field("rms", r.prototype.rms);
      w.field("max", r.prototype.max);
      w.field("p999", r.prototype.p999);
    });
  });
}

void write_figures(json_writer& w, const figures& f) {
  w.object("figures", [&] {
    w.field("seeds", f.seeds);
    w.field("rms", f.rms);
    w.field("rms_error", f.rms_error);
    w.field("max_mean", f.max_mean);
    w.field("max_worst", f.max_worst);
    w.field("p999", f.p999);
    w.field("frequency_rms", f.frequency_rms);
    w.field("packets", f.packets);
    w.field("first_lock_median", f.first_lock_median);
    w.field("first_lock_worst", f.first_lock_worst);
    w.field("consistency", f.consistency);
    w.field("estimated_error", f.estimated_error);
    w.field("stability", f.stability);
    w.field("max_error", f.max_error);
    w.field("max_error_floor", f.max_error_floor);
    w.field("bound_violations", f.bound_violations);
    w.field("bound_looks", f.bound_looks);
    w.field("first_violation", f.first_violation);
    w.field("last_violation", f.last_violation);
    w.field("selection_changes_per_day", f.selection_changes_per_day);
    w.array("quarters", [&] {
      for (const double q : f.quarters)
        w.value(q);
    });
    w.field("trend", f.trend);
    w.field("polls_per_second", f.polls_per_second);
    w.field("times_real_time", f.times_real_time);
    w.field("filter_cost", f.filter_cost);
    w.array("seed_rms", [&] {
      for (const double v : f.seed_rms)
        w.value(v);
    });
  });
}

void write_limits(json_writer& w, const std::vector<limit>& limits) {
  w.object("limits", [&] {
    for (const auto& l : limits)
      w.object(std::string{l.what->name}.c_str(), [&] {
        w.field("low", l.low);
        w.field("high", l.high);
      });
  });
}

void write_row(json_writer& w, const row& r) {
  const auto& s = *r.from;
  w.object([&] {
    w.field("name", std::string_view{r.name});
    w.field("title", std::string_view{s.title});
    w.field("group", std::string_view{s.group});
    w.field("aside", s.aside);
    w.field("baselines", s.baselines);
    w.field("duration", s.duration_s);
    w.field("settle", s.settle_s);
    w.field("min_poll", s.min_poll);
    w.field("max_poll", s.max_poll);
    w.field("servers", s.world.servers.size());
    w.field("judged", r.judged);
    if (r.judged)
      write_reference(w, s.reference);
    if (r.found.seeds != 0) {
      write_figures(w, r.found);
      w.object("measures", [&] {
        for (const auto& m : measures())
          w.field(std::string{m.name}.c_str(),
                  r.judged ? m.of(r.found, s.reference)
                           : m.of(r.found, reference_figures{}));
      });
    }
    if (r.judged)
      write_limits(w, s.limits);
    w.array("failures", [&] {
      for (const auto& f : r.failures)
        w.value(std::string_view{f});
    });
  });
}

} // namespace

std::string json_text(const run_head& head, const std::vector<row>& rows) {
  return ctl::json_object([&](json_writer& w) {
           w.field("version", std::string_view{head.version});
           w.field("discipline", std::string_view{head.discipline});
           w.field("configuration", std::string_view{head.configuration});
           w.field("first_seed", head.first_seed);
           w.field("seeds", head.seeds);
           w.array("rows", [&] {
             for (const auto& r : rows)
               write_row(w, r);
           });
         })
         + "\n";
}

} // namespace concert::sim
