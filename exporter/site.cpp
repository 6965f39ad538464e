#include "exporter/site.hpp"

#include "ctl/json_writer.hpp"
#include "exporter/page.hpp"
#include "exporter/page_files.hpp"

namespace concert::exporter {

namespace {

constexpr std::string_view json = "application/json";

std::shared_ptr<const std::string> share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string_view type_of_file(std::string_view name) {
  return name.ends_with(".css") ? "text/css; charset=utf-8"
                                : "text/javascript; charset=utf-8";
}

http_response file(std::string_view path) {
  for (const auto& f : page_files())
    if (path == f.name)
      return {200, type_of_file(f.name), share(std::string{f.octets})};
  return {404, "text/plain", share("there is no such page\n")};
}

} // namespace

http_response site::answer(const http_request& request) {
  if (request.path == "/metrics") {
    const auto format = format_for(request.accept);
    return {200, content_type(format),
            now(format == text_format::openmetrics ? text::openmetrics
                                                   : text::prometheus)};
  }
  if (request.path == "/")
    return {200, "text/html; charset=utf-8", now(text::page)};
  if (request.path == "/history.json")
    return {200, json, now(text::history)};
  if (request.path == "/status.json")
    return status();
  return file(std::string_view{request.path}.substr(
    request.path.starts_with('/') ? 1 : 0));
}

http_response site::status() const {
  const auto latest = from_.latest();
  if (!latest->what.observed)
    return {503, json, share(ctl::json_object([&](ctl::json_writer& writer) {
              writer.field("problem", latest->problem);
            }))};
  return {200, json, {latest, &latest->document}};
}

std::shared_ptr<const std::string> site::now(text which) {
  const auto latest = from_.latest();
  auto& made = made_[static_cast<std::size_t>(which)];
  if (made.number != latest->number)
    made = {latest->number, share(make(which, *latest))};
  return made.text;
}

std::string site::make(text which, const collected& latest) const {
  switch (which) {
    case text::prometheus:
      return metrics_text(latest.what, text_format::prometheus, chrony_names_);
    case text::openmetrics:
      return metrics_text(latest.what, text_format::openmetrics, chrony_names_);
    case text::page:
      return page_html(latest.what, latest.problem);
    case text::history:
      return from_.history_json();
  }
  return {};
}

} // namespace concert::exporter
