#pragma once

#include "platform/error.hpp"

#include <filesystem>
#include <string>

namespace concert::platform {

/// A file that grows by whole lines: each is one `write` with O_APPEND, so that
/// other writers and a rotation come between lines and never into one. It is
/// never truncated. For one thread.
class line_file {
public:
  /// Nothing is opened yet.
  explicit line_file(std::filesystem::path path);
  line_file(const line_file&) = delete;
  line_file& operator=(const line_file&) = delete;
  ~line_file();

  const std::filesystem::path& path() const { return path_; }
  /// Appends `line`, which has no newline, and one. Opens the file, with mode
  /// 0640, if it is not open. What the operating system refuses is not written
  /// later: each line is tried once.
  result<void> append(std::string line);
  /// The next line goes to the file that has the path then: the old one has
  /// been renamed.
  void reopen();

private:
  std::filesystem::path path_;
  int fd_ = -1;
  bool cut_ = false; ///< the last line has no end, as the disk was full
};

} // namespace concert::platform
