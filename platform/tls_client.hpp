#pragma once

#include "platform/error.hpp"
#include "platform/tls_session.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::platform {

struct tls_client_options {
  /// PEM files with certificates that are trusted besides the system's roots.
  std::vector<std::filesystem::path> certificate_authorities;
};

/// Opens sessions with NTS-KE servers, whose certificates are always checked:
/// name, chain and signatures. Immutable once made; its sessions may outlive
/// it.
class tls_client {
public:
  /// Reads files; `connect`'s sessions read one more, by the name of the
  /// issuer, where the system keeps its roots in a folder.
  static result<std::shared_ptr<const tls_client>>
  open(const tls_client_options& options = {});
  virtual ~tls_client() = default;

  /// A session with `host`, a DNS name or an IP address, which must be in the
  /// server's certificate. The certificates must be valid at `judged_at` (since
  /// 1970); if it is absent, their times do not count, and all else does.
  virtual result<std::unique_ptr<tls_session>>
  connect(const std::string& host,
          std::optional<std::chrono::seconds> judged_at) const = 0;
};

} // namespace concert::platform
