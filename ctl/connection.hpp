#pragma once

#include "ctl/error.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace concert::ctl {

/// How long a person waits for the daemon before hearing that it hangs.
inline constexpr std::chrono::milliseconds default_time_limit{5000};

/// A connection to a daemon's Unix socket. Nothing takes longer than until its
/// deadline, whatever the other side does. When `cancel` (a file descriptor,
/// −1 = none) becomes readable, everything ends with `errc::interrupted`.
/// Errors are sentences that name the path.
class connection {
public:
  using deadline = std::chrono::steady_clock::time_point;

  /// @returns `errc::bad_path`, `no_daemon`, `timeout`, `io`, `interrupted`.
  static result<connection> open(const std::filesystem::path& path,
                                 deadline until, int cancel = -1);
  connection(connection&& other) noexcept;
  connection& operator=(connection&& other) noexcept;
  ~connection();

  /// Sends all of it.
  /// @returns `errc::cut_off`, `timeout`, `io`, `interrupted`.
  result<void> send(std::string_view text, deadline until);
  /// Receives what is there, at least one octet.
  /// @returns how many; the errors of `send`.
  result<std::size_t> receive(std::span<char> into, deadline until);

  /// A failure whose sentence names the path.
  tl::unexpected<error> fail(errc code, std::string_view text) const;

private:
  connection(std::string path, int cancel);
  result<void> connect(deadline until);
  result<void> wait(int fd, short events, deadline until) const;
  tl::unexpected<error> system_failure(std::string_view what) const;
  tl::unexpected<error> no_answer() const;
  tl::unexpected<error> closed() const;

  std::string path_;
  int cancel_;
  int socket_;
};

} // namespace concert::ctl
