#include "config/named_files.hpp"

#include "ntp_core/nts/cluster_keys.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

namespace concert::config {

namespace {

namespace fs = std::filesystem;

/// A file as the document names it.
struct named_file {
  std::string_view key;
  const toml::node& node;
  fs::path path;

  std::string about(std::string_view what) const {
    return fmt::format("`{}`: {} {}", key, path.string(), what);
  }
};

/// What stands under `key`, if that can name a file.
std::optional<named_file> file_under(const toml::table& table,
                                     std::string_view key) {
  const auto* node = table.get(key);
  const auto text
    = node == nullptr ? std::nullopt : node->value_exact<std::string_view>();
  if (!text || text->empty())
    return std::nullopt;
  return named_file{key, *node, fs::path{*text}};
}

/// Calls `use` for each table of the array under `key`.
void for_each_table(const toml::table& table, std::string_view key,
                    const auto& use) {
  const auto* node = table.get(key);
  const auto* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr)
    return;
  for (const auto& item : *array) {
    if (const auto* entry = item.as_table())
      use(*entry);
  }
}

bool is_absent(const fs::path& path) {
  std::error_code ignored;
  return fs::status(path, ignored).type() == fs::file_type::not_found;
}

std::string unreadable(int error) {
  auto why = "cannot be read: " + std::generic_category().message(error);
  if (error == EACCES)
    why += " (the daemon's group needs access: chgrp, chmod g+r, and g+x for "
           "its folders)";
  return why;
}

/// Opens a regular file; what else there is might block. No buffer of the
/// stream keeps what is read.
bool open(std::ifstream& stream, const named_file& file, diagnostics& found) {
  std::error_code error;
  const auto type = fs::status(file.path, error).type();
  if (type != fs::file_type::regular && type != fs::file_type::not_found
      && !error) {
    found.error(file.node.source(), file.about("is not a file"));
    return false;
  }
  errno = 0;
  stream.rdbuf()->pubsetbuf(nullptr, 0);
  stream.open(file.path, std::ios::binary);
  if (!stream)
    found.error(file.node.source(), file.about(unreadable(errno)));
  return stream.is_open();
}

void check_readable(const named_file& file, diagnostics& found) {
  std::ifstream stream;
  open(stream, file, found);
}

void note_absence(const named_file& file, diagnostics& found) {
  if (is_absent(file.path))
    found.warning(file.node.source(), file.about("does not exist"));
}

void note_open_to_all(const named_file& file, diagnostics& found) {
  std::error_code error;
  const auto permissions = fs::status(file.path, error).permissions();
  constexpr auto others = fs::perms::others_read | fs::perms::others_write;
  if (!error && (permissions & others) != fs::perms::none)
    found.warning(file.node.source(),
                  file.about("is open to everybody: chmod o-rwx keeps the "
                             "secret"));
}

/// Whether a secret is long enough without the line ends after it. Stops as
/// soon as that is known.
bool is_long_enough(std::istream& secret) {
  std::size_t read = 0;
  for (char c{}; secret.get(c);) {
    ++read;
    if (read >= ntp::shortest_cluster_secret && c != '\n' && c != '\r')
      return true;
  }
  return false;
}

void check_cluster_secret(const named_file& file, diagnostics& found) {
  std::ifstream stream;
  if (!open(stream, file, found))
    return;
  note_open_to_all(file, found);
  if (!is_long_enough(stream))
    found.error(file.node.source(),
                file.about(fmt::format("holds fewer than {} octets",
                                       ntp::shortest_cluster_secret)));
}

void check_authorities(const toml::table& source, diagnostics& found) {
  constexpr std::string_view key = "certificate-authority";
  if (const auto file = file_under(source, key))
    check_readable(*file, found);
  const auto* node = source.get(key);
  const auto* list = node == nullptr ? nullptr : node->as_array();
  if (list == nullptr)
    return;
  for (const auto& item : *list) {
    if (const auto text = item.value_exact<std::string_view>();
        text && !text->empty())
      check_readable({key, item, fs::path{*text}}, found);
  }
}

/// Warnings only: at boot, the program that gets these may be slower than we.
void check_certificate(const toml::table& pair, diagnostics& found) {
  if (const auto chain = file_under(pair, "certificate-chain-path"))
    note_absence(*chain, found);
  if (const auto key = file_under(pair, "private-key-path")) {
    note_absence(*key, found);
    note_open_to_all(*key, found);
  }
}

void check_keyset(const toml::table& keyset, diagnostics& found) {
  if (const auto secret = file_under(keyset, "cluster-secret-file"))
    check_cluster_secret(*secret, found);
  const auto storage = file_under(keyset, "key-storage-path");
  if (!storage)
    return;
  const auto folder = storage->path.parent_path();
  if (!folder.empty() && is_absent(folder))
    found.warning(storage->node.source(),
                  storage->about("cannot be made: its folder does not exist"));
}

} // namespace

void check_named_files(const toml::table& document, diagnostics& found) {
  for_each_table(document, "source", [&](const toml::table& source) {
    check_authorities(source, found);
  });
  for_each_table(document, "nts-ke-server", [&](const toml::table& server) {
    check_certificate(server, found);
    for_each_table(server, "certificates", [&](const toml::table& pair) {
      check_certificate(pair, found);
    });
  });
  const auto* keyset = document.get("keyset");
  if (keyset != nullptr && keyset->is_table())
    check_keyset(*keyset->as_table(), found);
}

} // namespace concert::config
