#pragma once

#include "config/config.hpp"
#include "ctl/status.hpp"
#include "platform/error.hpp"
#include "platform/tls_server.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace concert::actors {

/// The certificates of an NTS-KE server: loaded when their files change. Files
/// that cannot be used leave the earlier certificates in use.
class ke_certificates {
public:
  using loader = std::function<
    platform::result<std::shared_ptr<const platform::tls_server>>(
      std::span<const platform::certificate_files>)>;

  /// `server` is its name in the log.
  ke_certificates(loader load, std::string server)
    : load_(std::move(load)),
      server_(std::move(server)) {}

  /// Loads from these if they are others than before.
  void set_files(const std::vector<config::certificate_pair>& pairs);
  /// Loads anew in any case.
  void load();
  /// Loads if files have changed since they were tried last.
  void look();

  /// Null: there are none.
  const std::shared_ptr<const platform::tls_server>& current() const {
    return current_;
  }
  /// Why the files as they are now are not used; empty: they are.
  const std::string& problem() const { return problem_; }
  std::vector<ctl::certificate_status> status() const;

private:
  void log_current() const;

  loader load_;
  std::string server_;
  std::vector<platform::certificate_files> files_;
  platform::file_stamps tried_;
  std::shared_ptr<const platform::tls_server> current_;
  std::string problem_;
};

} // namespace concert::actors
