#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "platform/error.hpp"

#include <cstddef>
#include <filesystem>
#include <span>

/// Small files that the daemon keeps for itself. Whatever they hold passes
/// through memory that is overwritten, and errors name file and cause.
namespace concert::platform {

/// The whole file. Errors: `unavailable` when there is none, `corrupt` when it
/// has more than `limit` octets, or what the system says.
result<ntp::secret_bytes> read_private_file(const std::filesystem::path& path,
                                            std::size_t limit);

/// Puts `bytes` in the place of the file, which nobody but its owner may read.
/// They are on the disk before the old ones go: those stay whole when the disk
/// is full. One writer at a time; `<path>.new` is used meanwhile.
result<void> write_private_file(const std::filesystem::path& path,
                                std::span<const std::byte> bytes);

/// Removes the file, so that it stays away over a power cut. That there is none
/// is no error.
result<void> remove_private_file(const std::filesystem::path& path);

} // namespace concert::platform
