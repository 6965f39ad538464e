#include "ctl/shadow_document.hpp"

#include "ctl/json_reader.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/observation.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ctl {

namespace {

using ntp::watched_span;
using rapidjson::Value;

/// A week, and what an hour more or less by a clock's steps adds.
constexpr rapidjson::SizeType most_hours = 1024;

/// Calls `use(key, field)` for all fields: the schema, for both ways.
template <class Span>
void for_each_field(Span& s, const auto& use) {
  use("watched_seconds", s.watched_s);
  use("looks", s.looks);
  use("mean_offset", s.mean_s);
  use("rms_offset", s.rms_s);
  use("max_offset", s.largest_s);
  use("uncertainty", s.uncertainty_s);
  use("max_error", s.max_error_s);
  use("steps", s.steps);
  use("stepped", s.stepped_s);
  use("frequency_changes", s.frequency_changes);
  use("lowest_frequency", s.lowest_frequency);
  use("highest_frequency", s.highest_frequency);
  use("own_steps", s.own_steps);
  use("own_stepped", s.own_stepped_s);
}

void write_span(json_writer& out, const watched_span& s) {
  out.field("since", std::int64_t{s.since.count()});
  for_each_field(
    s, [&](const char* key, const auto& field) { out.field(key, field); });
}

void read(const Value& v, double& field) {
  if (v.IsNumber() && std::isfinite(v.GetDouble()))
    field = v.GetDouble();
}

void read(const Value& v, std::uint64_t& field) {
  if (v.IsUint64())
    field = v.GetUint64();
}

watched_span read_span(const Value& v) {
  watched_span s;
  if (!v.IsObject())
    return s;
  if (const auto since = v.FindMember("since");
      since != v.MemberEnd() && since->value.IsUint())
    s.since = std::chrono::seconds{since->value.GetUint()};
  for_each_field(s, [&](const char* key, auto& field) {
    if (const auto found = v.FindMember(key); found != v.MemberEnd())
      read(found->value, field);
  });
  return s;
}

} // namespace

std::string shadow_json(const ntp::shadow_snapshot& shadow) {
  return json_object([&](json_writer& out) {
    out.object("total", [&] { write_span(out, shadow.total); });
    out.array("hours", [&] {
      for (const auto& hour : shadow.hours)
        out.object([&] { write_span(out, hour); });
    });
  });
}

result<ntp::shadow_snapshot> read_shadow(std::string_view json) {
  const auto document = parse_json(json, max_document);
  if (!document || !document->IsObject())
    return tl::unexpected{error{
      errc::malformed,
      "the daemon watches no other one's clock: it was started neither with "
      "--shadow nor with --no-adjust"}};
  const Value& found = *document;
  ntp::shadow_snapshot shadow;
  if (const auto total = found.FindMember("total"); total != found.MemberEnd())
    shadow.total = read_span(total->value);
  const auto hours = found.FindMember("hours");
  if (hours == found.MemberEnd() || !hours->value.IsArray())
    return shadow;
  const auto n = std::min(hours->value.Size(), most_hours);
  for (rapidjson::SizeType i = 0; i < n; ++i)
    shadow.hours.push_back(read_span(hours->value[i]));
  return shadow;
}

} // namespace concert::ctl
