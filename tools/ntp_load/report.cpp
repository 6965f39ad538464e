#include "tools/ntp_load/report.hpp"

#include "ctl/json_writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <utility>

namespace concert::load {

namespace {

double seconds(auto ns) {
  return static_cast<double>(ns) * 1e-9;
}

/// "12.3 us", with a sign where there is one.
std::string time(double ns) {
  const double size = std::abs(ns);
  if (size < 1e3)
    return fmt::format("{:.0f} ns", ns);
  if (size < 1e6)
    return fmt::format("{:.2f} us", ns / 1e3);
  return fmt::format("{:.2f} ms", ns / 1e6);
}

std::string time(std::int64_t ns) {
  return time(static_cast<double>(ns));
}

std::string percentiles(const sample_set& s) {
  return fmt::format("p50 {}, p90 {}, p99 {}, p99.9 {}, max {} ({} stamped)",
                     time(s.quantile(0.5)), time(s.quantile(0.9)),
                     time(s.quantile(0.99)), time(s.quantile(0.999)),
                     time(s.max()), s.count());
}

std::string spread(const sample_set& s, double mean_shift) {
  const auto at = [&](double q) {
    return time(static_cast<double>(s.quantile(q)) + mean_shift);
  };
  return fmt::format("mean {}, sd {}, p1 {}, p50 {}, p99 {} ({} values)",
                     time(s.mean() + mean_shift), time(s.deviation()), at(0.01),
                     at(0.5), at(0.99), s.count());
}

std::string percent(double share) {
  return fmt::format("{:.3g} %", 100 * share);
}

/// A server's transmit stamp that is later than the kernel's lies less than the
/// smallest gap before the receive stamp.
double share_later(const sample_set& errors, const sample_set& gap) {
  return errors.share_above(-gap.min());
}

std::string bad_kinds(const meter_result& r) {
  std::vector<std::string> kinds;
  for (std::size_t i = 1; i < verdict_count; ++i)
    if (r.verdicts[i] > 0)
      kinds.push_back(fmt::format("{} {}", r.verdicts[i],
                                  to_string(static_cast<verdict>(i))));
  return kinds.empty() ? "none" : fmt::format("{}", fmt::join(kinds, ", "));
}

void add_errors(std::string& text, const meter_report& report) {
  const auto& r = report.result;
  if (!report.gap_ns || r.receive_error_ns.count() == 0)
    return;
  const auto& gap = *report.gap_ns;
  const auto middle = static_cast<double>(gap.quantile(0.5));
  text += fmt::format(
    "stamps on loopback    transmit to receive: median {}, least {}, p99 {}\n",
    time(gap.quantile(0.5)), time(gap.min()), time(gap.quantile(0.99)));
  text += fmt::format("receive time          {} after our transmit stamp\n",
                      spread(r.receive_error_ns, 0));
  const auto transmit = [&](const char* name, const sample_set& s) {
    if (s.count() > 0)
      text
        += fmt::format("{:<21} {} against the kernel's; later than it: {}\n",
                       name, spread(s, middle), percent(share_later(s, gap)));
  };
  transmit("transmit time", r.transmit_error_ns);
  transmit("  interleaved", r.interleaved_error_ns);
}

void add_limits(std::string& text, const meter_result& r) {
  if (const auto limits = r.generator_limits(); !limits.empty())
    text
      += fmt::format("limited by the generator: {}\n", fmt::join(limits, ", "));
}

// -- JSON ---------------------------------------------------------------------

using ctl::json_writer;

void write(json_writer& w, const char* name, const sample_set& s) {
  if (s.count() == 0)
    return;
  w.object(name, [&] {
    w.field("count", s.count());
    w.field("mean", seconds(s.mean()));
    w.field("deviation", seconds(s.deviation()));
    w.field("min", seconds(s.min()));
    for (const auto& [key, q] : {std::pair{"p1", 0.01},
                                 {"p10", 0.1},
                                 {"p50", 0.5},
                                 {"p90", 0.9},
                                 {"p99", 0.99},
                                 {"p99.9", 0.999}})
      w.field(key, seconds(s.quantile(q)));
    w.field("max", seconds(s.max()));
  });
}

void write_error(json_writer& w, const char* name, const sample_set& s,
                 const sample_set& gap) {
  write(w, name, s);
  if (s.count() > 0)
    w.field((std::string{name} + "_later").c_str(), share_later(s, gap));
}

void write(json_writer& w, const meter_result& r) {
  w.field("duration", r.duration_s);
  w.field("wanted_rate", r.wanted_rate);
  w.field("sent", r.sent);
  w.field("refused", r.refused);
  w.field("late", r.late);
  w.field("answered", r.answered);
  w.field("interleaved", r.interleaved);
  w.field("lost", r.lost);
  w.field("loss", r.loss());
  w.object("bad", [&] {
    for (std::size_t i = 1; i < verdict_count; ++i)
      w.field(std::string{to_string(static_cast<verdict>(i))}.c_str(),
              r.verdicts[i]);
  });
  w.field("sent_rate", r.sent_rate());
  w.field("answered_rate", r.answered_rate());
  w.object("generator", [&] {
    w.field("busy", r.busy);
    w.field("cpu", r.cpu_s);
    w.field("dropped", r.dropped);
    w.array("limited_by", [&] {
      for (const auto& limit : r.generator_limits())
        w.value(limit);
    });
  });
  write(w, "response_time", r.response_ns);
}

} // namespace

std::string step_line(const search_step& s) {
  auto line
    = fmt::format("{:>10.0f}/s  {}  loss {}", s.rate,
                  s.good ? "carried" : "too much", percent(s.result.loss()));
  add_limits(line += s.result.generator_limits().empty() ? "" : "  ", s.result);
  if (line.back() == '\n')
    line.pop_back();
  return line;
}

std::string plain_text(const options& o, const meter_report& report) {
  const auto& r = report.result;
  std::string text;
  if (o.search)
    text += report.best_rate
              ? fmt::format("highest rate          {:.0f}/s with at most {} "
                            "lost\n",
                            *report.best_rate, percent(o.max_loss))
              : std::string{"highest rate          none was carried\n"};
  text += fmt::format("sent                  {} in {:.2f} s, {:.0f}/s", r.sent,
                      r.duration_s, r.sent_rate());
  text
    += fmt::format("; {} late, {} refused by the kernel\n", r.late, r.refused);
  text += fmt::format("answered              {}, {:.0f}/s", r.answered,
                      r.answered_rate());
  if (o.interleaved)
    text += fmt::format("; {} interleaved", r.interleaved);
  text += fmt::format("\nlost                  {}; {} without a good answer\n",
                      r.lost, percent(r.loss()));
  text += fmt::format("bad answers           {}\n", bad_kinds(r));
  if (report.aead)
    text += fmt::format("NTS                   AEAD {}, {} authenticators "
                        "checked\n",
                        static_cast<unsigned>(*report.aead), r.verified);
  if (r.response_ns.count() > 0)
    text
      += fmt::format("response time         {}\n", percentiles(r.response_ns));
  add_errors(text, report);
  // Of a search, the steps beyond the best one tell why it ended.
  if (report.steps.empty()) {
    add_limits(text, r);
  } else {
    for (const auto& s : report.steps)
      if (!s.good && !s.result.generator_limits().empty()) {
        text += "limited by the generator: the server may carry more\n";
        break;
      }
  }
  return text;
}

std::string json_text(const options& o, const meter_report& report) {
  return ctl::json_object([&](json_writer& w) {
           w.field("target", o.target.to_string());
           w.field("clients", o.clients);
           w.field("version", std::uint64_t{o.version});
           if (report.aead) {
             w.field("aead", static_cast<std::uint64_t>(*report.aead));
             w.field("verified", report.result.verified);
           }
           write(w, report.result);
           if (report.gap_ns) {
             write(w, "stamp_gap", *report.gap_ns);
             write(w, "receive_error", report.result.receive_error_ns);
             write_error(w, "transmit_error", report.result.transmit_error_ns,
                         *report.gap_ns);
             write_error(w, "interleaved_error",
                         report.result.interleaved_error_ns, *report.gap_ns);
           }
           if (!o.search)
             return;
           w.field("best_rate", report.best_rate);
           w.array("steps", [&] {
             for (const auto& s : report.steps)
               w.object([&] {
                 w.field("rate", s.rate);
                 w.field("good", s.good);
                 write(w, s.result);
               });
           });
         })
         + "\n";
}

std::string plain_text(const options& o, const flood_result& r) {
  return fmt::format("sent     {} requests in {:.2f} s, {:.0f}/s\n"
                     "clients  {}, {} requests each time\n"
                     "refused  {} by the kernel\n"
                     "answers  are not read: the server's counters tell them\n",
                     r.sent, r.duration_s, r.rate(), r.clients, o.batch,
                     r.refused);
}

std::string json_text(const options& o, const flood_result& r) {
  return ctl::json_object([&](json_writer& w) {
           w.field("target", o.target.to_string());
           w.field("duration", r.duration_s);
           w.field("wanted_rate", r.wanted_rate);
           w.field("sent", r.sent);
           w.field("batches", r.batches);
           w.field("refused", r.refused);
           w.field("clients", r.clients);
           w.field("sent_rate", r.rate());
           w.field("cpu", r.cpu_s);
         })
         + "\n";
}

std::string plain_text(const options& o, const handshake_result& r) {
  auto text = fmt::format("done      {} in {:.2f} s, {:.0f}/s; {} at a time\n",
                          r.done, r.duration_s, r.rate(), o.connections);
  text += fmt::format("failed    {}\n", r.failed);
  for (const auto& [why, count] : r.failures)
    text += fmt::format("  {:<7} {}\n", count, why);
  if (r.time_ns.count() > 0)
    text += fmt::format("time      p50 {}, p90 {}, p99 {}, max {}\n",
                        time(r.time_ns.quantile(0.5)),
                        time(r.time_ns.quantile(0.9)),
                        time(r.time_ns.quantile(0.99)), time(r.time_ns.max()));
  if (r.is_limited())
    text += "limited by the generator: its CPU was saturated\n";
  return text;
}

std::string json_text(const options& o, const handshake_result& r) {
  return ctl::json_object([&](json_writer& w) {
           w.field("target", o.target.to_string());
           w.field("connections", std::uint64_t{o.connections});
           w.field("duration", r.duration_s);
           w.field("done", r.done);
           w.field("rate", r.rate());
           w.field("failed", r.failed);
           w.object("failures", [&] {
             for (const auto& [why, count] : r.failures)
               w.field(why.c_str(), count);
           });
           w.object("generator", [&] {
             w.field("busy", r.busy);
             w.field("cpu", r.cpu_s);
             w.field("limited", r.is_limited());
           });
           write(w, "time", r.time_ns);
         })
         + "\n";
}

} // namespace concert::load
