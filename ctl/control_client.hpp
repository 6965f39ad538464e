#pragma once

#include "ctl/connection.hpp"
#include "ctl/schema.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace concert::ctl {

/// Talks to the daemon through its control socket.
class control_client {
public:
  /// Connects to `path`. Each later question takes `limit` at most as well.
  /// When `cancel` (a file descriptor, −1 = none) becomes readable, waiting
  /// ends with `errc::interrupted`.
  /// @returns the errors of `connection::open`.
  static result<control_client> connect(const std::filesystem::path& path,
                                        std::chrono::milliseconds limit
                                        = default_time_limit,
                                        int cancel = -1);

  /// Sends `request`, numbered by this client, and waits for its first answer;
  /// late answers to earlier requests are passed over.
  /// @returns an answer, which may be a refusal; the errors of
  /// `connection::send`, `errc::too_large` or `errc::malformed`.
  result<control_answer> ask(const control_request& request);

  /// The next answer line, of whichever request: what follows an answer with
  /// `more`. After `errc::timeout` it can be asked again.
  result<control_answer> next(std::chrono::milliseconds limit);

private:
  control_client(connection to, std::chrono::milliseconds limit);
  result<read_answer> receive(connection::deadline until);

  connection to_;
  std::chrono::milliseconds limit_;
  std::uint64_t last_id_ = 0;
  std::string received_; ///< the beginning of a line
};

} // namespace concert::ctl
