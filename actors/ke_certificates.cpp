#include "actors/ke_certificates.hpp"

#include "actors/log_time.hpp"
#include "platform/log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

void ke_certificates::set_files(
  const std::vector<config::certificate_pair>& pairs) {
  std::vector<platform::certificate_files> files;
  files.reserve(pairs.size());
  for (const auto& pair : pairs)
    files.push_back({pair.chain, pair.private_key});
  const bool same
    = std::ranges::equal(files, files_, [](const auto& a, const auto& b) {
        return a.chain == b.chain && a.private_key == b.private_key;
      });
  files_ = std::move(files);
  if (!same)
    load();
}

void ke_certificates::look() {
  if (platform::stamps_of(files_) != tried_)
    load();
}

void ke_certificates::load() {
  // From before: what changes meanwhile is seen at the next look.
  tried_ = platform::stamps_of(files_);
  auto loaded = load_(files_);
  if (!loaded) {
    problem_ = loaded.error().text;
    log::error("nts-ke-certificates", "server={} error=\"{}\"{}", server_,
               problem_,
               current_ ? " consequence=\"the earlier ones stay\"" : "");
    return;
  }
  problem_.clear();
  const bool news = !current_ || current_->stamps() != (*loaded)->stamps();
  current_ = std::move(*loaded);
  if (news)
    log_current();
}

void ke_certificates::log_current() const {
  for (const auto& c : current_->certificates())
    log::info("nts-ke-certificate",
              "server={} file={} names=\"{}\" not-after={}", server_,
              c.file.string(), fmt::join(c.names, " "), log_time(c.not_after));
}

std::vector<ctl::certificate_status> ke_certificates::status() const {
  std::vector<ctl::certificate_status> result;
  if (current_)
    for (const auto& c : current_->certificates())
      result.push_back({c.file.string(), c.names, c.not_before, c.not_after});
  return result;
}

} // namespace concert::actors
