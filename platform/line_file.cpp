#include "platform/line_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace concert::platform {

line_file::line_file(std::filesystem::path path) : path_(std::move(path)) {
}

line_file::~line_file() {
  reopen();
}

void line_file::reopen() {
  if (fd_ >= 0)
    close(fd_);
  fd_ = -1;
  cut_ = false;
}

result<void> line_file::append(std::string line) {
  if (fd_ < 0)
    fd_ = open(path_.c_str(),
               O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
  if (fd_ < 0)
    return tl::unexpected(system_error("cannot open " + path_.string(), errno));
  line += '\n';
  if (cut_)
    line.insert(line.begin(), '\n');
  const auto written = write(fd_, line.data(), line.size());
  if (written < 0)
    return tl::unexpected(
      system_error("cannot write to " + path_.string(), errno));
  cut_ = static_cast<std::size_t>(written) < line.size();
  if (cut_)
    return tl::unexpected(
      system_error("cannot write a whole line to " + path_.string(), ENOSPC));
  return {};
}

} // namespace concert::platform
