#include "exporter/exposition.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace concert::exporter {

namespace {

std::string_view type_name(metric_type type, text_format format) {
  switch (type) {
    case metric_type::gauge:
      return "gauge";
    case metric_type::counter:
      return "counter";
    case metric_type::info:
      // The older format does not know the type.
      return format == text_format::openmetrics ? "info" : "gauge";
    case metric_type::histogram:
      return "histogram";
  }
  return "unknown";
}

std::string_view sample_suffix(metric_type type) {
  switch (type) {
    case metric_type::counter:
      return "_total";
    case metric_type::info:
      return "_info";
    default:
      return "";
  }
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '"' || c == '\\')
        text += '\\';
      text += c;
    }
  }
}

/// `name="value",…` of those that have a value.
std::string label_text(label_list labels, std::string_view limit) {
  std::string text;
  const auto append = [&](std::string_view name, std::string_view value) {
    if (value.empty())
      return;
    if (!text.empty())
      text += ',';
    text += name;
    text += "=\"";
    append_escaped(text, value);
    text += '"';
  };
  for (const auto& [name, value] : labels)
    append(name, value);
  append("le", limit);
  return text;
}

} // namespace

std::string number_text(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void exposition::begin(const family& f) {
  if (current_ == f.name)
    return;
  current_ = f.name;
  written_.clear();
  // OpenMetrics names the family, the older format its samples.
  const std::string_view suffix
    = format_ == text_format::openmetrics ? "" : sample_suffix(f.type);
  const auto to = std::back_inserter(text_);
  fmt::format_to(to, "# TYPE {}{} {}\n", f.name, suffix,
                 type_name(f.type, format_));
  if (format_ == text_format::openmetrics && !f.unit.empty())
    fmt::format_to(to, "# UNIT {} {}\n", f.name, f.unit);
  fmt::format_to(to, "# HELP {}{} {}\n", f.name, suffix, f.help);
}

void exposition::write(const family& f, std::string_view suffix,
                       label_list labels, std::string_view limit,
                       std::string_view value) {
  begin(f);
  const std::string text = label_text(labels, limit);
  if (!written_.insert(text).second)
    return;
  const auto to = std::back_inserter(text_);
  if (text.empty())
    fmt::format_to(to, "{}{} {}\n", f.name, suffix, value);
  else
    fmt::format_to(to, "{}{}{{{}}} {}\n", f.name, suffix, text, value);
}

void exposition::add(const family& f, label_list labels, double value) {
  write(f, sample_suffix(f.type), labels, {}, number_text(value));
}

void exposition::add(const family& f, label_list labels, std::uint64_t value) {
  write(f, sample_suffix(f.type), labels, {}, fmt::format_int(value).c_str());
}

void exposition::bucket(const family& f, label_list labels, double limit,
                        std::uint64_t at_most) {
  write(f, "_bucket", labels, number_text(limit),
        fmt::format_int(at_most).c_str());
}

std::string exposition::take() && {
  if (format_ == text_format::openmetrics)
    text_ += "# EOF\n";
  return std::move(text_);
}

std::string_view content_type(text_format format) {
  return format == text_format::openmetrics
           ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
           : "text/plain; version=0.0.4; charset=utf-8";
}

text_format format_for(std::string_view accept) {
  return accept.find("application/openmetrics-text") != std::string_view::npos
           ? text_format::openmetrics
           : text_format::prometheus;
}

} // namespace concert::exporter
