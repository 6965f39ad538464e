#include "platform/private_file.hpp"

#include "platform/socket.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace concert::platform {

namespace {

constexpr std::size_t block_size = 4096;

/// 0 or the error number.
int write_and_sync(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto size = write(fd, bytes.data(), bytes.size());
    if (size < 0)
      return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return fsync(fd) == 0 ? 0 : errno;
}

/// As far as the file system and the folder's rights allow.
void sync_folder(const std::filesystem::path& file) {
  const auto folder
    = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  const unique_fd fd{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd)
    fsync(fd.get());
}

} // namespace

result<ntp::secret_bytes> read_private_file(const std::filesystem::path& path,
                                            std::size_t limit) {
  const auto what = "cannot read " + path.string();
  // Non-blocking: a pipe in its place must not stop us.
  const unique_fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd)
    return tl::unexpected(system_error(what, errno));
  ntp::secret_bytes bytes;
  for (;;) {
    const auto before = bytes.size();
    bytes.resize(before + block_size);
    const auto size = read(fd.get(), bytes.data() + before, block_size);
    if (size < 0)
      return tl::unexpected(system_error(what, errno));
    bytes.resize(before + static_cast<std::size_t>(size));
    if (bytes.size() > limit)
      return tl::unexpected(
        error{errc::corrupt,
              fmt::format("{}: it has more than {} octets", what, limit)});
    if (size == 0)
      return bytes;
  }
}

result<void> write_private_file(const std::filesystem::path& path,
                                std::span<const std::byte> bytes) {
  const auto what = "cannot write " + path.string();
  auto temporary = path;
  temporary += ".new";
  // One that is left from a crash, and nothing that somebody else holds open.
  unlink(temporary.c_str());
  unique_fd fd{open(temporary.c_str(),
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600)};
  if (!fd)
    return tl::unexpected(system_error(what, errno));
  int number = write_and_sync(fd.get(), bytes);
  fd = {};
  if (number == 0 && rename(temporary.c_str(), path.c_str()) != 0)
    number = errno;
  if (number != 0) {
    unlink(temporary.c_str());
    return tl::unexpected(system_error(what, number));
  }
  sync_folder(path);
  return {};
}

result<void> remove_private_file(const std::filesystem::path& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT)
      return {};
    return tl::unexpected(
      system_error("cannot remove " + path.string(), errno));
  }
  sync_folder(path);
  return {};
}

} // namespace concert::platform
