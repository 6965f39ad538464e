#include "exporter/history.hpp"

#include "ctl/json_writer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concert::exporter {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

std::string label(const ctl::observed_source& source) {
  if (source.address.empty() || source.address == source.name)
    return source.name;
  return source.name + " (" + source.address + ")";
}

} // namespace

void history::drop_front() {
  rows_.pop_front();
  for (auto& s : sources_) {
    s.known -= std::isnan(s.offsets_s.front()) ? 0 : 1;
    s.offsets_s.pop_front();
  }
}

void history::drop_back() {
  rows_.pop_back();
  for (auto& s : sources_) {
    s.known -= std::isnan(s.offsets_s.back()) ? 0 : 1;
    s.offsets_s.pop_back();
  }
}

history::series* history::find(const std::string& name) {
  const auto found
    = std::find_if(sources_.begin(), sources_.end(),
                   [&](const series& s) { return s.name == name; });
  if (found != sources_.end())
    return &*found;
  if (sources_.size() >= max_sources)
    return nullptr;
  // Nothing is known of it so far; the caller fills in the last row.
  return &sources_.emplace_back(
    series{name, std::deque<double>(rows_.size(), unknown), 0});
}

void history::add(const reading& r) {
  while (!rows_.empty() && rows_.back().at_s > r.at_s)
    drop_back();
  if (!rows_.empty() && r.at_s - rows_.back().at_s < interval_s - 0.5)
    return;
  if (rows_.size() >= rows)
    drop_front();
  std::erase_if(sources_, [](const series& s) { return s.known == 0; });
  row now{r.at_s, unknown, unknown, unknown};
  if (r.observed) {
    const auto& system = r.observed->system;
    now.offset_s = system.offset_s.value_or(unknown);
    now.error_s = system.estimated_error_s.value_or(unknown);
    now.bound_s = system.max_error_s.value_or(unknown);
  }
  rows_.push_back(now);
  for (auto& s : sources_)
    s.offsets_s.push_back(unknown);
  if (!r.observed)
    return;
  for (const auto& source : r.observed->sources) {
    series* const s = source.offset_s ? find(label(source)) : nullptr;
    if (s == nullptr || !std::isnan(s->offsets_s.back()))
      continue;
    s->offsets_s.back() = *source.offset_s;
    ++s->known;
  }
}

std::string history::to_json() const {
  return ctl::json_object([&](ctl::json_writer& json) {
    json.array("sources", [&] {
      for (const auto& s : sources_)
        json.value(s.name);
    });
    json.array("rows", [&] {
      for (std::size_t i = 0; i < rows_.size(); ++i)
        json.array([&] {
          const row& r = rows_[i];
          json.value(r.at_s);
          json.value(r.offset_s);
          json.value(r.error_s);
          json.value(r.bound_s);
          for (const auto& s : sources_)
            json.value(s.offsets_s[i]);
        });
    });
  });
}

} // namespace concert::exporter
