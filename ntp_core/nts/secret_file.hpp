#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/errc.hpp"
#include "ntp_core/packet/bytes.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The form of the files that keep secrets over a restart: name of the kind
/// (8 octets), version (4), length of the contents (4), the contents, a
/// checksum of all this (8); numbers in network order. The checksum finds
/// damage; against people, there are the rights of the file.
namespace concert::ntp {

struct secret_file_kind {
  std::string_view name; ///< 8 octets
  std::uint32_t version = 1;
};

class secret_file_writer {
public:
  explicit secret_file_writer(const secret_file_kind& kind);

  /// An unsigned number, in its size.
  template <class T>
  void number(T value) {
    file_.resize(file_.size() + sizeof(T));
    write_big_endian(std::span<std::byte>{file_}, file_.size() - sizeof(T),
                     value);
  }
  void octets(std::span<const std::byte> bytes);
  /// Its length (2 octets), and it; at most 65,535 octets.
  void text(std::string_view text);

  /// The whole file; the writer is used up.
  secret_bytes finish();

private:
  secret_bytes file_;
};

/// Reads the contents from the front on. What is not there any more reads as
/// zero or nothing; `complete()` tells in the end.
class secret_file_reader {
public:
  /// Errors: any code that starts with `file_`, except `file_contents`. The
  /// reader is a view of `file`.
  static tl::expected<secret_file_reader, errc>
  open(std::span<const std::byte> file, const secret_file_kind& kind);

  template <class T>
  T number() {
    const auto bytes = octets(sizeof(T));
    return bytes.empty() ? T{} : read_big_endian<T>(bytes, 0);
  }
  std::span<const std::byte> octets(std::size_t count);
  std::string text();

  /// Octets not read yet.
  std::size_t left() const { return rest_.size(); }
  /// Whether all that was asked for was there, and nothing more is.
  bool complete() const { return !short_ && rest_.empty(); }

private:
  explicit secret_file_reader(std::span<const std::byte> contents)
    : rest_(contents) {}

  std::span<const std::byte> rest_;
  bool short_ = false;
};

} // namespace concert::ntp
