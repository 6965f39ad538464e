#include "ctl/view/watch_frame.hpp"

#include "ctl/format.hpp"
#include "ctl/picture.hpp"
#include "ctl/text.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace concert::ctl {

namespace {

constexpr std::size_t least_columns = 72;
constexpr std::size_t name_columns = 22;
constexpr std::size_t value_columns = 14; ///< "1.23 ms behind"
constexpr std::size_t error_columns = 8;  ///< "85.0 us"
/// Mark, blanks between the columns.
constexpr std::size_t other_columns = 2 + 1 + 1 + 1;

style look_of(const observed_system& s) {
  if (s.state == "synchronized")
    return style::good;
  return s.state == "starting" || s.state == "holdover" ? style::warning
                                                        : style::bad;
}

style look_of(const observed_source& s) {
  if (s.state == "selected")
    return style::good;
  return s.state == "falseticker" ? style::bad : style::plain;
}

bool is_judged_right(const observed_source& s) {
  return s.state == "selected" || s.state == "candidate";
}

bool is_placed(const observed_source& s) {
  return s.offset_s.has_value();
}

/// Lays times out against the agreed one. All offsets of a document are
/// remote − clock; less the clock's own they are remote − agreed.
class frame_maker {
public:
  frame_maker(const observation& o, std::size_t columns)
    : o_{o},
      columns_{std::max(columns, least_columns)},
      picture_{odd(columns_ - name_columns - value_columns - error_columns
                   - other_columns)},
      agreed_s_{o.system.offset_s.value_or(0)},
      scale_s_{scale()} {}

  std::vector<styled_line> lines() {
    head();
    add({});
    if (is_measured(o_.system)) {
      add("  " + left("against agreed time", name_columns + 1)
            + draw_axis(scale_s_, picture_),
          style::faint);
      row(' ', "this clock", clock(), 'o', style::strong);
      if (o_.clock.true_error_s)
        row(' ', "true time", truth(), 'T', style::faint);
    } else if (std::ranges::any_of(o_.sources, is_placed)) {
      add("  " + left("against this clock", name_columns + 1)
            + draw_axis(scale_s_, picture_),
          style::faint);
    }
    for (const observed_source& source : o_.sources)
      source_rows(source);
    if (o_.sources.empty())
      add("  no sources", style::warning);
    foot();
    return std::move(lines_);
  }

private:
  static std::size_t odd(std::size_t n) { return n - 1 + n % 2; }

  void add(const std::string& text, style look = style::plain) {
    lines_.push_back({shortened(text, columns_), look});
  }

  /// A sentence that may take more than one line.
  void add_wrapped(const std::string& text, std::size_t indent, style look) {
    std::string rest
      = std::string(indent, ' ') + wrapped(text, columns_ - indent, indent);
    for (std::size_t end = 0; end != std::string::npos;) {
      end = rest.find('\n');
      add(rest.substr(0, end), look);
      rest.erase(0, end == std::string::npos ? end : end + 1);
    }
  }

  interval clock() const {
    return {-agreed_s_, o_.system.estimated_error_s.value_or(0)};
  }

  interval truth() const { return {-agreed_s_ - *o_.clock.true_error_s, 0}; }

  std::optional<interval> place(const observed_source& s) const {
    if (!s.offset_s)
      return {};
    return interval{*s.offset_s - agreed_s_, s.uncertainty_s.value_or(0)};
  }

  /// Wide enough for this clock, the truth and the sources that are right;
  /// for all sources where none is.
  double scale() const {
    const bool some_right = std::ranges::any_of(o_.sources, is_judged_right);
    double widest = 0;
    const auto cover = [&](const interval& i) {
      widest = std::max(widest, std::fabs(i.middle_s) + i.half_width_s);
    };
    if (is_measured(o_.system)) {
      cover(clock());
      if (o_.clock.true_error_s)
        cover(truth());
    }
    for (const observed_source& s : o_.sources)
      if (const auto i = place(s); i && (!some_right || is_judged_right(s)))
        cover(*i);
    return round_scale(widest);
  }

  void head() {
    add(headline(o_.system), look_of(o_.system));
    if (!o_.system.state_reason.empty())
      add_wrapped(o_.system.state_reason, 0, style::plain);
    add({});
    std::string error = "clock  " + clock_sentence(o_.system);
    if (is_measured(o_.system))
      error += ", at most " + span(o_.system.max_error_s) + " wrong";
    add_wrapped(error, 0, style::strong);
    if (const auto sentence = truth_sentence(o_.clock); !sentence.empty())
      add("       " + sentence, style::strong);
    if (o_.system.frequency && is_measured(o_.system))
      add(fmt::format("       oscillator {}, +/- {}",
                      oscillator(o_.system.frequency),
                      ppm(o_.system.frequency_uncertainty)));
  }

  void row(char mark, const std::string& name, const std::optional<interval>& i,
           char middle, style look) {
    add(fmt::format(
          "{} {} {} {} {}", mark,
          left(shortened(name, name_columns), name_columns),
          i ? draw(*i, scale_s_, picture_, middle) : std::string(picture_, ' '),
          right(i ? ahead_or_behind(i->middle_s) : "-", value_columns),
          right(i && i->half_width_s > 0 ? span(i->half_width_s) : "",
                error_columns)),
        look);
  }

  void source_rows(const observed_source& s) {
    row(mark(s), short_name(s), place(s), 'o', look_of(s));
    if (s.state != "selected" && !s.state.empty())
      add_wrapped(s.state_reason.empty() ? s.state
                                         : s.state + ": " + s.state_reason,
                  4, style::faint);
  }

  /// A line for a server of either kind that does not listen.
  void deaf(const auto& server) {
    if (!server.listening.value_or(true))
      add_wrapped("not listening on " + server.address + ": " + server.problem,
                  0, style::bad);
  }

  void foot() {
    add({});
    add("* selected  + candidate  x falseticker  ? unreachable  ! unusable",
        style::faint);
    for (const observed_server& server : o_.servers)
      deaf(server);
    for (const observed_ke_server& server : o_.ke_servers)
      deaf(server);
    if (o_.truncated)
      add("more sources or servers than one document holds", style::faint);
  }

  const observation& o_;
  std::size_t columns_;
  std::size_t picture_;
  double agreed_s_; ///< agreed − clock
  double scale_s_;
  std::vector<styled_line> lines_;
};

} // namespace

std::vector<styled_line> watch_frame(const observation& o, std::size_t columns,
                                     std::size_t rows) {
  auto lines = frame_maker{o, columns}.lines();
  if (rows > 0 && lines.size() > rows) {
    const std::size_t missing = lines.size() - rows + 1;
    lines.resize(rows);
    lines.back()
      = {fmt::format("({} more lines; a higher window shows them)", missing),
         style::faint};
  }
  return lines;
}

std::vector<styled_line> watch_problem(const std::string& sentence,
                                       std::size_t columns) {
  std::vector<styled_line> lines{{"NO ANSWER", style::bad}};
  std::string rest = wrapped(sentence, std::max(columns, least_columns), 0);
  for (std::size_t end = 0; end != std::string::npos;) {
    end = rest.find('\n');
    lines.push_back({rest.substr(0, end), style::plain});
    rest.erase(0, end == std::string::npos ? end : end + 1);
  }
  return lines;
}

} // namespace concert::ctl
