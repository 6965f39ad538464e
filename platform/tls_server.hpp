#pragma once

#include "platform/error.hpp"
#include "platform/tls_session.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace concert::platform {

/// Two PEM files: a certificate with its issuers after it, and its private key.
struct certificate_files {
  std::filesystem::path chain;
  std::filesystem::path private_key;
};

/// What there is to see of a certificate. An expired one is served all the
/// same: only clients can refuse it.
struct certificate_info {
  std::filesystem::path file;
  std::vector<std::string> names;    ///< DNS names and IP addresses
  std::chrono::seconds not_before{}; ///< since 1970
  std::chrono::seconds not_after{};  ///< since 1970
};

/// Which files these are now, without reading them: comparing two shows whether
/// there is something to load again. An absent file is zeros.
struct file_stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::chrono::nanoseconds modified{};
  std::chrono::nanoseconds changed{}; ///< also by chmod and chgrp

  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};
using file_stamps = std::vector<file_stamp>;

file_stamps stamps_of(std::span<const certificate_files> pairs);

/// Accepts sessions of NTS-KE clients. Immutable once made: to reload is to
/// make a new one, while the sessions of the old one keep its certificates.
class tls_server {
public:
  /// Reads the files. An error names the file, the cause, and for lack of
  /// permission the commands that help. At least one pair.
  static result<std::shared_ptr<const tls_server>>
  load(std::span<const certificate_files> pairs);
  virtual ~tls_server() = default;

  /// A session that shows the certificate for the name that the client asks
  /// for, or the first one if there is none for it.
  virtual result<std::unique_ptr<tls_session>> accept() const = 0;
  /// In the order of the pairs.
  virtual const std::vector<certificate_info>& certificates() const = 0;
  /// `stamps_of` the pairs, from before they were read.
  virtual const file_stamps& stamps() const = 0;
};

} // namespace concert::platform
